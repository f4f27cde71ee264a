/** Asks a Salver server for features and reads its binary replies by views. Imports nothing but this folder. */
import { BinaryReplyView, schemaIdOf } from './binary-reply-view.ts'
import { ClientError } from './client-error.ts'
import { columnsKey, queryText } from './feature-query.ts'
import type { FeatureQuery } from './feature-query.ts'
import type { ReplySchema } from './reply-schema.ts'

export type SalverClientOptions = {
  /** Such as http://127.0.0.1:6566. */
  readonly url: string
  readonly token?: string
  /** How long the server may take; what its store has not answered by then is LATE. */
  readonly deadlineMs?: number
  /** How long the client waits for a reply on top of the deadline; 5,000 unless given. */
  readonly patienceMs?: number
}

const REPLY_TYPE = 'application/vnd.salver'
/** A server that says nothing for so long is taken for gone. */
const PATIENCE_MS = 5_000
/** Schemas and queries kept; a ranker has a handful. */
const KEPT_MAX = 1024

export class SalverClient {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #deadlineMs: number
  readonly #waitMs: number
  /** By id. */
  readonly #schemas = new Map<string, ReplySchema>()
  /** The columns of queries whose schema was seen. */
  readonly #asked = new Set<string>()

  constructor({ url, token, deadlineMs, patienceMs }: SalverClientOptions) {
    this.#url = `${url.replace(/\/+$/, '')}/v1/features`
    this.#deadlineMs = deadlineMs ?? Infinity
    this.#waitMs = Math.ceil((deadlineMs ?? 0) + (patienceMs ?? PATIENCE_MS))
    this.#headers = {
      'content-type': 'application/json',
      accept: REPLY_TYPE,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
  }

  /** Throws a ClientError. */
  async features(query: FeatureQuery): Promise<BinaryReplyView> {
    const key = columnsKey(query)
    if (this.#asked.has(key)) {
      const bytes = await this.#ask(queryText(query, 'omit', this.#deadlineMs))
      if (this.#schemas.has(schemaIdOf(bytes))) return new BinaryReplyView(bytes, this.#schemas)
      // The server's definitions have changed: ask again, with the names.
    }
    const bytes = await this.#ask(queryText(query, 'include', this.#deadlineMs))
    const reply = new BinaryReplyView(bytes, this.#schemas)
    this.#keep(key, reply.schema)
    return reply
  }

  #keep(key: string, schema: ReplySchema): void {
    if (this.#asked.size >= KEPT_MAX || this.#schemas.size >= KEPT_MAX) {
      this.#asked.clear()
      this.#schemas.clear()
    }
    this.#asked.add(key)
    this.#schemas.set(schema.id, schema)
  }

  async #ask(body: string): Promise<Uint8Array> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body,
        signal: AbortSignal.timeout(this.#waitMs),
      })
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (!response.ok) throw refusal(response.status, bytes)
      return bytes
    } catch (error) {
      throw asClientError(error, this.#url)
    }
  }
}

function refusal(status: number, bytes: Uint8Array): ClientError {
  const text = new TextDecoder().decode(bytes)
  const { code, message, where, allowed } = faultOf(text)
  const shown = message === '' ? text.slice(0, 200) : message
  return new ClientError('refused', `HTTP ${status}: ${shown}`, {
    fault: { status, code, where, allowed },
  })
}

/** The fields of a fault's body, each '' where it is missing: a proxy in between may have answered. */
function faultOf(text: string): { code: string; message: string; where: string; allowed: string } {
  const field = (name: string, found: { readonly [name: string]: unknown }): string => {
    const value = found[name]
    return typeof value === 'string' ? value : ''
  }
  const error = errorOf(text)
  return {
    code: field('code', error),
    message: field('message', error),
    where: field('where', error),
    allowed: field('allowed', error),
  }
}

function errorOf(text: string): { readonly [name: string]: unknown } {
  try {
    const body: unknown = JSON.parse(text)
    const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null
    if (typeof error === 'object' && error !== null) return { ...error }
  } catch {
    // Not JSON, and so not ours: the status and the text are all there is to tell.
  }
  return {}
}

function asClientError(error: unknown, url: string): ClientError {
  if (error instanceof ClientError) return error
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new ClientError('timed_out', `${url} did not answer in time`, { cause: error })
  }
  return new ClientError('unreachable', `${url} can't be reached`, { cause: error })
}
