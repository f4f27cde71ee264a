/** A segment's header, its name, and the locations of what lies in it (log-format.md). */
import { crc32 } from 'node:zlib'

export const SEGMENT_HEADER_BYTES = 64

/** Entries start at multiples of this, so that a 32-bit location can name 128 GiB. Do not change. */
export const UNIT_BYTES = 32
const UNITS_PER_SLOT_BITS = 21
const UNIT_MASK = (1 << UNITS_PER_SLOT_BITS) - 1

/** Index entries that name no log entry. Do not change. */
export const LOCATION_EMPTY = 0
export const LOCATION_REMOVED = 1

const MAGIC = 0x5356_4c53
export const LOG_FORMAT = 1

export const STORE_ID_BYTES = 16

export type SegmentHeader = {
  readonly id: number
  readonly slot: number
  readonly storeId: Uint8Array
  /** 0 for new entries; for copies made by compaction, the last sequence when it was begun. */
  readonly horizon: number
  readonly fileBytes: number
}

/**
 * Where the checksums of a segment's entries begin. The store's id is random: nobody who only writes values
 * can make bytes that pass for an entry, and neither can what another file left in the same blocks.
 */
export function checksumSeedOf(storeId: Uint8Array, segmentId: number): number {
  const seeded = new Uint8Array(STORE_ID_BYTES + 4)
  seeded.set(storeId)
  new DataView(seeded.buffer).setUint32(STORE_ID_BYTES, segmentId, true)
  return crc32(seeded) | 0
}

/** Locations are signed 32-bit numbers, as they stand in an Int32Array. */
export const locationOf = (slot: number, offset: number): number =>
  (slot << UNITS_PER_SLOT_BITS) | (offset / UNIT_BYTES)

export const slotOf = (location: number): number => location >>> UNITS_PER_SLOT_BITS

/** Index of an entry's first 32-bit word in its segment. */
export const wordOf = (location: number): number => (location & UNIT_MASK) * (UNIT_BYTES / 4)

export const segmentName = (id: number): string => `${id.toString(16).padStart(8, '0')}.seg`

/** The id in a segment's file name; undefined for another file. */
export function parseSegmentName(name: string): number | undefined {
  return /^[0-9a-f]{8}\.seg$/.test(name) ? Number.parseInt(name.slice(0, 8), 16) : undefined
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, LOG_FORMAT, true)
  view.setUint32(8, header.id, true)
  view.setUint32(12, header.slot, true)
  bytes.set(header.storeId, 16)
  view.setFloat64(32, header.horizon, true)
  view.setUint32(40, header.fileBytes, true)
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true)
  return bytes
}

/** The header, or in words what is wrong with it. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_BYTES) return `only ${bytes.length} bytes are there`
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES)
  if (view.getUint32(60, true) !== crc32(bytes.subarray(0, 60))) return 'header checksum is wrong'
  if (view.getUint32(0, true) !== MAGIC) return 'not a segment of a log'
  const format = view.getUint32(4, true)
  if (format !== LOG_FORMAT) return `segment format ${format} is unknown: a newer version made it`
  return {
    id: view.getUint32(8, true),
    slot: view.getUint32(12, true),
    storeId: bytes.slice(16, 32),
    horizon: view.getFloat64(32, true),
    fileBytes: view.getUint32(40, true),
  }
}
