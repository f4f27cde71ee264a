/**
 * A feature of a row as the bytes that Feast keeps of it: a serialized feast.types.Value, no bytes at
 * all for a null. What lies in the heap as a message is in its canonical form, which is Feast's too.
 */
import { grown } from '../../base/grown.ts'
import type { ValueType, ValueTypeName } from '../../catalog/value-type.ts'
import type { Layout } from '../../row/layout.ts'
import { PRESENT, presenceAt } from '../../row/layout.ts'
import { wireTypeOf } from '../../row/proto-wire.ts'
import { heapEnd, heapStart } from '../../row/row-reader.ts'

/** Tag and length of the value, tag and length of its packed elements. */
const HEAD_BYTES_MAX = 2 + 5 + 1 + 5
/** A varint of an element takes at most ten bytes where the row has at least one. */
const GROWTH_MAX = 10

export class ValueBytes {
  readonly #layout: Layout
  /** The Value that was made last: `bytes[0, used)`. */
  bytes = new Uint8Array(256)
  used = 0

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Of a feature that is present or null, in the row that starts at `rowStart` of `row`. */
  make(row: Uint8Array, rowStart: number, position: number): void {
    this.used = 0
    const layout = this.#layout
    if (presenceAt(layout, row, rowStart, position) !== PRESENT) return
    const { type } = layout.features[position]!
    this.#tag(type)
    if (type.slotBytes > 0) {
      this.#number(type.name, row, rowStart + layout.slots[position]!)
      return
    }
    const heap = rowStart + layout.fixedBytes
    const start = heap + heapStart(layout, row, rowStart, position)
    const end = heap + heapEnd(layout, row, rowStart, position)
    this.#reserve(HEAD_BYTES_MAX + GROWTH_MAX * (end - start))
    if (type.heapForm === 'packed') this.#packed(type, row, start, end)
    else this.#delimited(row, start, end)
  }

  #tag(type: ValueType): void {
    this.#varint(type.number * 8 + wireTypeOf(type), 0)
  }

  #number(name: ValueTypeName | '', row: Uint8Array, at: number): void {
    if (name === 'FLOAT') this.#copy(row, at, at + 4)
    else if (name === 'DOUBLE') this.#copy(row, at, at + 8)
    else if (name === 'BOOL') this.bytes[this.used++] = row[at]!
    else {
      const low = wordAt(row, at)
      // A negative integer of 32 bits is written as one of 64.
      this.#varint(low, name === 'INT32' ? low >> 31 : wordAt(row, at + 4))
    }
  }

  /** No elements are no field: the list is there, and empty. */
  #packed(type: ValueType, row: Uint8Array, start: number, end: number): void {
    const mark = this.used
    for (let at = start; at < end; at += type.heapAlign) this.#number(type.element, row, at)
    if (start === end) return this.#varint(0, 0)
    const inner = this.used - mark
    const head = 1 + varintBytes(inner)
    const outer = varintBytes(head + inner)
    this.bytes.copyWithin(mark + outer + head, mark, this.used)
    this.used = mark
    this.#varint(head + inner, 0)
    this.bytes[this.used++] = FIRST_FIELD
    this.#varint(inner, 0)
    this.used += inner
  }

  #delimited(row: Uint8Array, start: number, end: number): void {
    this.#varint(end - start, 0)
    this.#copy(row, start, end)
  }

  #copy(row: Uint8Array, start: number, end: number): void {
    let at = this.used
    if (end - start > COPY_BYTES_MAX) this.bytes.set(row.subarray(start, end), at)
    else for (let from = start; from < end; from++) this.bytes[at++] = row[from]!
    this.used += end - start
  }

  #varint(low: number, high: number): void {
    let rest = low >>> 0
    let more = high >>> 0
    while (more !== 0 || rest > 0x7f) {
      this.bytes[this.used++] = (rest & 0x7f) | 0x80
      rest = ((rest >>> 7) | (more << 25)) >>> 0
      more >>>= 7
    }
    this.bytes[this.used++] = rest
  }

  #reserve(bytes: number): void {
    const needed = this.used + bytes
    if (needed > this.bytes.length) {
      this.bytes = grown(this.bytes, new Uint8Array(Math.max(needed, this.bytes.length * 2)))
    }
  }
}

/** Tag of field 1, length-delimited. */
const FIRST_FIELD = 0x0a

/** A view and a `set` cost as much as copying so many bytes one by one. */
const COPY_BYTES_MAX = 32

const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4

const wordAt = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
