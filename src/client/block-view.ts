/** One block of a binary reply, read where it lies. Every place is checked before it is read. */
import { ClientError, corrupt } from './client-error.ts'
import { readMessage } from './message-reader.ts'
import type { ReplyValue } from './message-reader.ts'
import type { BlockSchema } from './reply-schema.ts'
import type { ReplyForm, ReplyType } from './reply-types.ts'
import { isSlot, replyTypeNumbered } from './reply-types.ts'

export const FORM_ROWS = 1
export const FORM_MATRIX = 2

export const STATUSES = [
  'PRESENT',
  'NULL',
  'NOT_FOUND',
  'OUTSIDE_MAX_AGE',
  'DEFAULTED',
  'LATE',
] as const
export type CellStatus = (typeof STATUSES)[number]
export type RowState = 'PRESENT' | 'NOT_FOUND' | 'OUTSIDE_MAX_AGE' | 'LATE'

export const ROW_STATES: readonly RowState[] = ['PRESENT', 'NOT_FOUND', 'OUTSIDE_MAX_AGE', 'LATE']
/** What the two bits of a feature say in a row that is present. */
const BIT_STATUSES: readonly CellStatus[] = ['NOT_FOUND', 'NULL', 'PRESENT', 'DEFAULTED']
const BITS_PRESENT = 2
const BITS_DEFAULTED = 3

export type Matrix = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array

