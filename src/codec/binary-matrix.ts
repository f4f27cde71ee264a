/** Blocks of form matrix: the asked features of one type, in the asked order, without gaps (format.md, "values, form matrix"). */
import { Fault } from '../base/fault.ts'
import type { ValueType } from '../catalog/value-type.ts'
import type { Answer, AnswerBlock, PlanBlock } from '../query/query.ts'
import { ROW_PRESENT } from '../query/query.ts'
import { ABSENT, DEFAULTED, PRESENT } from '../row/layout.ts'
import { FORM_MATRIX } from './binary-block.ts'
import type { BinaryBlock } from './binary-block.ts'
import { copyBytes } from './copy-rows.ts'
import { defaultRow, hasDefault } from './default-row.ts'
import type { Column } from './reply-columns.ts'
import { RowLanes, columnsOf } from './reply-columns.ts'

/** What of a block's matrix is the same for every answer. */
type MatrixTemplate = {
  readonly columns: readonly Column[]
  readonly type: ValueType
  /** Offsets in a row, in the asked order, of what is copied: words, or bytes of a BOOL. */
  readonly offsets: Uint32Array
  /** The features stand side by side in their rows as they were asked, and so do their bits. */
  readonly sideBySide: boolean
  readonly bitsSideBySide: boolean
  readonly absent: RowLanes
  readonly defaults: RowLanes
  /** The columns that have one. */
  readonly defaulted: readonly number[]
}

const templates = new WeakMap<PlanBlock, MatrixTemplate>()

export class MatrixBlock implements BinaryBlock {
  readonly form = FORM_MATRIX
  readonly stride: number
  readonly valuesBytes: number
  readonly bitsStride: number
  readonly typeNumber: number
  readonly #answer: Answer
  readonly #block: AnswerBlock
  readonly #rows: RowLanes
  readonly #template: MatrixTemplate
  readonly #fills: boolean

  constructor(answer: Answer, block: AnswerBlock, rows: RowLanes) {
    const template = templateOf(block.plan)
    this.#answer = answer
    this.#block = block
    this.#rows = rows
    this.#template = template
    this.#fills = answer.query.fill === 'default' && template.defaulted.length > 0
    this.stride = template.columns.length * template.type.slotBytes
    this.valuesBytes = this.stride * block.rows
    this.bitsStride = answer.query.statuses ? Math.ceil(template.columns.length / 4) : 0
    this.typeNumber = template.type.number
  }

  write(target: RowLanes, valuesAt: number, _endsAt: number, bitsAt: number): void {
    this.#writeValues(target, valuesAt)
    if (this.#fills) this.#fillValues(target, valuesAt)
    if (this.bitsStride > 0) this.#writeBits(target.bytes, bitsAt)
  }

  #writeValues(target: RowLanes, valuesAt: number): void {
    const { rowStates, batch } = this.#answer
    const { places } = this.#block
    const { absent } = this.#template
    for (let row = 0; row < this.#block.rows; row++) {
      const place = places[row]!
      const at = valuesAt + row * this.stride
      if (rowStates[place] === ROW_PRESENT) {
        this.#copyRow(this.#rows, batch.rowStarts[place]!, target, at)
      } else this.#copyRow(absent, 0, target, at)
    }
  }

