/** Reads values out of the bytes of a row (row/format.md). Never looks outside the row. */
import { Fault } from '../base/fault.ts'
import { int64Of } from '../base/int64.ts'
import { ROW_BYTES_MAX } from '../base/limits.ts'
import { utf8Decoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { decodeMessage } from './composite.ts'
import type { Layout } from './layout.ts'
import { ABSENT, NULL, PRESENT, presenceAt, writeEmptySlot } from './layout.ts'

/** Eight bytes of a row, read as a number: bytes may lie in any buffer, at any offset. */
const word = new Uint8Array(8)
const wordFloat32 = new Float32Array(word.buffer)
const wordFloat64 = new Float64Array(word.buffer)
const wordInt32 = new Int32Array(word.buffer)
const wordUint32 = new Uint32Array(word.buffer)

function loadWord(bytes: Uint8Array, at: number, count: number): void {
  for (let place = 0; place < count; place++) word[place] = bytes[at + place]!
}

function loadUint32(bytes: Uint8Array, at: number): number {
  loadWord(bytes, at, 4)
  return wordUint32[0]!
}

/** Where a heap feature's value begins, counted from the start of the heap. Not checked. */
export function heapStart(
  layout: Layout,
  bytes: Uint8Array,
  rowStart: number,
  position: number,
): number {
  const before = layout.endsBefore[position]!
  return before < 0 ? 0 : loadUint32(bytes, rowStart + before)
}

/** Where a heap feature's value ends, counted from the start of the heap. Not checked. */
export const heapEnd = (
  layout: Layout,
  bytes: Uint8Array,
  rowStart: number,
  position: number,
): number => loadUint32(bytes, rowStart + layout.slots[position]!)

/**
 * A feature's plain value (plain-forms.ts): undefined where it is absent. Texts and bytes are
 * copied out. A row that does not hold together is a Fault.
 */
export function readValue(
  layout: Layout,
  bytes: Uint8Array,
  rowStart: number,
  rowBytes: number,
  position: number,
): PlainValue | undefined {
  if (rowBytes < layout.fixedBytes || rowStart + rowBytes > bytes.length) {
    throw damagedRow(layout, position)
  }
  const presence = presenceAt(layout, bytes, rowStart, position)
  if (presence === ABSENT) return undefined
  if (presence === NULL) return null
  const { type } = layout.features[position]!
  if (type.slotBytes > 0) return readNumber(type.name, bytes, rowStart + layout.slots[position]!)
  const start = heapStart(layout, bytes, rowStart, position)
  const end = heapEnd(layout, bytes, rowStart, position)
  if (start > end || end > rowBytes - layout.fixedBytes) throw damagedRow(layout, position)
  const heap = rowStart + layout.fixedBytes
  return readHeapValue(type, bytes.subarray(heap + start, heap + end))
}

/** The time of a feature in a layout with times: when it was last decided. */
export function readTime(bytes: Uint8Array, rowStart: number, position: number): number {
  loadWord(bytes, rowStart + 8 * position, 8)
  return wordFloat64[0]!
}

function readNumber(
  name: ValueTypeName | '',
  bytes: Uint8Array,
  at: number,
): number | bigint | boolean {
  switch (name) {
    case 'BOOL':
      return bytes[at] !== 0
    case 'FLOAT':
      loadWord(bytes, at, 4)
      return wordFloat32[0]!
    case 'INT32':
      loadWord(bytes, at, 4)
      return wordInt32[0]!
    case 'DOUBLE':
      loadWord(bytes, at, 8)
      return wordFloat64[0]!
    default:
      loadWord(bytes, at, 8)
      return int64Of(wordUint32[0]!, wordInt32[1]!)
  }
}

/** The plain value of a heap feature's bytes. Copies: nothing of `value` is kept. */
export function readHeapValue(type: ValueType, value: Uint8Array): PlainValue {
  switch (type.heapForm) {
    case 'text':
      return utf8Decoder.decode(value)
    case 'raw':
      return value.slice()
    case 'message':
      return decodeMessage(type, value)
    default:
      return readPacked(type, value)
  }
}

function readPacked(type: ValueType, value: Uint8Array): PlainValue {
  const width = type.heapAlign
  if (value.length % width !== 0) {
    throw new Fault('store_damaged', `a ${type.name} of ${value.length} bytes`)
  }
  const elements: PlainValue[] = []
  for (let at = 0; at < value.length; at += width) {
    elements.push(readNumber(type.element, value, at))
  }
  return elements
}

const damagedRow = (layout: Layout, position: number): Fault =>
  new Fault('store_damaged', 'a stored row does not hold together', {
    where: layout.features[position]!.name,
  })

/**
 * True if the row is one that a RowWriter of this layout could have written, but for the inside of
 * texts and messages: for rows that come from outside, once.
 */
export function checkRow(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  rowBytes: number,
): boolean {
  if (rowBytes < layout.fixedBytes || rowBytes > ROW_BYTES_MAX || rowBytes % 8 !== 0) return false
  if (start + rowBytes > bytes.length) return false
  const row = new DataView(bytes.buffer, bytes.byteOffset + start, rowBytes)
  return hasSlots(layout, row) && hasPadding(layout, row) && hasHeap(layout, row)
}

function hasSlots(layout: Layout, row: DataView): boolean {
  for (let position = 0; position < layout.features.length; position++) {
    if (layout.times && Number.isNaN(row.getFloat64(8 * position, true))) return false
    const presence = presenceOf(layout, row, position)
    if (presence > PRESENT) return false
    const { type } = layout.features[position]!
    if (type.slotBytes > 0 && !hasSlot(type, row, layout.slots[position]!, presence)) return false
  }
  return true
}

const presenceOf = (layout: Layout, row: DataView, position: number): number =>
  (row.getUint8(layout.presenceStart + (position >> 2)) >> (2 * (position & 3))) & 3

const emptySlot = new DataView(new ArrayBuffer(8))

function hasSlot(type: ValueType, row: DataView, slot: number, presence: number): boolean {
  if (presence === PRESENT) {
    if (type.name === 'BOOL') return row.getUint8(slot) <= 1
    if (type.name === 'FLOAT') return !Number.isNaN(row.getFloat32(slot, true))
    return type.name !== 'DOUBLE' || !Number.isNaN(row.getFloat64(slot, true))
  }
  writeEmptySlot(emptySlot, 0, type)
  for (let place = 0; place < type.slotBytes; place++) {
    if (row.getUint8(slot + place) !== emptySlot.getUint8(place)) return false
  }
  return true
}

/** The bits and bytes between part P and the heap that belong to no feature. */
function hasPadding(layout: Layout, row: DataView): boolean {
  const spare = layout.features.length & 3
  const presenceEnd = layout.presenceStart + layout.presenceBytes
  if (spare > 0 && row.getUint8(presenceEnd - 1) >> (2 * spare) !== 0) return false
  const ends = layout.heapOrder.length
  const endsStart = ends === 0 ? layout.fixedBytes : layout.slots[layout.heapOrder[0]!]!
  return isZero(row, presenceEnd, endsStart) && isZero(row, endsStart + 4 * ends, layout.fixedBytes)
}

function hasHeap(layout: Layout, row: DataView): boolean {
  let end = 0
  for (const position of layout.heapOrder) {
    const start = end
    end = row.getUint32(layout.slots[position]!, true)
    if (end < start || end > row.byteLength - layout.fixedBytes) return false
    if (end > start && presenceOf(layout, row, position) !== PRESENT) return false
    if ((end - start) % layout.features[position]!.type.heapAlign !== 0) return false
  }
  const heapEndAt = layout.fixedBytes + end
  return row.byteLength - heapEndAt < 8 && isZero(row, heapEndAt, row.byteLength)
}

function isZero(row: DataView, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (row.getUint8(at) !== 0) return false
  return true
}
