/**
 * The parts of fixed width of some rows (row/format.md, A to P), written column by column: a number
 * goes from a column's array to its slot without becoming an object.
 */
import { highHalf, lowHalf } from '../base/int64.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { Layout } from '../row/layout.ts'
import { NULL, PRESENT } from '../row/layout.ts'
import type { Column, NumberArray, Validity } from './column.ts'
import { isValid, secondsAt } from './column.ts'

/** Turns a feature's two bits from present to null. */
const PRESENT_TO_NULL = PRESENT ^ NULL

const HALF = 2 ** 32

/** The plain value of a cell that no fast way fits; null for null, and for a row that was rejected. */
export type CellReader = (row: number) => PlainValue

export class FixedRows {
  readonly bytes: Uint8Array
  /** The same, to be copied by words. */
  readonly words: Int32Array
  readonly #layout: Layout
  readonly #floats: Float32Array
  readonly #doubles: Float64Array
  readonly #template: Uint8Array
  // Of the column that is being written:
  #slot = 0
  #presence = 0
  #flip = 0

  constructor(layout: Layout, rowsMax: number) {
    this.#layout = layout
    this.bytes = new Uint8Array(rowsMax * layout.fixedBytes)
    this.words = new Int32Array(this.bytes.buffer)
    this.#floats = new Float32Array(this.bytes.buffer)
    this.#doubles = new Float64Array(this.bytes.buffer)
    this.#template = makeTemplate(layout)
  }

  /** Starts `count` rows in which each feature with a slot is present, and each other one absent. */
  begin(count: number): void {
    const { bytes } = this
    const end = count * this.#layout.fixedBytes
    bytes.set(this.#template)
    for (let done = this.#template.length; done < end; done *= 2) {
      bytes.copyWithin(done, 0, Math.min(done, end - done))
    }
  }

  /**
   * Writes one feature of all rows from a column's rows from `start` on. False if there is no fast
   * way from the column's form to the feature's type: then writeEach has to do it.
   */
  writeColumn(position: number, column: Column, start: number, count: number): boolean {
    this.#aim(position)
    const name = this.#layout.features[position]!.type.name
    switch (column.form) {
      case 'number':
        return this.#writeNumbers(name, column.values, column.valid, start, count)
      case 'int64':
        if (name !== 'INT64' || !column.signed) return false
        this.#writeInt64(column.words, column.valid, start, count)
        return true
      case 'time':
        if (name !== 'UNIX_TIMESTAMP') return false
        this.#writeTimes(column.words, column.ticksPerSecond, column.valid, start, count)
        return true
      case 'bool':
        if (name !== 'BOOL') return false
        this.#writeBools(column.bits, column.valid, start, count)
        return true
      default:
        return false
    }
  }

  /** Writes one feature of all rows from plain values of its type. */
  writeEach(position: number, read: CellReader, count: number): void {
    this.#aim(position)
    const { fixedBytes, features } = this.#layout
    const name = features[position]!.type.name
    for (let row = 0; row < count; row++) {
      const value = read(row)
      const offset = row * fixedBytes
      if (value === null) this.#setNull(offset)
      else this.#writeValue(name, offset + this.#slot, value)
    }
  }

  #aim(position: number): void {
    this.#slot = this.#layout.slots[position]!
    this.#presence = this.#layout.presenceStart + (position >> 2)
    this.#flip = PRESENT_TO_NULL << (2 * (position & 3))
  }

