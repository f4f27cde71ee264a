/** A batch on its way through the writer: how far it has come, and who waits for it. */
import { checkBatch } from '../check-batch.ts'
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import { NO_UNITS } from '../write-batch.ts'
import type { PackedKeys } from './staged-lookup.ts'

export class QueuedWrite {
  readonly batch: WriteBatch
  readonly keys: PackedKeys
  readonly rowWords: Int32Array
  /** The batch's table once for each entry, as look-ups want it. */
  readonly tables: Uint16Array
  readonly outcomes: Uint8Array
  readonly done: Promise<WriteOutcomes>
  /** Entries before this one are judged. */
  position = 0
  bytesWritten = 0
  readonly #promise = Promise.withResolvers<WriteOutcomes>()

  constructor(batch: WriteBatch) {
    checkBatch(batch)
    this.batch = batch
    this.keys = { words: wordsOf(batch.keys), starts: batch.keyStarts, bytes: batch.keyBytes }
    this.rowWords = wordsOf(batch.rows)
    this.tables = new Uint16Array(batch.count).fill(batch.table)
    this.outcomes = new Uint8Array(batch.count)
    this.done = this.#promise.promise
  }

  get bytes(): number {
    return this.batch.keys.length + this.batch.rows.length
  }

  get isJudged(): boolean {
    return this.position === this.batch.count
  }

  resolve(): void {
    const { outcomes, bytesWritten } = this
    this.#promise.resolve({ outcomes, bytesWritten, ...NO_UNITS })
  }

  reject(fault: unknown): void {
    this.#promise.reject(fault)
  }
}

/** The bytes as words: a view where they are aligned, as a batch's own buffers are. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
}
