/**
 * Writes the bytes of rows (row/format.md) from typed values. One writer serves one layout and is
 * used row after row: begin, set what there is, finish. Values of fixed width allocate nothing. What
 * makes the row larger than ROW_BYTES_MAX is refused when it is set, and `finish` refuses the row.
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
import { HeapWords, numberOf } from './heap-words.ts'
import type { Layout } from './layout.ts'
import { NULL, PRESENT, writeEmptySlot } from './layout.ts'

// Those from FLOAT on have a NaN.
const OTHER = 0
const INT64 = 1
const INT32 = 2
const BOOL = 3
const FLOAT = 4
const DOUBLE = 5

function kindOf(name: ValueTypeName): number {
  if (name === 'FLOAT') return FLOAT
  if (name === 'DOUBLE') return DOUBLE
  if (name === 'INT64' || name === 'UNIX_TIMESTAMP') return INT64
  if (name === 'INT32') return INT32
  return name === 'BOOL' ? BOOL : OTHER
}

const SHORT_TEXT_UNITS_MAX = 48

const pad8 = (bytes: number): number => (bytes + 7) & ~7

export class RowWriter {
  readonly layout: Layout
  /** Parts T to P of the row under work; part O is filled in by `finish`. */
  readonly #fixed: Uint8Array<ArrayBuffer>
  readonly #view: DataView
  /** The same bytes as words: slots are aligned by their size. */
  readonly #doubles: Float64Array
  readonly #floats: Float32Array
  readonly #ints: Int32Array
  /** For each feature a number that stands for its type, for the switch of every cell. */
  readonly #kinds: Uint8Array
  /** Heap values in the order in which they were set; where each feature's lies. */
  #heap = new Uint8Array(1024)
  #heapWords = new HeapWords(this.#heap.buffer)
  #heapUsed = 0
  readonly #valueStarts: Uint32Array
  readonly #valueBytes: Uint32Array
  #heapBytes = 0
  #timeUs = NaN

  constructor(layout: Layout) {
    this.layout = layout
    this.#fixed = Uint8Array.from(layout.absentRow)
    this.#view = new DataView(this.#fixed.buffer)
    this.#doubles = new Float64Array(this.#fixed.buffer)
    this.#floats = new Float32Array(this.#fixed.buffer)
    this.#ints = new Int32Array(this.#fixed.buffer)
    this.#kinds = Uint8Array.from(layout.features, ({ type }) => kindOf(type.name))
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
    const kind = this.#kinds[position]!
    if (kind === INT64) return this.setInt64Halves(position, lowHalf(value), highHalf(value))
    const number = numberOf(value)
    // A NaN is the one number that differs from itself.
    if (number !== number && kind >= FLOAT) return this.setNull(position)
    if (kind === FLOAT) this.#floats[slot >> 2] = number
    else if (kind === DOUBLE) this.#doubles[slot >> 3] = number
    else if (kind === INT32) this.#ints[slot >> 2] = number
    else this.#fixed[slot] = number
    this.#decide(position, PRESENT)
  }

  /** INT64 or UNIX_TIMESTAMP as the two words that a BigInt64Array's buffer holds. */
  setInt64Halves(position: number, low: number, high: number): void {
    const slot = this.layout.slots[position]! >> 2
    this.#ints[slot] = low
    this.#ints[slot + 1] = high
    this.#decide(position, PRESENT)
  }

  /** STRING, JSON, UUID, TIME_UUID, DECIMAL. */
  setText(position: number, text: string): void {
    const start = this.#reserve(text.length * 3)
    this.#keep(position, start, this.#writeText(text, start))
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
    const bytes = ordered.length * type.heapAlign
    const start = this.#reserve(bytes)
    if (element === 'BOOL') {
      for (let place = 0; place < bytes; place++) this.#heap[start + place] = ordered[place] ? 1 : 0
    } else this.#heapWords.write(start, element, ordered as ArrayLike<number | bigint>) // no others
    this.#keep(position, start, bytes)
  }

  /** Bytes that `finish` will write: room for so many has to be in its target. */
  get byteLength(): number {
    return this.layout.fixedBytes + pad8(this.#heapBytes)
  }

  /** Writes the row at `start`, a multiple of 8, and returns its bytes, a multiple of 8. */
  finish(target: Uint8Array, start: number): number {
    const rowBytes = this.byteLength
    if (rowBytes > ROW_BYTES_MAX) throw tooLarge(rowBytes)
    const { heapOrder, slots, fixedBytes } = this.layout
    const heapStart = start + fixedBytes
    let end = 0
    for (let place = 0; place < heapOrder.length; place++) {
      const position = heapOrder[place]!
      const bytes = this.#valueBytes[position]!
      if (bytes > 0) {
        copyBytes(this.#heap, this.#valueStarts[position]!, bytes, target, heapStart + end)
        end += bytes
      }
      this.#ints[slots[position]! >> 2] = end
    }
    target.set(this.#fixed, start)
    for (let at = heapStart + end; at < start + rowBytes; at++) target[at] = 0
    return rowBytes
  }

  /** Short ASCII texts by hand: a call of the encoder costs as much as 50 characters. */
  #writeText(text: string, start: number): number {
    const length = text.length
    const byHand = length <= SHORT_TEXT_UNITS_MAX ? length : 0
    let place = 0
    for (; place < byHand; place++) {
      const unit = text.charCodeAt(place)
      if (unit > 0x7f) break
      this.#heap[start + place] = unit
    }
    if (place === length) return length
    return utf8Encoder.encodeInto(text, this.#heap.subarray(start)).written
  }

  #decide(position: number, presence: number): void {
    const at = this.layout.presenceStart + (position >> 2)
    const shift = 2 * (position & 3)
    this.#fixed[at] = (this.#fixed[at]! & ~(3 << shift)) | (presence << shift)
    if (this.layout.times) this.#doubles[position] = this.#timeUs
  }

  /** A multiple of 8, so that words can be written there. */
  #reserve(bytes: number): number {
    // Three bytes at most for each unit of a text: more can't become a row, and must not fill memory.
    if (bytes > 3 * ROW_BYTES_MAX) throw tooLarge(bytes)
    const start = pad8(this.#heapUsed)
    const needed = pad8(start + bytes)
    if (needed > this.#heap.length) {
      this.#heap = grown(this.#heap, new Uint8Array(Math.max(needed, this.#heap.length * 2)))
      this.#heapWords = new HeapWords(this.#heap.buffer)
    }
    return start
  }

  #keep(position: number, start: number, bytes: number): void {
    this.#heapBytes += bytes - this.#valueBytes[position]!
    this.#valueStarts[position] = start
    this.#valueBytes[position] = bytes
    this.#heapUsed = start + bytes
    this.#decide(position, PRESENT)
    if (this.byteLength > ROW_BYTES_MAX) throw tooLarge(this.byteLength)
  }

  #dropHeapValue(position: number): void {
    this.#heapBytes -= this.#valueBytes[position]!
    this.#valueBytes[position] = 0
  }
}

const tooLarge = (bytes: number): Fault =>
  new Fault('too_large', `row has ${bytes} bytes`, { allowed: `${ROW_BYTES_MAX} bytes a row` })

/** A view and a `set` cost as much as copying this many bytes one by one. */
const SHORT_COPY_BYTES_MAX = 32

function copyBytes(
  source: Uint8Array,
  from: number,
  bytes: number,
  target: Uint8Array,
  at: number,
): void {
  if (bytes > SHORT_COPY_BYTES_MAX) target.set(source.subarray(from, from + bytes), at)
  else for (let place = 0; place < bytes; place++) target[at + place] = source[from + place]!
}

const canonicalElements = (
  element: ValueTypeName,
  values: ArrayLike<number | bigint | boolean>,
): ArrayLike<number | bigint | boolean> =>
  element === 'BOOL'
    ? canonicalBooleans(Array.from(values, Boolean))
    : canonicalNumbers(element, values as ArrayLike<number | bigint>) // no booleans in others
