/** Where each feature of a view lies in its rows: the numbers behind row/format.md. */
import type { ValueType } from '../catalog/value-type.ts'
import { valueTypeNamed } from '../catalog/value-type.ts'
import { Fault } from '../base/fault.ts'

export type LayoutFeature = { readonly name: string; readonly type: ValueType }

export type Layout = {
  readonly features: readonly LayoutFeature[]
  /** One event time for each feature, in part T: views with partial writes. */
  readonly times: boolean
  /**
   * For each feature the byte offset, in the row, of its slot; of a heap feature, of its end offset
   * in part O.
   */
  readonly slots: Uint32Array
  /** For each heap feature the byte offset of the end before it in part O, or -1 for the first. */
  readonly endsBefore: Int32Array
  /** Positions of the heap features in heap order. */
  readonly heapOrder: Uint32Array
  /** Byte offset of part P. */
  readonly presenceStart: number
  readonly presenceBytes: number
  /** Bytes up to the heap, a multiple of 8: the whole row if no feature is in the heap. */
  readonly fixedBytes: number
  /** A row in which every feature is absent: `fixedBytes` long. */
  readonly absentRow: Uint8Array
}

const NEVER_DECIDED = -Infinity

const FORMAT = 1

/** Places of the parts A to C for each type that has a slot, in row order. Do not change. */
const SLOT_ORDER = ['DOUBLE', 'INT64', 'UNIX_TIMESTAMP', 'FLOAT', 'INT32', 'BOOL'] as const
const HEAP_ALIGNS = [8, 4, 1] as const

const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to

export function makeLayout(features: readonly LayoutFeature[], times: boolean): Layout {
  const slots = new Uint32Array(features.length)
  const endsBefore = new Int32Array(features.length).fill(-1)
  let offset = times ? 8 * features.length : 0
  for (const name of SLOT_ORDER) {
    features.forEach((feature, position) => {
      if (feature.type.name !== name) return
      slots[position] = offset
      offset += feature.type.slotBytes
    })
  }
  const presenceStart = offset
  const presenceBytes = Math.ceil(features.length / 4)
  offset = roundUp(offset + presenceBytes, 4)
  const heapOrder: number[] = []
  for (const align of HEAP_ALIGNS) {
    features.forEach((feature, position) => {
      if (feature.type.slotBytes !== 0 || feature.type.heapAlign !== align) return
      endsBefore[position] = heapOrder.length === 0 ? -1 : offset - 4
      slots[position] = offset
      heapOrder.push(position)
      offset += 4
    })
  }
  const bare = {
    features: Object.freeze(features.map((feature) => Object.freeze({ ...feature }))),
    times,
    slots,
    endsBefore,
    heapOrder: Uint32Array.from(heapOrder),
    presenceStart,
    presenceBytes,
    fixedBytes: roundUp(offset, 8),
  }
  return Object.freeze({ ...bare, absentRow: makeAbsentRow(bare) })
}

function makeAbsentRow(layout: Omit<Layout, 'absentRow'>): Uint8Array {
  const row = new Uint8Array(layout.fixedBytes)
  const view = new DataView(row.buffer)
  layout.features.forEach((feature, position) => {
    if (layout.times) view.setFloat64(8 * position, NEVER_DECIDED, true)
    writeEmptySlot(view, layout.slots[position]!, feature.type)
  })
  return row
}

/** What the slot of a null or absent feature holds (row/format.md). */
export function writeEmptySlot(row: DataView, slot: number, type: ValueType): void {
  if (type.name === 'FLOAT') row.setUint32(slot, 0x7fc0_0000, true)
  else if (type.name === 'DOUBLE') {
    row.setUint32(slot, 0, true)
    row.setUint32(slot + 4, 0x7ff8_0000, true)
  } else if (type.slotBytes === 8) {
    row.setUint32(slot, 0, true)
    row.setUint32(slot + 4, 0, true)
  } else if (type.slotBytes === 4) row.setUint32(slot, 0, true)
  else if (type.slotBytes === 1) row.setUint8(slot, 0)
}

/** The bytes by which a store knows a layout: equal layouts have equal bytes. */
export function encodeLayout(layout: Layout): Uint8Array {
  const features = layout.features.map((feature) => [feature.name, feature.type.name])
  return new TextEncoder().encode(JSON.stringify({ format: FORMAT, times: layout.times, features }))
}

export function decodeLayout(bytes: Uint8Array): Layout {
  const { format, times, features } = JSON.parse(new TextDecoder().decode(bytes)) as {
    format: number
    times: boolean
    features: [string, string][]
  } // written by encodeLayout and kept under a checksum
  if (format !== FORMAT) throw new Fault('store_damaged', `layout of unknown format ${format}`)
  return makeLayout(
    features.map(([name, typeName]) => {
      const type = valueTypeNamed(typeName)
      if (type === undefined) {
        throw new Fault('store_damaged', `layout with unknown type ${typeName} for ${name}`)
      }
      return { name, type }
    }),
    times,
  )
}

export const ABSENT = 0
export const NULL = 1
export const PRESENT = 2
/** Only in binary replies: the slot holds the declared default. */
export const DEFAULTED = 3

/** The two presence bits of a feature, of a row that starts at `rowStart` of `bytes`. */
export function presenceAt(
  layout: Layout,
  bytes: Uint8Array,
  rowStart: number,
  position: number,
): number {
  const byte = bytes[rowStart + layout.presenceStart + (position >> 2)]!
  return (byte >> (2 * (position & 3))) & 3
}
