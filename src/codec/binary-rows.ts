/** Blocks of form rows: whole rows as they are stored (format.md, "values, form rows"). */
import type { Answer, AnswerBlock } from '../query/query.ts'
import { ROW_PRESENT } from '../query/query.ts'
import type { Layout } from '../row/layout.ts'
import { FORM_ROWS } from './binary-block.ts'
import type { BinaryBlock } from './binary-block.ts'
import { RunCopier } from './copy-rows.ts'
import { RowFiller } from './fill-rows.ts'
import { RowLanes } from './reply-columns.ts'

const absentRows = new WeakMap<Layout, RowLanes>()

export class RowsBlock implements BinaryBlock {
  readonly form = FORM_ROWS
  readonly bitsStride = 0
  readonly typeNumber = 0
  readonly stride: number
  readonly valuesBytes: number
  readonly #answer: Answer
  readonly #block: AnswerBlock
  readonly #rows: RowLanes
  /** Undefined where values that are missing stay so. */
  readonly #filler: RowFiller | undefined
  /** What stands for a row that has no values. */
  readonly #absent: RowLanes

  constructor(answer: Answer, block: AnswerBlock, rows: RowLanes) {
    const { layout } = block.plan
    this.#answer = answer
    this.#block = block
    this.#rows = rows
    this.#filler = answer.query.fill === 'default' ? RowFiller.of(block.plan) : undefined
    this.#absent = this.#filler?.absent ?? absentRow(layout)
    this.stride = layout.heapOrder.length === 0 ? layout.fixedBytes : 0
    this.valuesBytes = this.stride > 0 ? this.stride * block.rows : this.#sumOfRows()
  }

  write(target: RowLanes, valuesAt: number, endsAt: number): void {
    if (this.#filler === undefined) this.#copyRows(target, valuesAt)
    else this.#fillRows(target, valuesAt, this.#filler)
    if (this.stride > 0) return
    let end = 0
    for (let row = 0; row < this.#block.rows; row++) {
      end += this.#rowBytes(this.#block.places[row]!)
      target.words[(endsAt >>> 2) + row] = end
    }
  }

  #copyRows(target: RowLanes, valuesAt: number): void {
    const { rowStates, batch } = this.#answer
    const { rows, places } = this.#block
    const copier = new RunCopier(this.#rows, target, valuesAt)
    for (let row = 0; row < rows; row++) {
      const place = places[row]!
      if (rowStates[place] === ROW_PRESENT) {
        copier.add(batch.rowStarts[place]!, batch.rowBytes[place]!)
      } else copier.addFrom(this.#absent)
    }
    copier.flush()
  }

  #fillRows(target: RowLanes, valuesAt: number, filler: RowFiller): void {
    const { rowStates, batch } = this.#answer
    let at = valuesAt
    for (let row = 0; row < this.#block.rows; row++) {
      const place = this.#block.places[row]!
      if (rowStates[place] === ROW_PRESENT) {
        filler.write(this.#rows, batch.rowStarts[place]!, batch.rowBytes[place]!, target, at)
      } else target.bytes.set(this.#absent.bytes, at)
      at += this.#rowBytes(place)
    }
  }

  /** Bytes in the reply of the row at a place of the batch. */
  #rowBytes(place: number): number {
    const { rowStates, batch } = this.#answer
    if (rowStates[place] !== ROW_PRESENT) return this.#absent.bytes.length
    const bytes = batch.rowBytes[place]!
    return this.#filler?.bytesOf(this.#rows, batch.rowStarts[place]!, bytes) ?? bytes
  }

  #sumOfRows(): number {
    let sum = 0
    for (let row = 0; row < this.#block.rows; row++) sum += this.#rowBytes(this.#block.places[row]!)
    return sum
  }
}

function absentRow(layout: Layout): RowLanes {
  let row = absentRows.get(layout)
  if (row === undefined) absentRows.set(layout, (row = new RowLanes(layout.absentRow)))
  return row
}
