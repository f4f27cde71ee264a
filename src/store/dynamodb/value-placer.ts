/**
 * Puts serialized feast.types.Values into the row under work, one feature after another. Values as
 * any writer makes them are read here, without an object; all others are read and written again by
 * src/row, so that a row's bytes are those that a RowWriter gives.
 */
import { isUtf8 } from 'node:buffer'
import { Fault } from '../../base/fault.ts'
import { grown } from '../../base/grown.ts'
import { ROW_BYTES_MAX } from '../../base/limits.ts'
import type { ValueType } from '../../catalog/value-type.ts'
import { decodeValue } from '../../row/composite.ts'
import type { Layout } from '../../row/layout.ts'
import { NULL, PRESENT, makeLayout } from '../../row/layout.ts'
import { wireTypeOf } from '../../row/proto-wire.ts'
import { RowWriter } from '../../row/row-writer.ts'
import type { RowSpace } from './row-space.ts'
import type { ScanCounters } from './scan-counters.ts'

/** How a feature's usual Value is read. */
export const FLOAT = 0
const DOUBLE = 1
const INT64 = 2
const INT32 = 3
const BOOL = 4
const TEXT = 5
const RAW = 6
const FLOATS = 7
const DOUBLES = 8
const INT64S = 9
const INT32S = 10
const BOOLS = 11
const TEXTS = 12
const PARTS = 13
/** By src/row. */
const OTHER = 14

function kindOf({ name, shape, element, heapForm }: ValueType): number {
  if (name === 'FLOAT') return FLOAT
  if (name === 'DOUBLE') return DOUBLE
  if (name === 'INT64' || name === 'UNIX_TIMESTAMP') return INT64
  if (name === 'INT32') return INT32
  if (name === 'BOOL') return BOOL
  if (heapForm === 'text') return TEXT
  if (heapForm === 'raw') return RAW
  if (shape !== 'list' || element === 'MAP') return OTHER
  if (element === 'FLOAT') return FLOATS
  if (element === 'DOUBLE') return DOUBLES
  if (element === 'INT64' || element === 'UNIX_TIMESTAMP') return INT64S
  if (element === 'INT32') return INT32S
  if (element === 'BOOL') return BOOLS
  return element === 'BYTES' ? PARTS : TEXTS
}

/** Tag of field 1, length-delimited. */
const FIRST_FIELD = 0x0a

/** A type that another is read as (row/format.md); any other makes the feature absent. */
const WIDENED: { readonly [name: string]: string } = { INT32: 'INT64', FLOAT: 'DOUBLE' }

const pad8 = (bytes: number): number => (bytes + 7) & ~7

const NO_ROWS = new Uint8Array(0)
const NO_WORDS = new Uint32Array(0)

export class ValuePlacer {
  readonly #layout: Layout
  readonly #counters: ScanCounters
  /** For each feature: how its usual Value is read, its slot in words of the row, its Value's tag. */
  readonly kinds: Uint8Array
  readonly slotWords: Uint32Array
  readonly #tags: Uint16Array
  /** The row under work. Its arrays are other ones after each `reserveRow`. */
  rows: Uint8Array = NO_ROWS
  words: Uint32Array = NO_WORDS
  start = 0
  /** Heap values in the order of their arrival, each at a multiple of 8. */
  #heap = new Uint8Array(1024)
  #heapWords = new Uint32Array(this.#heap.buffer)
  #heapUsed = 0
  readonly #valueStarts: Uint32Array
  readonly #valueBytes: Uint32Array
  /** Where a varint ended, and its value. */
  #at = 0
  #low = 0
  #high = 0

  constructor(layout: Layout, counters: ScanCounters) {
    this.#layout = layout
    this.#counters = counters
    this.kinds = Uint8Array.from(layout.features, ({ type }) => kindOf(type))
    this.slotWords = layout.slots.map((slot) => slot >> 2)
    this.#tags = Uint16Array.from(layout.features, ({ type }) => type.number * 8 + wireTypeOf(type))
    this.#valueStarts = new Uint32Array(layout.features.length)
    this.#valueBytes = new Uint32Array(layout.features.length)
  }

