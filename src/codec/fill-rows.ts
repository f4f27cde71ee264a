/** Rows of a binary reply in which the declared defaults stand where a value is missing or null. */
import type { PlanBlock } from '../query/query.ts'
import { DEFAULTED, PRESENT } from '../row/layout.ts'
import type { Layout } from '../row/layout.ts'
import { pad8 } from './binary-block.ts'
import { copyBytes } from './copy-rows.ts'
import { defaultRow, hasDefault } from './default-row.ts'
import type { Column } from './reply-columns.ts'
import { RowLanes, columnsOf } from './reply-columns.ts'

const fillers = new WeakMap<PlanBlock, RowFiller>()

export class RowFiller {
  /** What stands for a row without values: nothing but defaults. */
  readonly absent: RowLanes
  readonly #layout: Layout
  readonly #defaults: RowLanes
  /** Asked features that have a default. */
  readonly #columns: readonly Column[]
  /** For each position of the layout 1 if it is asked, in the heap, and has a default. */
  readonly #heapDefaults: Uint8Array
  readonly #hasHeapDefaults: boolean

  static of(plan: PlanBlock): RowFiller {
    let filler = fillers.get(plan)
    if (filler === undefined) fillers.set(plan, (filler = new RowFiller(plan)))
    return filler
  }

  constructor(plan: PlanBlock) {
    this.#layout = plan.layout
    this.#defaults = defaultRow(plan)
    this.#columns = columnsOf(plan).filter((column) => hasDefault(plan, column))
    this.#heapDefaults = new Uint8Array(plan.layout.features.length)
    for (const { type, position } of this.#columns) {
      if (type.slotBytes === 0) this.#heapDefaults[position] = 1
    }
    this.#hasHeapDefaults = this.#heapDefaults.includes(1)
    this.absent = this.#makeAbsent()
  }

  /** Bytes of a row once it is filled. */
  bytesOf(rows: RowLanes, start: number, rowBytes: number): number {
    if (!this.#hasHeapDefaults) return rowBytes
    let heapBytes = 0
    let end = 0
    for (const position of this.#layout.heapOrder) {
      const before = end
      end = rows.words[(start + this.#layout.slots[position]!) >>> 2]!
      heapBytes += this.#takesDefault(rows, start, position)
        ? this.#defaultBytes(position)
        : end - before
    }
    return this.#layout.fixedBytes + pad8(heapBytes)
  }

  /** Writes the filled row, which takes `bytesOf` it. */
  write(rows: RowLanes, start: number, rowBytes: number, target: RowLanes, at: number): void {
    if (this.#hasHeapDefaults) {
      copyBytes(rows, start, this.#layout.fixedBytes, target, at)
      this.#writeHeap(rows, start, target, at)
    } else copyBytes(rows, start, rowBytes, target, at)
    for (const column of this.#columns) {
      if (target.bits(at, column) !== PRESENT) this.#fill(column, target, at)
    }
  }

  /** Before the bits say that a default was taken: they are read here. */
  #writeHeap(rows: RowLanes, start: number, target: RowLanes, at: number): void {
    const { heapOrder, slots, fixedBytes } = this.#layout
    let end = 0
    let filledEnd = 0
    for (const position of heapOrder) {
      const before = end
      end = rows.words[(start + slots[position]!) >>> 2]!
      const takesDefault = this.#takesDefault(rows, start, position)
      const source = takesDefault ? this.#defaults : rows
      const from = takesDefault ? this.#defaultStart(position) : start + fixedBytes + before
      const bytes = takesDefault ? this.#defaultBytes(position) : end - before
      target.bytes.set(source.bytes.subarray(from, from + bytes), at + fixedBytes + filledEnd)
      filledEnd += bytes
      target.words[(at + slots[position]!) >>> 2] = filledEnd
    }
  }

  #fill(column: Column, target: RowLanes, at: number): void {
    for (let byte = 0; byte < column.type.slotBytes; byte++) {
      target.bytes[at + column.slot + byte] = this.#defaults.bytes[column.slot + byte]!
    }
    const place = at + column.presenceByte
    const others = target.bytes[place]! & ~(3 << column.presenceShift)
    target.bytes[place] = others | (DEFAULTED << column.presenceShift)
  }

  #takesDefault(rows: RowLanes, start: number, position: number): boolean {
    if (this.#heapDefaults[position] === 0) return false
    const byte = rows.bytes[start + this.#layout.presenceStart + (position >> 2)]!
    return ((byte >> (2 * (position & 3))) & 3) !== PRESENT
  }

  #defaultStart(position: number): number {
    const before = this.#layout.endsBefore[position]!
    return this.#layout.fixedBytes + (before === -1 ? 0 : this.#defaults.words[before >>> 2]!)
  }

  #defaultBytes(position: number): number {
    const end = this.#defaults.words[this.#layout.slots[position]! >>> 2]!
    return this.#layout.fixedBytes + end - this.#defaultStart(position)
  }

  #makeAbsent(): RowLanes {
    const { absentRow } = this.#layout
    const source = new RowLanes(absentRow)
    const target = new RowLanes(new Uint8Array(this.bytesOf(source, 0, absentRow.length)))
    this.write(source, 0, absentRow.length, target, 0)
    return target
  }
}
