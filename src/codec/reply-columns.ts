/** What every reply format asks of an answer: its columns, the bits of a cell, the status of a cell. */
import type { ValueType } from '../catalog/value-type.ts'
import type { Answer, PlanBlock } from '../query/query.ts'
import { ROW_LATE, ROW_NOT_FOUND, ROW_PRESENT } from '../query/query.ts'
import { NULL, PRESENT } from '../row/layout.ts'

/** One asked feature of a block, and where it lies in the block's rows. */
export type Column = {
  readonly name: string
  readonly type: ValueType
  /** Place in the layout. */
  readonly position: number
  /** Byte offset in the row of the slot; of a heap feature, of its end. */
  readonly slot: number
  /** Byte offset of the end before it, or -1; a heap value starts at the end before it. */
  readonly endBefore: number
  readonly heapStart: number
  readonly presenceByte: number
  readonly presenceShift: number
}

const columnsOfPlan = new WeakMap<PlanBlock, readonly Column[]>()

export function columnsOf(plan: PlanBlock): readonly Column[] {
  const known = columnsOfPlan.get(plan)
  if (known !== undefined) return known
  const columns = Array.from(plan.features, (position) => columnAt(plan, position))
  columnsOfPlan.set(plan, columns)
  return columns
}

function columnAt({ layout }: PlanBlock, position: number): Column {
  const { name, type } = layout.features[position]!
  return {
    name,
    type,
    position,
    slot: layout.slots[position]!,
    endBefore: layout.endsBefore[position]!,
    heapStart: layout.fixedBytes,
    presenceByte: layout.presenceStart + (position >> 2),
    presenceShift: 2 * (position & 3),
  }
}

/** The same bytes under every type that a slot may have. Rows start at multiples of 8. */
export class RowLanes {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly ints: Int32Array
  readonly floats: Float32Array
  readonly doubles: Float64Array

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes
    this.bytes = bytes
    this.words = new Uint32Array(buffer, byteOffset, byteLength >> 2)
    this.ints = new Int32Array(buffer, byteOffset, byteLength >> 2)
    this.floats = new Float32Array(buffer, byteOffset, byteLength >> 2)
    this.doubles = new Float64Array(buffer, byteOffset, byteLength >> 3)
  }

  bits(rowStart: number, column: Column): number {
    return (this.bytes[rowStart + column.presenceByte]! >> column.presenceShift) & 3
  }

  heapStart(rowStart: number, column: Column): number {
    const from = column.endBefore === -1 ? 0 : this.words[(rowStart + column.endBefore) >>> 2]!
    return rowStart + column.heapStart + from
  }

  heapEnd(rowStart: number, column: Column): number {
    return rowStart + column.heapStart + this.words[(rowStart + column.slot) >>> 2]!
  }
}

/** Places in STATUS_NAMES. */
const STATUS_PRESENT = 0
const STATUS_NULL = 1
const STATUS_NOT_FOUND = 2
const STATUS_OUTSIDE_MAX_AGE = 3
const STATUS_DEFAULTED = 4
const STATUS_LATE = 5

/** Place in STATUS_NAMES of a cell. `bits` count only where the row is present. */
export function cellStatus(rowState: number, bits: number, defaulted: boolean): number {
  if (rowState === ROW_PRESENT && bits === PRESENT) return STATUS_PRESENT
  if (defaulted) return STATUS_DEFAULTED
  if (rowState === ROW_PRESENT) return bits === NULL ? STATUS_NULL : STATUS_NOT_FOUND
  if (rowState === ROW_NOT_FOUND) return STATUS_NOT_FOUND
  return rowState === ROW_LATE ? STATUS_LATE : STATUS_OUTSIDE_MAX_AGE
}

/** True where the answer tells when the row's event was: it was found, in time or too old. */
export const hasEventTime = (answer: Answer, place: number): boolean => {
  const state = answer.rowStates[place]!
  return state !== ROW_NOT_FOUND && state !== ROW_LATE
}
