/** The contract of where a batch's rows go: a store in this process, or a server. */
import type { WriteBatch, WriteOutcomes } from '../store/write-batch.ts'

/** An entry that the other side refused. */
export type RefusedEntry = {
  /** Its place in the batch. */
  readonly index: number
  readonly column: string
  readonly reason: string
}

export type SinkOutcomes = WriteOutcomes & { readonly refused: readonly RefusedEntry[] }

export interface Sink {
  /** Numbers that batches for it carry. */
  readonly table: number
  readonly layout: number
  /**
   * Applies a batch. Batches that are handed over before others were answered are applied in the
   * order of the calls. Rejects with a Fault if it is not known what was applied: writing the whole
   * run again is always safe.
   */
  write(batch: WriteBatch): Promise<SinkOutcomes>
}
