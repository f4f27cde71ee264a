/**
 * Writes the bytes of rows (row/format.md) from typed values. One writer serves one layout and is
 * used row after row: begin, set what there is, finish. Values of fixed width allocate nothing.
 */
import { Fault } from '../base/fault.ts'
import { grown } from '../base/grown.ts'
import { highHalf, lowHalf } from '../base/int64.ts'
import { ROW_BYTES_MAX } from '../base/limits.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueTypeName } from '../catalog/value-type.ts'
import { canonicalBooleans, canonicalNumbers } from './canonical-set.ts'
import { encodeMessage } from './composite.ts'
import type { Layout } from './layout.ts'
import { NULL, PRESENT, writeEmptySlot } from './layout.ts'

const pad8 = (bytes: number): number => (bytes + 7) & ~7

export class RowWriter {
  readonly layout: Layout
  /** Parts T to P of the row under work; part O is filled in by `finish`. */
  readonly #fixed: Uint8Array
  readonly #view: DataView
  /** Heap values in the order in which they were set; where each feature's lies. */
  #heap = new Uint8Array(1024)
  #heapView = new DataView(this.#heap.buffer)
  #heapUsed = 0
  readonly #valueStarts: Uint32Array
  readonly #valueBytes: Uint32Array
  #heapBytes = 0
  #timeUs = NaN

  constructor(layout: Layout) {
    this.layout = layout
    this.#fixed = layout.absentRow.slice()
    this.#view = new DataView(this.#fixed.buffer)
    this.#valueStarts = new Uint32Array(layout.features.length)
    this.#valueBytes = new Uint32Array(layout.features.length)
  }

  /**
   * Starts a row in which every feature is absent. `timeUs` is the time of every feature that will
   * be set, in a layout with times; others do not hold it.
   */
  begin(timeUs: number): void {
    this.#timeUs = timeUs
    this.#fixed.set(this.layout.absentRow)
    this.#valueBytes.fill(0)
    this.#heapUsed = 0
    this.#heapBytes = 0
  }