/** A directory entry whose sections were found to lie inside the reply. */
export type BlockPlace = {
  readonly form: number
  readonly broadcast: boolean
  readonly features: number
  readonly rows: number
  readonly valuesAt: number
  readonly valuesBytes: number
  readonly stride: number
  readonly endsAt: number
  readonly statesAt: number
  readonly timesAt: number
  readonly bitsAt: number
  readonly bitsStride: number
  readonly typeNumber: number
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export class BlockView {
  readonly view: string
  readonly broadcast: boolean
  /** Rows of the block: 1 where it is broadcast. */
  readonly rows: number
  /** In the asked order. */
  readonly features: readonly string[]
  readonly #bytes: Uint8Array
  readonly #data: DataView
  readonly #place: BlockPlace
  readonly #schema: BlockSchema
  readonly #requestRows: number

  /** `bytes` begins at a multiple of 8 of its buffer; `place` lies inside it. */
  constructor(bytes: Uint8Array, place: BlockPlace, schema: BlockSchema, requestRows: number) {
    this.view = schema.view
    this.broadcast = place.broadcast
    this.rows = place.rows
    this.features = schema.names
    this.#bytes = bytes
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#place = place
    this.#schema = schema
    this.#requestRows = requestRows
    this.#checkShape()
  }

  /**
   * All values, rows x features, row-major, without a copy: Float32Array for FLOAT, Float64Array for
   * DOUBLE, Int32Array for INT32, BigInt64Array for INT64 and UNIX_TIMESTAMP, Uint8Array for BOOL.
   */
  matrix(): Matrix {
    const { form, valuesAt, valuesBytes } = this.#place
    if (form !== FORM_MATRIX) {
      throw new ClientError('not_a_matrix', `${this.view} was not asked for with block: matrix`)
    }
    const { buffer, byteOffset } = this.#bytes
    const start = byteOffset + valuesAt
    switch (this.#matrixType().form) {
      case 'float':
        return new Float32Array(buffer, start, valuesBytes / 4)
      case 'double':
        return new Float64Array(buffer, start, valuesBytes / 8)
      case 'int32':
        return new Int32Array(buffer, start, valuesBytes / 4)
      case 'int64':
        return new BigInt64Array(buffer, start, valuesBytes / 8)
      default:
        return new Uint8Array(buffer, start, valuesBytes)
    }
  }

  /** `row` is a row of the request: a broadcast block answers all of them alike. */
  rowState(row: number): RowState {
    return ROW_STATES[this.#bytes[this.#place.statesAt + this.#blockRow(row)]!]!
  }

  /** Microseconds since 1970; NaN for a row that was not found or is late. Undefined if not asked. */
  eventTimeUs(row: number): number | undefined {
    const { timesAt } = this.#place
    const at = this.#blockRow(row)
    return timesAt === 0 ? undefined : this.#data.getFloat64(timesAt + 8 * at, true)
  }

  /** Undefined in a matrix that was asked for without statuses. */
  status(row: number, feature: string | number): CellStatus | undefined {
    const blockRow = this.#blockRow(row)
    const bits = this.#bits(blockRow, this.#column(feature))
    if (bits === BITS_DEFAULTED) return 'DEFAULTED'
    const state = this.rowState(row)
    if (state !== 'PRESENT') return state
    return bits === undefined ? undefined : BIT_STATUSES[bits]
  }

  /**
   * Null where there is no value. A matrix without statuses can't tell a missing integer or BOOL
   * from zero: then zero is what is read.
   */
  value(row: number, feature: string | number): ReplyValue {
    const blockRow = this.#blockRow(row)
    const column = this.#column(feature)
    const bits = this.#bits(blockRow, column)
    if (bits !== undefined && bits < BITS_PRESENT) return null
    const { type, slot, endBefore } = this.#schema.features[column]!
    const { form, valuesAt, stride } = this.#place
    if (form === FORM_MATRIX) {
      const value = this.#number(type.form, valuesAt + blockRow * stride + column * type.width)
      return Number.isNaN(value) ? null : value
    }
    const start = this.#rowStart(blockRow)
    if (isSlot(type)) return this.#number(type.form, start + slot)
    return this.#heapValue(type, start, this.#rowEnd(blockRow), slot, endBefore)
  }

  /** A column of values, one for each row of the block. */
  column(feature: string | number): ReplyValue[] {
    const column = this.#column(feature)
    return Array.from({ length: this.rows }, (_, row) => this.value(row, column))
  }

  #checkShape(): void {
    const { form, features, stride } = this.#place
    if (features !== this.#schema.features.length) throw corrupt('features and schema differ')
    if (form === FORM_MATRIX) return this.#checkMatrix()
    const { layout } = this.#schema
    if (layout.hasHeap !== (stride === 0)) throw corrupt('row ends and schema differ')
    if (stride > 0 && stride !== layout.fixedBytes) throw corrupt('stride and schema differ')
    if (stride === 0) this.#checkEnds(layout.fixedBytes)
  }

  #checkMatrix(): void {
    const type = this.#matrixType()
    if (this.#place.stride !== type.width * this.#place.features) throw corrupt('wrong stride')
    if (this.#schema.features.some((feature) => feature.type !== type)) {
      throw corrupt('matrix type and schema differ')
    }
  }

  #checkEnds(fixedBytes: number): void {
    let start = 0
    for (let row = 0; row < this.rows; row++) {
      const end = this.#data.getUint32(this.#place.endsAt + 4 * row, true)
      if (end % 8 !== 0 || end - start < fixedBytes) throw corrupt(`row ${row} is too short`)
      start = end
    }
    if (start !== this.#place.valuesBytes) throw corrupt('row ends and values differ')
  }

  #matrixType(): ReplyType {
    const type = replyTypeNumbered(this.#place.typeNumber)
    if (type === undefined || !isSlot(type)) {
      throw corrupt(`matrix of type number ${this.#place.typeNumber}`)
    }
    return type
  }

  #blockRow(row: number): number {
    if (!(Number.isInteger(row) && row >= 0 && row < this.#requestRows)) {
      throw new ClientError('unknown_column', `row ${row} is none of the ${this.#requestRows} rows`)
    }
    return this.broadcast ? 0 : row
  }

  #column(feature: string | number): number {
    const column = typeof feature === 'number' ? feature : this.#schema.columns.get(feature)
    if (column !== undefined && column in this.features) return column
    throw new ClientError('unknown_column', `${this.view} was not asked for ${feature}`)
  }

  /** Undefined where the reply holds no bits: a matrix without statuses. */
  #bits(blockRow: number, column: number): number | undefined {
    const { form, bitsAt, bitsStride } = this.#place
    if (form === FORM_MATRIX) {
      if (bitsAt === 0) return undefined
      const byte = this.#bytes[bitsAt + blockRow * bitsStride + (column >> 2)]!
      return (byte >> (2 * (column & 3))) & 3
    }
    const { position } = this.#schema.features[column]!
    const presence = this.#rowStart(blockRow) + this.#schema.layout.presenceStart
    return (this.#bytes[presence + (position >> 2)]! >> (2 * (position & 3))) & 3
  }

  #rowStart(blockRow: number): number {
    const { valuesAt, stride, endsAt } = this.#place
    if (stride > 0) return valuesAt + blockRow * stride
    return valuesAt + (blockRow === 0 ? 0 : this.#data.getUint32(endsAt + 4 * (blockRow - 1), true))
  }

  #rowEnd(blockRow: number): number {
    return this.#place.valuesAt + this.#data.getUint32(this.#place.endsAt + 4 * blockRow, true)
  }

  #heapValue(
    type: ReplyType,
    rowStart: number,
    rowEnd: number,
    slot: number,
    endBefore: number,
  ): ReplyValue {
    const heap = rowStart + this.#schema.layout.fixedBytes
    const start = heap + (endBefore < 0 ? 0 : this.#data.getUint32(rowStart + endBefore, true))
    const end = heap + this.#data.getUint32(rowStart + slot, true)
    if (start > end || end > rowEnd) throw corrupt('a value lies outside its row')
    const bytes = this.#bytes.subarray(start, end)
    if (type.form === 'text') return utf8.decode(bytes)
    if (type.form === 'bytes') return bytes.slice()
    return type.form === 'packed' ? this.#numbers(type, start, end) : readMessage(type.form, bytes)
  }

  /** Floats and 32-bit integers are a view, without a copy. */
  #numbers({ element, width }: ReplyType, start: number, end: number): ReplyValue {
    if (end % width !== start % width || start % width !== 0) throw corrupt('a list is cut')
    const count = (end - start) / width
    const { buffer, byteOffset } = this.#bytes
    if (element === 'float') return new Float32Array(buffer, byteOffset + start, count)
    if (element === 'double') return new Float64Array(buffer, byteOffset + start, count)
    if (element === 'int32') return new Int32Array(buffer, byteOffset + start, count)
    return Array.from({ length: count }, (_, place) =>
      this.#number(element === '' ? 'bool' : element, start + place * width),
    )
  }

  #number(form: ReplyForm, at: number): number | bigint | boolean {
    switch (form) {
      case 'float':
        return this.#data.getFloat32(at, true)
      case 'double':
        return this.#data.getFloat64(at, true)
      case 'int32':
        return this.#data.getInt32(at, true)
      case 'int64': {
        const exact = this.#data.getBigInt64(at, true)
        const near = Number(exact)
        return Number.isSafeInteger(near) ? near : exact
      }
      default:
        return this.#bytes[at] !== 0
    }
  }
}
