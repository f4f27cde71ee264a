/**
 * What the HTTP edge asks of the writing side. Defined here, where it is used, so that http and
 * ingest never meet: threads/ hands the bytes to the writer thread, which parses them.
 */
import type { OutcomeName } from '../row/order-rule.ts'

export type WriteCall = {
  readonly view: string
  /** `batch` waits in its queue; `direct` is refused with `overloaded` when its queue is full. */
  readonly lane: 'direct' | 'batch'
  readonly format: 'ndjson' | 'json' | 'msgpack'
  /** The body, whole: given away, not to be read after the call. */
  readonly body: Uint8Array
  readonly dryRun: boolean
}

export type RejectedRow = {
  /** Place of the row in the body, from 0. */
  readonly index: number
  readonly column: string
  readonly reason: string
}

export type WriteReply = {
  /** Rows for each outcome, in the receipt's words. */
  readonly counts: Readonly<Record<OutcomeName, number>>
  readonly read: number
  /** An OUTCOME for each row, in the body's order. */
  readonly outcomes: Uint8Array
  readonly rejected: readonly RejectedRow[]
  readonly bytesWritten: number
}

export interface WriteLane {
  /** Resolves when the rows are durable and readable. Rejects with a Fault that says what was not done. */
  write(call: WriteCall): Promise<WriteReply>
}
