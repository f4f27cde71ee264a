/**
 * The index as it was at a clean stop: saves reading the log at the next open. It is gone before
 * anything of the store changes, and what it does not fit is read from the log instead.
 */
import { crc32 } from 'node:zlib'
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts'
import type { DiskFile } from './disk.ts'
import { writeWhole } from './disk.ts'
import { INDEX_ENTRY_BYTES } from './index-memory.ts'
import { IndexWriter, SHARDS } from './index-writer.ts'
import { GroupReader } from './log-reader.ts'
import type { LogState } from './log-state.ts'
import type { Manifest } from './manifest.ts'
import type { FoundSegment } from './open-log.ts'
import type { Segment } from './segments.ts'

export const SNAPSHOT_NAME = 'index.snap'

const MAGIC = 0x5356_4c49
/** A new one with each change of the header, the shards, or how keys are hashed: older files are ignored. */
const SNAPSHOT_FORMAT = 1
/** Magic and the bytes of the header; then the header, then at a multiple of 16 the shards. */
const PREFIX_BYTES = 8
const ALIGNMENT = 16

type SnapshotHeader = {
  readonly format: number
  readonly storeId: string
  readonly lastSequence: number
  readonly tombstones: number
  readonly touched: number
  /** Table and its rows. */
  readonly rows: readonly (readonly [number, number])[]
  /** JSON has no infinities: they are null. */
  readonly segments: readonly Record<keyof Segment, number | boolean | null>[]
  readonly capacities: readonly number[]
  readonly checksum: number
}

type FoundHeader = { readonly header: SnapshotHeader; readonly shardsStart: number }

export function writeSnapshot(state: LogState): void {
  const { disk, directory } = state.place
  const header = encodeCheckedJson(describe(state))
  const file = disk.open(`${directory}/${SNAPSHOT_NAME}`, 'create')
  try {
    const prefix = new Uint8Array(shardsStart(header.length))
    const view = new DataView(prefix.buffer)
    view.setUint32(0, MAGIC, true)
    view.setUint32(4, header.length, true)
    prefix.set(header, PREFIX_BYTES)
    writeWhole(file, prefix, 0)
    let offset = prefix.length
    for (const shard of state.index.shards) {
      const bytes = state.index.bytesOf(shard)
      writeWhole(file, bytes, offset)
      offset += bytes.length
    }
    file.syncNow()
  } finally {
    file.close()
  }
  disk.syncDirectory(directory)
}

/** Takes away what of a snapshot could be written. */
export function removePartial({ place: { disk, directory } }: LogState): void {
  try {
    if (disk.names(directory)?.includes(SNAPSHOT_NAME) !== true) return
    disk.unlink(`${directory}/${SNAPSHOT_NAME}`)
  } catch {
    // It may stay: what does not fit the log is ignored by the next open.
  }
}

/** Durably gone on return. */
export function removeSnapshot(state: LogState): void {
  const { disk, directory } = state.place
  if (disk.names(directory)?.includes(SNAPSHOT_NAME) !== true) return
  disk.unlink(`${directory}/${SNAPSHOT_NAME}`)
  disk.syncDirectory(directory)
}

/** Fills the state from a snapshot that fits the log; false if there is none that does. */
export function loadSnapshot(
  state: LogState,
  manifest: Manifest,
  found: readonly FoundSegment[],
): boolean {
  const { disk, directory } = state.place
  if (disk.names(directory)?.includes(SNAPSHOT_NAME) !== true) return false
  const file = disk.open(`${directory}/${SNAPSHOT_NAME}`, 'read')
  try {
    const read = readHeader(file, state)
    const segments = read?.header.segments.map(decodeSegment) ?? []
    const index =
      read !== undefined && fits(segments, manifest, found) ? readShards(file, read) : undefined
    if (read === undefined || index === undefined) {
      state.counters.snapshotsIgnored++
      return false
    }
    state.index = index
    takeOver(state, read.header, segments)
    for (const { header, view } of found) state.map.adopt(header.slot, view)
    state.segments.skipIds(manifest.lastId)
    return true
  } finally {
    file.close()
  }
}

