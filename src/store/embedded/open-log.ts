/**
 * Opens a log: reads what the SEGMENTS file names, puts it into the index, and says where each segment
 * ends. A torn tail is cut off; damage before acknowledged rows is a Fault that names every place.
 */
import { Fault } from '../../base/fault.ts'
import { BLOCK_BYTES, dataEndOf } from './data-end.ts'
import { GroupReader } from './log-reader.ts'
import { LogReplay } from './log-replay.ts'
import { LogView } from './log-entry.ts'
import type { LogState, StorePlace } from './log-state.ts'
import type { Manifest, ManifestSegment } from './manifest.ts'
import {
  SEGMENT_HEADER_BYTES,
  checksumSeedOf,
  decodeSegmentHeader,
  segmentName,
} from './segment.ts'
import type { SegmentHeader } from './segment.ts'
import type { Segment } from './segments.ts'
import { emptySegment } from './segments.ts'

/** A place where the log is not what was written. */
export type Damage = { readonly file: string; readonly offset: number; readonly what: string }

/** A segment's file: of the mapping only what is in `written` may be looked at before more is written. */
export type MappedSegment = {
  readonly view: LogView
  readonly written: LogView
  /** Byte offset behind the last byte that is not zero; of a sealed segment its end. */
  readonly dataEnd: number
}

/** A segment as it lies on the disk, its header checked. */
export type FoundSegment = {
  readonly listed: ManifestSegment
  readonly header: SegmentHeader
} & MappedSegment

/** Where a segment ends, from where on its groups may be in the page cache only, and where its data ends. */
export type SegmentEnd = {
  readonly unsureStart: number
  readonly end: number
  readonly dataEnd: number
}

/** The segments that the manifest lists; what is wrong with the others goes to `damages`. */
export function findSegments(
  place: StorePlace,
  manifest: Manifest,
  damages: Damage[],
): FoundSegment[] {
  const { disk, directory } = place
  const names = new Set(disk.names(directory))
  const slots = new Set<number>()
  const found: FoundSegment[] = []
  for (const listed of manifest.segments) {
    const file = segmentName(listed.id)
    const damage = (what: string) => damages.push({ file, offset: 0, what })
    if (!names.has(file)) {
      damage('the segment is missing')
      continue
    }
    const mapped = mapSegment(place, listed.id, listed.end)
    const { view, written } = mapped
    const header = decodeSegmentHeader(written.bytes)
    const wrong = typeof header === 'string' ? header : wrongHeader(place, header, listed.id, view)
    if (typeof header === 'string' || wrong !== '') damage(wrong)
    else if (slots.has(header.slot)) damage(`slot ${header.slot} is another segment's`)
    else {
      slots.add(header.slot)
      found.push({ listed, header, ...mapped })
    }
  }
  return found
}

/** An empty file can't be mapped, and has no header either. `end` is known of a sealed segment. */
export function mapSegment(
  { disk, directory, identity }: StorePlace,
  id: number,
  end: number | undefined,
): MappedSegment {
  const path = `${directory}/${segmentName(id)}`
  const file = disk.open(path, 'read')
  try {
    const fileBytes = file.size()
    const dataEnd = end ?? dataEndOf(file, fileBytes)
    const bytes = fileBytes === 0 ? new Uint8Array(0) : disk.map(path)
    const seed = checksumSeedOf(identity.storeId, id)
    const writtenBytes = Math.ceil(dataEnd / BLOCK_BYTES) * BLOCK_BYTES
    const written = new LogView(bytes.subarray(0, writtenBytes), seed)
    return { view: new LogView(bytes, seed), written, dataEnd }
  } finally {
    file.close()
  }
}

function wrongHeader(place: StorePlace, header: SegmentHeader, id: number, view: LogView): string {
  if (header.id !== id) return `the header is that of segment ${header.id}`
  if (Buffer.compare(header.storeId, place.identity.storeId) !== 0) {
    return 'the segment belongs to another store'
  }
  if (header.fileBytes !== view.bytes.length) {
    return `the file has ${view.bytes.length} bytes, ${header.fileBytes} were made`
  }
  return ''
}