  /** Null again, or for the first time: the slot becomes empty. */
  setNull(position: number): void {
    const { type } = this.layout.features[position]!
    writeEmptySlot(this.#view, this.layout.slots[position]!, type)
    this.#dropHeapValue(position)
    this.#decide(position, NULL)
  }

  /** A value in its plain form (plain-forms.ts; what coerceValue gives). Null is null. */
  set(position: number, value: PlainValue): void {
    if (value === null) return this.setNull(position)
    const { type } = this.layout.features[position]!
    switch (type.heapForm) {
      case 'none':
        if (typeof value === 'boolean') this.setNumber(position, value ? 1 : 0)
        else this.setNumber(position, value as number | bigint) // the typed form of a slot
        return
      case 'text':
        return this.setText(position, value as string)
      case 'raw':
        return this.setHeapBytes(position, value as Uint8Array)
      case 'packed':
        return this.setNumbers(position, value as readonly (number | bigint | boolean)[])
      case 'message':
        return this.setHeapBytes(position, encodeMessage(type, value))
    }
  }

  /**
   * A value of a type that has a slot: FLOAT and DOUBLE (NaN is null), INT32, BOOL (0 or 1), INT64
   * and UNIX_TIMESTAMP. In range already.
   */
  setNumber(position: number, value: number | bigint): void {
    const slot = this.layout.slots[position]!
    switch (this.layout.features[position]!.type.name) {
      case 'FLOAT':
        if (Number.isNaN(value)) return this.setNull(position)
        this.#view.setFloat32(slot, Number(value), true)
        break
      case 'DOUBLE':
        if (Number.isNaN(value)) return this.setNull(position)
        this.#view.setFloat64(slot, Number(value), true)
        break
      case 'INT32':
        this.#view.setInt32(slot, Number(value), true)
        break
      case 'BOOL':
        this.#fixed[slot] = Number(value)
        break
      default:
        return this.setInt64Halves(position, lowHalf(value), highHalf(value))
    }
    this.#decide(position, PRESENT)
  }

  /** INT64 or UNIX_TIMESTAMP as the two words that a BigInt64Array's buffer holds. */
  setInt64Halves(position: number, low: number, high: number): void {
    const slot = this.layout.slots[position]!
    this.#view.setInt32(slot, low, true)
    this.#view.setInt32(slot + 4, high, true)
    this.#decide(position, PRESENT)
  }

  /** STRING, JSON, UUID, TIME_UUID, DECIMAL. */
  setText(position: number, text: string): void {
    const start = this.#reserve(text.length * 3)
    const { written } = utf8Encoder.encodeInto(text, this.#heap.subarray(start))
    this.#keep(position, start, written)
  }

  /** A heap value in its stored bytes: of texts, BYTES, messages and packed lists that are canonical. */
  setHeapBytes(position: number, bytes: Uint8Array): void {
    const start = this.#reserve(bytes.length)
    this.#heap.set(bytes, start)
    this.#keep(position, start, bytes.length)
  }

  /** A list or set of numbers or booleans; a typed array will do. Sets are sorted here. */
  setNumbers(position: number, values: ArrayLike<number | bigint | boolean>): void {
    const { type } = this.layout.features[position]!
    const element = type.element as ValueTypeName // every packed type has one
    const ordered = type.shape === 'set' ? canonicalElements(element, values) : values
    const start = this.#reserve(ordered.length * type.heapAlign)
    for (let place = 0; place < ordered.length; place++) {
      this.#writeElement(start + place * type.heapAlign, element, ordered[place]!)
    }
    this.#keep(position, start, ordered.length * type.heapAlign)
  }

  /** Bytes that `finish` will write: room for so many has to be in its target. */
  get byteLength(): number {
    return this.layout.fixedBytes + pad8(this.#heapBytes)
  }

  /** Writes the row at `start`, a multiple of 8, and returns its bytes, a multiple of 8. */
  finish(target: Uint8Array, start: number): number {
    const rowBytes = this.byteLength
    if (rowBytes > ROW_BYTES_MAX) {
      throw new Fault('too_large', `row has ${rowBytes} bytes`, {
        allowed: `${ROW_BYTES_MAX} bytes a row`,
      })
    }
    const { heapOrder, slots, fixedBytes } = this.layout
    const heapStart = start + fixedBytes
    let end = 0
    for (let place = 0; place < heapOrder.length; place++) {
      const position = heapOrder[place]!
      const bytes = this.#valueBytes[position]!
      if (bytes > 0) {
        const from = this.#valueStarts[position]!
        target.set(this.#heap.subarray(from, from + bytes), heapStart + end)
        end += bytes
      }
      this.#view.setUint32(slots[position]!, end, true)
    }
    target.set(this.#fixed, start)
    target.fill(0, heapStart + end, start + rowBytes)
    return rowBytes
  }

  #writeElement(at: number, element: ValueTypeName, value: number | bigint | boolean): void {
    switch (element) {
      case 'BOOL':
        this.#heap[at] = value ? 1 : 0
        return
      case 'INT32':
        this.#heapView.setInt32(at, Number(value), true)
        return
      case 'FLOAT':
        if (Number.isNaN(value)) this.#heapView.setUint32(at, 0x7fc0_0000, true)
        else this.#heapView.setFloat32(at, Number(value), true)
        return
      case 'DOUBLE':
        this.#heapView.setUint32(at, 0, true)
        if (Number.isNaN(value)) this.#heapView.setUint32(at + 4, 0x7ff8_0000, true)
        else this.#heapView.setFloat64(at, Number(value), true)
        return
      default:
        this.#heapView.setUint32(at, lowHalf(value as number | bigint), true)
        this.#heapView.setInt32(at + 4, highHalf(value as number | bigint), true)
    }
  }

  #decide(position: number, presence: number): void {
    const at = this.layout.presenceStart + (position >> 2)
    const shift = 2 * (position & 3)
    this.#fixed[at] = (this.#fixed[at]! & ~(3 << shift)) | (presence << shift)
    if (this.layout.times) this.#view.setFloat64(8 * position, this.#timeUs, true)
  }

  #reserve(bytes: number): number {
    const needed = this.#heapUsed + bytes
    if (needed > this.#heap.length) {
      this.#heap = grown(this.#heap, new Uint8Array(Math.max(needed, this.#heap.length * 2)))
      this.#heapView = new DataView(this.#heap.buffer)
    }
    return this.#heapUsed
  }

  #keep(position: number, start: number, bytes: number): void {
    this.#heapBytes += bytes - this.#valueBytes[position]!
    this.#valueStarts[position] = start
    this.#valueBytes[position] = bytes
    this.#heapUsed = start + bytes
    this.#decide(position, PRESENT)
  }

  #dropHeapValue(position: number): void {
    this.#heapBytes -= this.#valueBytes[position]!
    this.#valueBytes[position] = 0
  }
}

const canonicalElements = (
  element: ValueTypeName,
  values: ArrayLike<number | bigint | boolean>,
): ArrayLike<number | bigint | boolean> =>
  element === 'BOOL'
    ? canonicalBooleans(Array.from(values, Boolean))
    : canonicalNumbers(element, values as ArrayLike<number | bigint>) // no booleans in others
