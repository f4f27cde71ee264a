/** Rows of one layout rewritten in another: what a changed schema does to stored rows. */
import { Fault } from '../base/fault.ts'
import type { ValueTypeName } from '../catalog/value-type.ts'
import type { Layout } from './layout.ts'
import { ABSENT, NULL, presenceAt } from './layout.ts'
import { heapEnd, heapStart, readTime } from './row-reader.ts'

const pad8 = (bytes: number): number => (bytes + 7) & ~7

/** For each feature of the new layout its position in the old one, or NOWHERE. */
type Mapping = Int32Array
const NOWHERE = -1

const mappings = new WeakMap<Layout, WeakMap<Layout, Mapping>>()

/** A type that another one is read as (row/format.md); others are absent. */
const WIDENED: { readonly [from in ValueTypeName]?: ValueTypeName } = {
  INT32: 'INT64',
  FLOAT: 'DOUBLE',
}

function mappingOf(from: Layout, to: Layout): Mapping {
  const known = mappings.get(from)?.get(to)
  if (known !== undefined) return known
  const made = makeMapping(from, to)
  const ofFrom = mappings.get(from) ?? new WeakMap<Layout, Mapping>()
  mappings.set(from, ofFrom.set(to, made))
  return made
}

function makeMapping(from: Layout, to: Layout): Mapping {
  const places = new Map(from.features.map((feature, position) => [feature.name, position]))
  return Int32Array.from(to.features, ({ name, type }) => {
    const position = places.get(name)
    if (position === undefined) return NOWHERE
    const old = from.features[position]!.type.name
    return old === type.name || WIDENED[old] === type.name ? position : NOWHERE
  })
}

/** Room that `transcodeRow` needs at most for a row of `sourceBytes`. */
export const transcodedBytesMax = (from: Layout, to: Layout, sourceBytes: number): number =>
  to.fixedBytes + pad8(sourceBytes - from.fixedBytes)

/**
 * Rewrites a row of `from` at `targetStart`, a multiple of 8, and returns its bytes. `rowTimeUs` is
 * the row's event time: in a layout with times, the time of every feature that came from a layout
 * without.
 */
export function transcodeRow(
  from: Layout,
  to: Layout,
  source: Uint8Array,
  sourceStart: number,
  sourceBytes: number,
  target: Uint8Array,
  targetStart: number,
  rowTimeUs: number,
): number {
  if (sourceBytes < from.fixedBytes) throw damagedRow()
  const mapping = mappingOf(from, to)
  target.set(to.absentRow, targetStart)
  const room = target.length - targetStart
  const row = new DataView(target.buffer, target.byteOffset + targetStart, room)
  for (let position = 0; position < mapping.length; position++) {
    const old = mapping[position]!
    if (old === NOWHERE) continue
    if (to.times) {
      const timeUs = from.times ? readTime(source, sourceStart, old) : rowTimeUs
      row.setFloat64(8 * position, timeUs, true)
    }
    const presence = presenceAt(from, source, sourceStart, old)
    if (presence === ABSENT) continue
    const at = to.presenceStart + (position >> 2)
    row.setUint8(at, row.getUint8(at) | (presence << (2 * (position & 3))))
    if (presence !== NULL) copySlot(from, to, source, sourceStart, row, old, position)
  }
  const heap = source.subarray(sourceStart + from.fixedBytes, sourceStart + sourceBytes)
  return to.fixedBytes + copyHeap(from, to, source, sourceStart, heap, row, mapping)
}

function copySlot(
  from: Layout,
  to: Layout,
  source: Uint8Array,
  sourceStart: number,
  row: DataView,
  old: number,
  position: number,
): void {
  const { slotBytes, name } = from.features[old]!.type
  const slot = to.slots[position]!
  const at = sourceStart + from.slots[old]!
  if (to.features[position]!.type.slotBytes === slotBytes) {
    for (let place = 0; place < slotBytes; place++) row.setUint8(slot + place, source[at + place]!)
    return
  }
  const narrow = new DataView(source.buffer, source.byteOffset + at, slotBytes)
  if (name === 'FLOAT') row.setFloat64(slot, narrow.getFloat32(0, true), true)
  else row.setBigInt64(slot, BigInt(narrow.getInt32(0, true)), true)
}

/** Writes ends and heap values; returns the bytes of the heap. */
function copyHeap(
  from: Layout,
  to: Layout,
  source: Uint8Array,
  sourceStart: number,
  sourceHeap: Uint8Array,
  row: DataView,
  mapping: Mapping,
): number {
  const heapAt = row.byteOffset + to.fixedBytes
  const heap = new Uint8Array(
    row.buffer,
    heapAt,
    Math.min(row.byteLength - to.fixedBytes, pad8(sourceHeap.length)),
  )
  let end = 0
  for (const position of to.heapOrder) {
    const old = mapping[position]!
    if (old !== NOWHERE) {
      const start = heapStart(from, source, sourceStart, old)
      const stop = heapEnd(from, source, sourceStart, old)
      if (start > stop || stop > sourceHeap.length || end + stop - start > sourceHeap.length) {
        throw damagedRow()
      }
      if (stop > start) heap.set(sourceHeap.subarray(start, stop), end)
      end += stop - start
    }
    row.setUint32(to.slots[position]!, end, true)
  }
  heap.fill(0, end, pad8(end))
  return pad8(end)
}

const damagedRow = (): Fault => new Fault('store_damaged', 'a stored row does not hold together')
