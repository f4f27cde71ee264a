/** Keeps the rows that a batch wrote, or drops those that it has made untrue. */
import { OUTCOME } from '../../row/order-rule.ts'
import type { WriteBatch } from '../write-batch.ts'
import type { KeptRows } from './kept-rows.ts'
import type { WrittenTable } from './kept-tables.ts'
import type { KeyCursor } from './key-cursor.ts'
import { NOWHERE } from './slot-index.ts'
import type { WriteMarks } from './write-marks.ts'

/** By outcome: whether what is stored changed. */
const IS_WRITTEN = new Uint8Array(256)
for (const outcome of [OUTCOME.new, OUTCOME.changed, OUTCOME.refreshed, OUTCOME.deleted]) {
  IS_WRITTEN[outcome] = 1
}

const UNKNOWN = new Uint8Array(0)

type Written = {
  readonly batch: WriteBatch
  /** Undefined where nobody knows what was written: nothing of its keys stays kept. */
  readonly outcomes: Uint8Array | undefined
  readonly nowMs: number
}

export class WriteThrough {
  /** Rows and deletes that are kept now. */
  kept = 0
  /** Rows let go because the batch does not say what a read would give. */
  dropped = 0
  readonly #rows: KeptRows
  readonly #marks: WriteMarks
  readonly #key: KeyCursor

  constructor(rows: KeptRows, marks: WriteMarks, key: KeyCursor) {
    this.#rows = rows
    this.#marks = marks
    this.#key = key
  }

  /** `tables` are all numbers under which rows of the batch's table may be kept. */
  apply(tables: readonly WrittenTable[], written: Written): void {
    const { batch, outcomes, nowMs } = written
    const words = new Int32Array(batch.rows.buffer, batch.rows.byteOffset, batch.rows.length >> 2)
    this.#key.open(batch)
    for (let place = 0; place < batch.count; place++) {
      if (outcomes !== undefined && IS_WRITTEN[outcomes[place]!] === 0) continue
      this.#key.moveTo(place)
      this.#marks.mark(this.#key.hash, nowMs)
      for (let at = 0; at < tables.length; at++) {
        const table = tables[at]!
        const held = this.#rows.find(this.#key, table.number)
        if (this.#isKept(table, written, place, held)) {
          this.#keep(table, written, place, words)
        } else if (held !== NOWHERE) {
          this.#rows.drop(held)
          this.dropped++
        }
      }
    }
  }

  #isKept(table: WrittenTable, written: Written, place: number, held: number): boolean {
    const { batch, outcomes } = written
    if (outcomes === undefined || !table.isWhole) return false
    if (table.layout === 0 && outcomes[place] !== OUTCOME.deleted) return false
    // A batch may be larger than the memory, and most of its rows are not asked for soon.
    if (held === NOWHERE) return batch.lane !== 'batch'
    return this.#isOlder(held, table, written, place)
  }

  /** If not, another wrote after this batch, or batches are told out of order: the store knows. */
  #isOlder(
    held: number,
    table: WrittenTable,
    { batch, outcomes = UNKNOWN }: Written,
    place: number,
  ): boolean {
    const heldUs = this.#rows.timeUs(held)
    const timeUs = batch.times[place]!
    if (heldUs !== timeUs) return heldUs < timeUs
    if (outcomes[place] === OUTCOME.deleted) return this.#rows.layout(held) === 0
    const start = batch.rowStarts[place]!
    const row = batch.rows.subarray(start, start + batch.rowBytes[place]!)
    return this.#rows.layout(held) === table.layout && this.#rows.isRow(held, row)
  }

  #keep(table: WrittenTable, written: Written, place: number, words: Int32Array): void {
    const { batch, outcomes = UNKNOWN, nowMs } = written
    const rows = this.#rows
    const isDelete = outcomes[place] === OUTCOME.deleted
    const made = rows.make(this.#key, table.number, isDelete ? 0 : batch.rowBytes[place]!)
    if (made === NOWHERE) {
      this.dropped++
      return
    }
    rows.describe(made, isDelete ? 0 : table.layout, batch.times[place]!, nowMs)
    if (!isDelete) rows.writeRow(made, words, batch.rowStarts[place]! >> 2)
    this.kept++
  }
}
