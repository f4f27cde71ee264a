/**
 * The contract between the HTTP edge and the wire formats of the native path. It imports no format;
 * negotiate.ts picks one by the request's headers, format.md draws the bytes.
 */
import type { Answer, Query } from '../query/query.ts'

/** Whether a binary reply carries the section that names its columns. Other formats always do. */
export type SchemaChoice = 'include' | 'omit'

export type ReadRequest = Query & { readonly schema: SchemaChoice }

export interface RequestDecoder {
  /** Media types that are read this way; the first is the one to name to people. */
  readonly contentTypes: readonly string[]
  /**
   * Throws a Fault: `malformed` (with the byte) for bytes that are not this format, `invalid_request`
   * (with the field) or `too_large` for what they say. Nothing else escapes. Byte values of the
   * request are views of `bytes`.
   */
  decodeRead(bytes: Uint8Array): ReadRequest
}

export interface ReplyEncoder {
  /** Media types that are answered this way; the first is what the reply is labelled. */
  readonly contentTypes: readonly string[]
  /**
   * A buffer of its own for every reply: it may be handed to the socket and is never written again.
   * Throws a Fault: `too_large`, or `invalid_request` where the answer has no such form.
   */
  encode(answer: Answer, schema: SchemaChoice): Uint8Array
}