  #copyRow(source: RowLanes, start: number, target: RowLanes, at: number): void {
    const { offsets, columns, sideBySide, type } = this.#template
    if (type.slotBytes === 1) {
      const from = source.bytes
      const to = target.bytes
      for (let byte = 0; byte < offsets.length; byte++)
        to[at + byte] = from[start + offsets[byte]!]!
    } else if (sideBySide) {
      copyBytes(source, start + columns[0]!.slot, this.stride, target, at)
    } else {
      const from = source.words
      const to = target.words
      const first = start >>> 2
      const place = at >>> 2
      for (let word = 0; word < offsets.length; word++)
        to[place + word] = from[first + offsets[word]!]!
    }
  }

  #fillValues(target: RowLanes, valuesAt: number): void {
    const { columns, defaulted, defaults, type } = this.#template
    for (let row = 0; row < this.#block.rows; row++) {
      for (const column of defaulted) {
        if (this.#bits(row, columns[column]!) === PRESENT) continue
        const from = columns[column]!.slot
        const at = valuesAt + row * this.stride + column * type.slotBytes
        for (let byte = 0; byte < type.slotBytes; byte++) {
          target.bytes[at + byte] = defaults.bytes[from + byte]!
        }
      }
    }
  }

  /** The bits of a cell; ABSENT in a row without values. */
  #bits(row: number, column: Column): number {
    const place = this.#block.places[row]!
    if (this.#answer.rowStates[place] !== ROW_PRESENT) return ABSENT
    return this.#rows.bits(this.#answer.batch.rowStarts[place]!, column)
  }

  #writeBits(target: Uint8Array, bitsAt: number): void {
    for (let row = 0; row < this.#block.rows; row++) {
      const at = bitsAt + row * this.bitsStride
      if (this.#template.bitsSideBySide) this.#shiftBits(row, target, at)
      else this.#gatherBits(row, target, at)
      if (this.#fills) this.#markDefaults(row, target, at)
    }
  }

  #gatherBits(row: number, target: Uint8Array, at: number): void {
    const { columns } = this.#template
    for (let column = 0; column < columns.length; column++) {
      const bits = this.#bits(row, columns[column]!)
      target[at + (column >> 2)]! |= bits << (2 * (column & 3))
    }
  }

  /** A cut out of part P, moved to the front of its first byte. */
  #shiftBits(row: number, target: Uint8Array, at: number): void {
    const place = this.#block.places[row]!
    if (this.#answer.rowStates[place] !== ROW_PRESENT) return
    const { presenceByte, presenceShift } = this.#template.columns[0]!
    const from = this.#rows.bytes
    const first = this.#answer.batch.rowStarts[place]! + presenceByte
    for (let byte = 0; byte < this.bitsStride; byte++) {
      const next = first + byte
      const pair = from[next]! | (from[next + 1]! << 8)
      target[at + byte] = pair >> presenceShift
    }
    const spare = this.#template.columns.length & 3
    if (spare > 0) target[at + this.bitsStride - 1]! &= (1 << (2 * spare)) - 1
  }

  #markDefaults(row: number, target: Uint8Array, at: number): void {
    const { columns, defaulted } = this.#template
    for (const column of defaulted) {
      if (this.#bits(row, columns[column]!) === PRESENT) continue
      target[at + (column >> 2)]! |= DEFAULTED << (2 * (column & 3))
    }
  }
}

function templateOf(plan: PlanBlock): MatrixTemplate {
  const known = templates.get(plan)
  if (known !== undefined) return known
  const columns = columnsOf(plan)
  const type = matrixType(plan, columns)
  const width = type.slotBytes
  const follows = (place: number, step: (column: Column) => number, width: number): boolean =>
    place === 0 || step(columns[place]!) === step(columns[place - 1]!) + width
  const template = {
    columns,
    type,
    offsets: offsetsOf(columns, width),
    sideBySide: columns.every((_, place) => follows(place, ({ slot }) => slot, width)),
    bitsSideBySide: columns.every((_, place) => follows(place, ({ position }) => position, 1)),
    absent: new RowLanes(plan.layout.absentRow),
    defaults: defaultRow(plan),
    defaulted: Array.from(columns.keys()).filter((place) => hasDefault(plan, columns[place]!)),
  }
  templates.set(plan, template)
  return template
}

function offsetsOf(columns: readonly Column[], width: number): Uint32Array {
  if (width === 1) return Uint32Array.from(columns, ({ slot }) => slot)
  const words = columns.map(({ slot }) => slot >>> 2)
  return Uint32Array.from(width === 4 ? words : words.flatMap((word) => [word, word + 1]))
}

/** Throws unless all asked features of the block are of one type that has a slot. */
function matrixType(plan: PlanBlock, columns: readonly Column[]): ValueType {
  const { type } = columns[0]!
  const odd = columns.find((column) => column.type !== type || type.slotBytes === 0)
  if (odd === undefined) return type
  const names = odd.type === type ? '' : `; ${columns[0]!.name} is ${type.name}`
  throw new Fault(
    'invalid_request',
    `${plan.name}:${odd.name} is ${odd.type.name}${names}: these make no matrix`,
    {
      where: 'block',
      allowed: '"rows"; or features of one type of fixed width (numbers, BOOL) in each view',
    },
  )
}