  /** Begins a row with every feature absent at the end of what the space holds. */
  begin(space: RowSpace): void {
    this.start = space.reserveRow(this.#layout.fixedBytes)
    this.rows = space.rows
    this.words = space.rowWords
    this.rows.set(this.#layout.absentRow, this.start)
    if (this.#layout.heapOrder.length === 0) return
    this.#heapUsed = 0
    this.#valueBytes.fill(0)
  }

  /** Lets go of the rows. */
  close(): void {
    this.rows = NO_ROWS
    this.words = NO_WORDS
  }

  /** A Value in `bytes[0, end)`; where it can't be placed, the feature is absent. */
  place(position: number, bytes: Uint8Array, end: number): void {
    if (end === 0) this.placeNull(position)
    else if (!this.#placeUsual(position, bytes, end)) this.#placeOther(position, bytes, end)
  }

  placeNull(position: number): void {
    this.#empty(position)
    this.#decide(position, NULL)
  }

  placeAbsent(position: number): void {
    this.#empty(position)
    this.#decide(position, 0)
  }

  /** The bits of a FLOAT. */
  placeFloat(position: number, bits: number): void {
    const isNaN = (bits & 0x7fff_ffff) > 0x7f80_0000
    this.words[(this.start >> 2) + this.slotWords[position]!] = isNaN ? 0x7fc0_0000 : bits
    this.#decide(position, PRESENT)
  }

  /**
   * Ends the row, with `timeUs` for each of its features where the layout has times, and returns its
   * bytes; -1 for a row that is larger than rows may be.
   */
  finish(space: RowSpace, timeUs: number): number {
    const { fixedBytes, times, heapOrder } = this.#layout
    if (times) this.#writeTimes(timeUs)
    if (heapOrder.length === 0) return fixedBytes
    let heapBytes = 0
    for (let place = 0; place < heapOrder.length; place++) {
      heapBytes += this.#valueBytes[heapOrder[place]!]!
    }
    const rowBytes = fixedBytes + pad8(heapBytes)
    if (rowBytes > ROW_BYTES_MAX) return -1
    space.reserveRow(pad8(heapBytes))
    this.rows = space.rows
    this.words = space.rowWords
    this.#writeHeap(rowBytes)
    return rowBytes
  }

  #writeHeap(rowBytes: number): void {
    const { fixedBytes, heapOrder } = this.#layout
    const heapStart = this.start + fixedBytes
    const firstWord = this.start >> 2
    let end = 0
    for (let place = 0; place < heapOrder.length; place++) {
      const position = heapOrder[place]!
      const bytes = this.#valueBytes[position]!
      if (bytes > 0) {
        copyBytes(this.#heap, this.#valueStarts[position]!, bytes, this.rows, heapStart + end)
        end += bytes
      }
      this.words[firstWord + this.slotWords[position]!] = end
    }
    for (let at = heapStart + end; at < this.start + rowBytes; at++) this.rows[at] = 0
  }

  #writeTimes(timeUs: number): void {
    timeDouble[0] = timeUs
    const firstWord = this.start >> 2
    const presence = this.start + this.#layout.presenceStart
    for (let position = 0; position < this.kinds.length; position++) {
      if (((this.rows[presence + (position >> 2)]! >> (2 * (position & 3))) & 3) === 0) continue
      this.words[firstWord + 2 * position] = timeWords[0]!
      this.words[firstWord + 2 * position + 1] = timeWords[1]!
    }
  }

  #decide(position: number, presence: number): void {
    const at = this.start + this.#layout.presenceStart + (position >> 2)
    const shift = 2 * (position & 3)
    this.rows[at] = (this.rows[at]! & ~(3 << shift)) | (presence << shift)
  }

  /** As a null's: the name may have stood there twice. */
  #empty(position: number): void {
    const word = (this.start >> 2) + this.slotWords[position]!
    switch (this.kinds[position]) {
      case FLOAT:
        this.words[word] = 0x7fc0_0000
        return
      case DOUBLE:
        this.words[word] = 0
        this.words[word + 1] = 0x7ff8_0000
        return
      case INT64:
        this.words[word + 1] = 0
        this.words[word] = 0
        return
      case INT32:
        this.words[word] = 0
        return
      case BOOL:
        this.rows[this.start + this.#layout.slots[position]!] = 0
        return
      default:
        this.#valueBytes[position] = 0
    }
  }

  /** False, and nothing done, for what has to be looked at more closely. */
  #placeUsual(position: number, bytes: Uint8Array, end: number): boolean {
    const first = bytes[0]!
    const start = first < 0x80 ? 1 : 2
    const tag = first < 0x80 ? first : (first & 0x7f) | (bytes[1]! << 7)
    if (tag !== this.#tags[position] || start > end) return false
    const kind = this.kinds[position]!
    if (kind <= BOOL) return this.#placeNumber(position, kind, bytes, start, end)
    if (kind === OTHER || !this.#varint(bytes, start, end)) return false
    // One part from here to the end, or none that is usual.
    if (this.#high !== 0 || this.#low !== end - this.#at) return false
    return this.#placeHeap(position, kind, bytes, this.#at, end)
  }

  #placeNumber(
    position: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (kind === FLOAT) {
      if (end !== start + 4) return false
      this.placeFloat(position, wordAt(bytes, start))
      return true
    }
    const word = (this.start >> 2) + this.slotWords[position]!
    if (kind === DOUBLE) {
      if (end !== start + 8) return false
      const low = wordAt(bytes, start)
      const high = wordAt(bytes, start + 4)
      const isNaN = isNaNDouble(low, high)
      this.words[word] = isNaN ? 0 : low
      this.words[word + 1] = isNaN ? 0x7ff8_0000 : high
      this.#decide(position, PRESENT)
      return true
    }
    if (!this.#varint(bytes, start, end) || this.#at !== end) return false
    if (kind === BOOL) {
      const isTrue = this.#low !== 0 || this.#high !== 0
      this.rows[this.start + this.#layout.slots[position]!] = isTrue ? 1 : 0
    } else {
      this.words[word] = this.#low
      if (kind === INT64) this.words[word + 1] = this.#high
    }
    this.#decide(position, PRESENT)
    return true
  }

  #placeHeap(
    position: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (kind === RAW || kind === TEXT) {
      if (kind === TEXT && !isText(bytes, start, end)) return false
      this.#keep(position, bytes, start, end)
      return true
    }
    if (kind >= TEXTS) {
      if (!this.#areParts(bytes, start, end, kind === TEXTS)) return false
      this.#keep(position, bytes, start, end)
      return true
    }
    return this.#placeList(position, kind, bytes, start, end)
  }

  /** A heap value that is stored as it comes. */
  #keep(position: number, bytes: Uint8Array, start: number, end: number): void {
    const at = this.#reserve(end - start)
    copyBytes(bytes, start, end - start, this.#heap, at)
    this.#end(position, at, end - start)
  }

  #end(position: number, at: number, bytes: number): void {
    this.#valueStarts[position] = at
    this.#valueBytes[position] = bytes
    this.#heapUsed = at + pad8(bytes)
    this.#decide(position, PRESENT)
  }

  #reserve(bytes: number): number {
    const needed = this.#heapUsed + pad8(bytes)
    if (needed > this.#heap.length) {
      this.#heap = grown(this.#heap, new Uint8Array(pad8(Math.max(needed, this.#heap.length * 2))))
      this.#heapWords = new Uint32Array(this.#heap.buffer)
    }
    return this.#heapUsed
  }

  /** Elements of a message: field 1 alone, each with its length in the shortest form. */
  #areParts(bytes: Uint8Array, start: number, end: number, areTexts: boolean): boolean {
    let at = start
    while (at < end) {
      if (bytes[at] !== FIRST_FIELD || !this.#varint(bytes, at + 1, end)) return false
      const partStart = this.#at
      const length = this.#low
      if (this.#high !== 0 || length > end - partStart) return false
      if (partStart - at - 1 !== varintBytes(length)) return false
      if (areTexts && !isText(bytes, partStart, partStart + length)) return false
      at = partStart + length
    }
    return true
  }

  /** Packed numbers: one field 1 with all of them, or nothing. */
  #placeList(
    position: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    let from = end
    if (start < end) {
      if (bytes[start] !== FIRST_FIELD || !this.#varint(bytes, start + 1, end)) return false
      if (this.#high !== 0 || this.#low !== end - this.#at) return false
      from = this.#at
    }
    if (kind <= DOUBLES) return this.#placeFixed(position, kind, bytes, from, end)
    const width = kind === INT64S ? 8 : kind === INT32S ? 4 : 1
    const at = this.#reserve((end - from) * width)
    let count = 0
    while (from < end) {
      if (!this.#varint(bytes, from, end)) return false
      from = this.#at
      if (kind === BOOLS) this.#heap[at + count] = this.#low !== 0 || this.#high !== 0 ? 1 : 0
      else {
        const word = (at + count * width) >> 2
        this.#heapWords[word] = this.#low
        if (kind === INT64S) this.#heapWords[word + 1] = this.#high
      }
      count++
    }
    this.#end(position, at, count * width)
    return true
  }

  #placeFixed(
    position: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const width = kind === FLOATS ? 4 : 8
    if ((end - start) % width !== 0) return false
    const at = this.#reserve(end - start)
    copyBytes(bytes, start, end - start, this.#heap, at)
    this.#tidyNaNs(kind, at >> 2, (at + end - start) >> 2)
    this.#end(position, at, end - start)
    return true
  }

  /** Every NaN of the words from `first` to `end` becomes the quiet one (row/format.md). */
  #tidyNaNs(kind: number, first: number, end: number): void {
    const words = this.#heapWords
    if (kind === FLOATS) {
      for (let at = first; at < end; at++) {
        if ((words[at]! & 0x7fff_ffff) > 0x7f80_0000) words[at] = 0x7fc0_0000
      }
      return
    }
    for (let at = first; at < end; at += 2) {
      if (!isNaNDouble(words[at]!, words[at + 1]!)) continue
      words[at] = 0
      words[at + 1] = 0x7ff8_0000
    }
  }

  /** Reads a varint of at most ten bytes at `start`; false for one that is longer or cut short. */
  #varint(bytes: Uint8Array, start: number, end: number): boolean {
    let low = 0
    let high = 0
    let at = start
    for (let shift = 0; at < end && shift < 70; shift += 7) {
      const byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.#at = at
        this.#low = low >>> 0
        this.#high = high | 0
        return true
      }
    }
    return false
  }

  /** What another writer, or another declaration of the feature, has made. */
  #placeOther(position: number, bytes: Uint8Array, end: number): void {
    this.placeAbsent(position)
    const { type } = this.#layout.features[position]!
    try {
      const found = decodeValue(bytes.subarray(0, end))
      if (found.type === 'NULL') this.placeNull(position)
      else if (found.type !== type.name && WIDENED[found.type] !== type.name) {
        this.#counters.valuesOfOtherKind++
      } else if (Number.isNaN(found.value))
        this.#decide(position, PRESENT) // as its slot is
      else {
        const writer = oneFeatureWriter(type)
        writer.begin(0)
        writer.set(0, found.value)
        this.#placeWritten(position, writer)
      }
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown
      this.#counters.valuesUnreadable++ // the feature alone is lost: the row has others
    }
  }

  /** Takes a feature over from the row of it alone. */
  #placeWritten(position: number, writer: RowWriter): void {
    const { layout } = writer
    const room = new Uint8Array(writer.byteLength)
    writer.finish(room, 0)
    if ((room[layout.presenceStart]! & 3) === NULL) return this.placeNull(position)
    const { slotBytes } = layout.features[0]!.type
    if (slotBytes > 0) {
      copyBytes(room, 0, slotBytes, this.rows, this.start + this.#layout.slots[position]!)
      this.#decide(position, PRESENT)
    } else {
      const heapBytes = wordAt(room, layout.slots[0]!)
      this.#keep(position, room, layout.fixedBytes, layout.fixedBytes + heapBytes)
    }
  }
}

const timeDouble = new Float64Array(1)
const timeWords = new Uint32Array(timeDouble.buffer)

const writers = new Map<ValueType, RowWriter>()

function oneFeatureWriter(type: ValueType): RowWriter {
  const known = writers.get(type)
  if (known !== undefined) return known
  const made = new RowWriter(makeLayout([{ name: '', type }], false))
  writers.set(type, made)
  return made
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

function isNaNDouble(low: number, high: number): boolean {
  const size = high & 0x7fff_ffff
  return size > 0x7ff0_0000 || (size === 0x7ff0_0000 && low !== 0)
}

const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at]! > 0x7f) return isUtf8(bytes.subarray(at, end))
  }
  return true
}

/** A view and a `set` cost as much as copying so many bytes one by one. */
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