/**
 * Reads the groups of a segment and calls `take` for each that counts. The end of a sealed segment is
 * known; that of an open one is where no whole group begins, if nothing acknowledged lies behind it.
 */
export function readGroups(
  { listed, header, written, dataEnd }: FoundSegment,
  take: (start: number, count: number) => void,
  damages: Damage[],
): SegmentEnd {
  const reader = new GroupReader(written)
  const file = segmentName(header.id)
  const sealedAt = listed.end ?? Infinity
  const mustBeWhole = listed.end !== undefined && listed.isSynced !== false
  let start = SEGMENT_HEADER_BYTES
  let lastGroupStart = start
  let unsyncedStart = Infinity
  while (start < sealedAt) {
    const next = reader.read(start)
    if (next > 0) {
      take(start, reader.count)
      lastGroupStart = start
      if (!reader.isSynced) unsyncedStart = Math.min(unsyncedStart, start)
      start = next
      continue
    }
    const { faultOffset: offset, fault: what } = reader
    const behind = mustBeWhole ? reader.findWhole(start) : findSynced(reader, start)
    if (behind === 0 && !mustBeWhole) break
    damages.push({ file, offset, what })
    if (behind === 0) break
    start = behind
  }
  return { unsureStart: Math.min(unsyncedStart, lastGroupStart), end: start, dataEnd }
}

/** The first group from `from` on that was acknowledged after a sync, or 0. */
function findSynced(reader: GroupReader, from: number): number {
  let start = reader.findWhole(from)
  while (start > 0) {
    const next = reader.read(start)
    if (reader.isSynced) return start
    start = reader.findWhole(next)
  }
  return 0
}

/** Fills the state from the log. Returns for each segment where it ends, in the order of their ids. */
export function replayLog(
  state: LogState,
  manifest: Manifest,
  found: readonly FoundSegment[],
): Map<Segment, SegmentEnd> {
  const damages: Damage[] = []
  const segments = addSegments(state, found)
  state.segments.skipIds(manifest.lastId)
  state.index.expect(sum(found.map(entriesAbout)))
  const replay = new LogReplay(state)
  const ends = new Map<Segment, SegmentEnd>()
  found.forEach((each, place) => {
    const segment = segments[place]!
    const { view } = each
    const end = readGroups(each, (start, count) => replay.add(segment, view, start, count), damages)
    segment.end = end.end
    ends.set(segment, end)
  })
  if (damages.length > 0) throw damagedStore(state.place.directory, damages)
  replay.finish()
  state.index.fit()
  return ends
}

/** How many entries a sealed segment may hold, if all its groups are like the first. */
function entriesAbout({ listed, written }: FoundSegment): number {
  if (listed.end === undefined) return 0
  const reader = new GroupReader(written)
  const end = reader.read(SEGMENT_HEADER_BYTES)
  if (end === 0) return 0
  return (reader.count * listed.end) / (end - SEGMENT_HEADER_BYTES)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Makes segments on the disk those of an empty state; where they end is found by reading them. */
export function addSegments(state: LogState, found: readonly FoundSegment[]): Segment[] {
  return found.map(({ header, view }) => {
    const segment = emptySegment({ ...header, end: header.fileBytes })
    state.segments.add(segment, true)
    state.map.adopt(segment.slot, view)
    state.lastSequence = Math.max(state.lastSequence, segment.horizon)
    return segment
  })
}

export function damagedStore(directory: string, damages: readonly Damage[]): Fault {
  const faults = damages.map(
    ({ file, offset, what }) =>
      new Fault('store_damaged', what, { where: `${directory}/${file}, offset ${offset}` }),
  )
  const first = faults[0]!
  const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more places)`
  return new Fault('store_damaged', `the store is damaged: ${first.message}${more}`, {
    where: first.where,
    allowed: 'salver store verify lists every place',
    faults,
  })
}