const shardsStart = (headerBytes: number): number =>
  Math.ceil((PREFIX_BYTES + headerBytes) / ALIGNMENT) * ALIGNMENT

function describe(state: LogState): SnapshotHeader {
  const { shards } = state.index
  const tables = state.tables.tables.map(({ table }) => table)
  return {
    format: SNAPSHOT_FORMAT,
    storeId: state.place.identity.storeId.toHex(),
    lastSequence: state.lastSequence,
    tombstones: state.tombstones,
    touched: state.touched,
    rows: tables.map((table) => [table, state.rows[table]!]),
    segments: [...state.segments.all()],
    capacities: shards.map((shard) => shard.capacity),
    checksum: shards.reduce((crc, shard) => crc32(state.index.bytesOf(shard), crc), 0),
  }
}

function decodeSegment(stored: SnapshotHeader['segments'][number]): Segment {
  const infinite = {
    sequenceMin: stored.sequenceMin ?? Infinity,
    tombstoneTimeMaxUs: stored.tombstoneTimeMaxUs ?? -Infinity,
  }
  // One that was about to go when the store closed is found empty, and goes then.
  return { ...stored, ...infinite, isRetired: false } as Segment // under a checksum
}

function readHeader(file: DiskFile, state: LogState): FoundHeader | undefined {
  const prefix = new Uint8Array(PREFIX_BYTES)
  if (file.read(prefix, 0) < PREFIX_BYTES) return undefined
  const view = new DataView(prefix.buffer)
  const headerBytes = view.getUint32(4, true)
  if (view.getUint32(0, true) !== MAGIC || headerBytes > file.size()) return undefined
  const bytes = new Uint8Array(headerBytes)
  if (file.read(bytes, PREFIX_BYTES) < headerBytes) return undefined
  const header = decodeCheckedJson(bytes) as SnapshotHeader | undefined // under a checksum
  if (header?.format !== SNAPSHOT_FORMAT) return undefined
  if (header.storeId !== state.place.identity.storeId.toHex()) return undefined
  return { header, shardsStart: shardsStart(headerBytes) }
}

/** True if the log is what it was when the snapshot was made: the same segments, and no more groups. */
function fits(
  segments: readonly Segment[],
  manifest: Manifest,
  found: readonly FoundSegment[],
): boolean {
  if (segments.length !== manifest.segments.length) return false
  return segments.every((segment, place) => {
    const each = found[place]
    if (each?.header.id !== segment.id || each.header.slot !== segment.slot) return false
    if (each.listed.end !== undefined) return each.listed.end === segment.end
    return new GroupReader(each.written).read(segment.end) === 0
  })
}

function readShards(
  file: DiskFile,
  { header, shardsStart: start }: FoundHeader,
): IndexWriter | undefined {
  const { capacities, checksum } = header
  const bytes = capacities.reduce((sum, capacity) => sum + capacity * INDEX_ENTRY_BYTES, 0)
  if (capacities.length !== SHARDS || start + bytes !== file.size()) return undefined
  const index = new IndexWriter()
  let offset = start
  let running = 0
  index.restore(capacities, (shardBytes) => {
    offset += file.read(shardBytes, offset)
    running = crc32(shardBytes, running)
  })
  return running === checksum ? index : undefined
}

function takeOver(state: LogState, header: SnapshotHeader, segments: readonly Segment[]): void {
  state.lastSequence = header.lastSequence
  state.tombstones = header.tombstones
  state.touched = header.touched
  for (const [table, rows] of header.rows) state.rows[table] = rows
  // What lies in them was not read: each read checks its entry, until they are all checked.
  for (const segment of segments) state.segments.add(segment, false)
}