  #setNull(rowStart: number): void {
    const at = rowStart + this.#presence
    this.bytes[at] = this.bytes[at]! ^ this.#flip
  }

  #writeNumbers(
    name: string,
    values: NumberArray,
    valid: Validity,
    start: number,
    count: number,
  ): boolean {
    if (name === 'FLOAT') this.#writeFloats(values, valid, start, count)
    else if (name === 'DOUBLE') this.#writeDoubles(values, valid, start, count)
    else if (name === 'INT32' && isInt32Array(values)) {
      this.#writeInt32(values, valid, start, count)
    } else if (name === 'INT64' && isIntegerArray(values)) {
      this.#writeWidened(values, valid, start, count)
    } else if (name === 'INT32' && holdIntegers(values, 2 ** 31, start, count)) {
      this.#writeInt32(values, valid, start, count)
    } else if (name === 'INT64' && holdIntegers(values, 2 ** 53, start, count)) {
      this.#writeWidened(values, valid, start, count)
    } else return false
    return true
  }

  #writeFloats(values: NumberArray, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    const floats = this.#floats
    let at = this.#slot >> 2
    for (let row = 0; row < count; row++, at += stride >> 2) {
      const value = values[start + row]!
      // NaN is the one number that differs from itself.
      if (value === value && isValid(valid, start + row)) floats[at] = value
      else this.#setNull(row * stride)
    }
  }

  #writeDoubles(values: NumberArray, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    const doubles = this.#doubles
    let at = this.#slot >> 3
    for (let row = 0; row < count; row++, at += stride >> 3) {
      const value = values[start + row]!
      if (value === value && isValid(valid, start + row)) doubles[at] = value
      else this.#setNull(row * stride)
    }
  }

  #writeInt32(values: NumberArray, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    const { words } = this
    let at = this.#slot >> 2
    for (let row = 0; row < count; row++, at += stride >> 2) {
      if (isValid(valid, start + row)) words[at] = values[start + row]!
      else this.#setNull(row * stride)
    }
  }

  #writeWidened(values: NumberArray, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    for (let row = 0; row < count; row++) {
      const value = values[start + row]!
      if (isValid(valid, start + row))
        this.#putHalves(row * stride + this.#slot, value, Math.floor(value / HALF))
      else this.#setNull(row * stride)
    }
  }

  #writeInt64(source: Int32Array, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    const { words } = this
    let at = this.#slot >> 2
    for (let row = 0; row < count; row++, at += stride >> 2) {
      if (isValid(valid, start + row)) {
        words[at] = source[2 * (start + row)]!
        words[at + 1] = source[2 * (start + row) + 1]!
      } else this.#setNull(row * stride)
    }
  }

  #writeTimes(
    source: Int32Array,
    ticksPerSecond: number,
    valid: Validity,
    start: number,
    count: number,
  ): void {
    const stride = this.#layout.fixedBytes
    for (let row = 0; row < count; row++) {
      if (isValid(valid, start + row)) {
        const seconds = secondsAt(source, ticksPerSecond, start + row)
        this.#putHalves(row * stride + this.#slot, seconds, Math.floor(seconds / HALF))
      } else this.#setNull(row * stride)
    }
  }

  #writeBools(bits: Uint8Array, valid: Validity, start: number, count: number): void {
    const stride = this.#layout.fixedBytes
    for (let row = 0; row < count; row++) {
      if (isValid(valid, start + row)) {
        this.bytes[row * stride + this.#slot] = isValid(bits, start + row) ? 1 : 0
      } else this.#setNull(row * stride)
    }
  }

  #writeValue(name: string, at: number, value: PlainValue): void {
    if (name === 'BOOL') this.bytes[at] = value === true ? 1 : 0
    else if (name === 'FLOAT') this.#floats[at >> 2] = Number(value)
    else if (name === 'DOUBLE') this.#doubles[at >> 3] = Number(value)
    else if (name === 'INT32') this.words[at >> 2] = Number(value)
    else if (typeof value === 'number' || typeof value === 'bigint') {
      this.#putHalves(at, lowHalf(value), highHalf(value))
    }
  }

  #putHalves(at: number, low: number, high: number): void {
    this.words[at >> 2] = low
    this.words[(at >> 2) + 1] = high
  }
}

function makeTemplate(layout: Layout): Uint8Array {
  const row = layout.absentRow.slice()
  layout.features.forEach(({ type }, position) => {
    if (type.slotBytes === 0) return
    const at = layout.presenceStart + (position >> 2)
    row[at] = row[at]! | (PRESENT << (2 * (position & 3)))
  })
  return row
}

/** Integers within the bound, and nothing else, not even a missing number. */
function holdIntegers(values: NumberArray, bound: number, start: number, count: number): boolean {
  for (let row = start; row < start + count; row++) {
    const value = values[row]!
    if (!(value > -bound && value < bound && Math.floor(value) === value)) return false
  }
  return true
}

const isIntegerArray = (values: NumberArray): boolean =>
  !(values instanceof Float32Array || values instanceof Float64Array)

const isInt32Array = (values: NumberArray): boolean =>
  isIntegerArray(values) && !(values instanceof Uint32Array)
