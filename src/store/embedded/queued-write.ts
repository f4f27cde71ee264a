/** A batch on its way through the writer: how far it has come, and who waits for it. */
import { Fault } from '../../base/fault.ts'
import { KEY_BYTES_MAX, ROW_BYTES_MAX, TIME_US_MAX } from '../../base/limits.ts'
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE, NO_UNITS } from '../write-batch.ts'
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

/** A batch that lies about its sizes would spoil the log: one look before it is let in. */
function checkBatch(batch: WriteBatch): void {
  for (let place = 0; place < batch.count; place++) {
    const wrong = wrongIn(batch, place)
    if (wrong !== '') throw new Fault('invalid_row', wrong, { where: `entry ${place} of a batch` })
  }
}

function wrongIn(batch: WriteBatch, place: number): string {
  const keyStart = batch.keyStarts[place]!
  const keyBytes = batch.keyBytes[place]!
  const rowStart = batch.rowStarts[place]!
  const rowBytes = batch.rowBytes[place]!
  const isRow = batch.kinds[place] === ENTRY_ROW
  if (!isRow && batch.kinds[place] !== ENTRY_TOMBSTONE) return 'neither a row nor a tombstone'
  if (!(Math.abs(batch.times[place]!) <= TIME_US_MAX)) return 'a time that is out of range'
  if (keyBytes > KEY_BYTES_MAX) return `a key of ${keyBytes} bytes, at most ${KEY_BYTES_MAX}`
  if (rowBytes > ROW_BYTES_MAX) return `a row of ${rowBytes} bytes, at most ${ROW_BYTES_MAX}`
  if (((keyStart | rowStart | rowBytes) & 7) !== 0) return 'a key or row out of line'
  if (!isRow && rowBytes !== 0) return 'a tombstone with a row'
  if (keyStart + keyBytes > batch.keys.length || rowStart + rowBytes > batch.rows.length) {
    return 'a key or row beyond the end of its buffer'
  }
  return ''
}
