/** Buffers of calls that are over, kept for the next ones. */
import { CALL_BATCHES_KEPT_MAX, CALL_BATCH_BYTES_KEPT_MAX } from '../../base/limits.ts'
import { ReadBatch } from '../read-batch.ts'

const KEY_BYTES_AT_FIRST = 32
const ROWS_BYTES_AT_FIRST = 16 * 1024

export class BatchPool {
  readonly #keysMax: number
  readonly #kept: ReadBatch[] = []

  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  take(): ReadBatch {
    const keysMax = this.#keysMax
    return (
      this.#kept.pop() ?? new ReadBatch(keysMax, keysMax * KEY_BYTES_AT_FIRST, ROWS_BYTES_AT_FIRST)
    )
  }

  /** Nobody writes to the batch any more: a call that was aborted has resolved. */
  keep(batch: ReadBatch): void {
    if (this.#kept.length === CALL_BATCHES_KEPT_MAX) return
    if (batch.rows.length + batch.keys.length > CALL_BATCH_BYTES_KEPT_MAX) return
    batch.reset()
    this.#kept.push(batch)
  }
}
