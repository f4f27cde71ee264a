/** Opens or makes the files of a store and brings its state up, for writing or for reading only. */
import { Fault } from '../../base/fault.ts'
import type { Disk } from './disk.ts'
import { isNoRoom, readWhole, replaceWhole } from './disk.ts'
import { loadSnapshot, removePartial, removeSnapshot, writeSnapshot } from './index-snapshot.ts'
import { GroupReader } from './log-reader.ts'
import type { LogSizes } from './log-sizes.ts'
import type { StorePlace } from './log-state.ts'
import { LogState } from './log-state.ts'
import { mendTail } from './log-tail.ts'
import type { Manifest } from './manifest.ts'
import { NO_SEGMENTS, readManifest, writeManifest } from './manifest.ts'
import type { Damage, SegmentEnd } from './open-log.ts'
import { damagedStore, findSegments, mapSegment, replayLog } from './open-log.ts'
import { parseSegmentName } from './segment.ts'
import type { Segment } from './segments.ts'
import { SegmentRoster } from './segment-roster.ts'
import { createIdentity, readIdentity } from './store-identity.ts'
import { NO_TABLES, readTables, writeTables } from './tables.ts'

/** What an interrupted creation may leave: the directory is still taken for a fresh one. */
const FRESH_NAMES: ReadonlySet<string> = new Set([
  'LOCK',
  'SEGMENTS',
  'SEGMENTS.new',
  'TABLES',
  'TABLES.new',
  'STORE.new',
])

const SETTLED_NAMES = ['SEGMENTS', 'TABLES', 'STORE'] as const

/** True if a store is there, false if one can be made there; else a Fault. */
export function isStore(disk: Disk, directory: string): boolean {
  if (readIdentity(disk, directory) !== undefined) return true
  const other = disk.names(directory)?.find((name) => !FRESH_NAMES.has(name))
  if (other !== undefined) throw notAStore(directory, other)
  return false
}

/** Makes the files of an empty store. */
export function createStore(disk: Disk, directory: string): void {
  writeManifest(disk, directory, NO_SEGMENTS)
  writeTables(disk, directory, NO_TABLES)
  createIdentity(disk, directory)
}

const notAStore = (directory: string, other: string): Fault =>
  new Fault('usage', `the directory is not a store and not empty: it holds ${other}`, {
    where: directory,
    allowed: 'a data directory of Salver, an empty directory, or one that does not exist',
  })

/** The state of a store as its log or a snapshot says. Changes nothing on the disk. */
export function readState(
  disk: Disk,
  directory: string,
  sizes: LogSizes,
): { state: LogState; manifest: Manifest; ends: Map<Segment, SegmentEnd> | undefined } {
  const identity = readIdentity(disk, directory)
  if (identity === undefined) {
    throw new Fault('usage', 'there is no store here', { where: directory })
  }
  const place = { disk, directory, identity, sizes }
  const manifest = readManifest(disk, directory)
  const damages: Damage[] = []
  const found = findSegments(place, manifest, damages)
  if (damages.length > 0) throw damagedStore(directory, damages)
  const state = new LogState(place, readTables(disk, directory))
  if (loadSnapshot(state, manifest, found)) return { state, manifest, ends: undefined }
  return { state, manifest, ends: replayLog(state, manifest, found) }
}

/** The same, made fit to be written to: torn tails mended, leftovers taken away. */
export async function openState(
  disk: Disk,
  directory: string,
  sizes: LogSizes,
): Promise<{ state: LogState; roster: SegmentRoster }> {
  const { state, manifest, ends } = readState(disk, directory, sizes)
  settleFiles(disk, directory)
  removeLeftovers(state.place, manifest)
  const roster = new SegmentRoster(
    state,
    manifest.segments.filter(({ end }) => end !== undefined),
  )
  if (ends !== undefined) {
    removeSnapshot(state)
    await mendOpenSegments(state, roster, ends)
  }
  let hasSnapshot = ends === undefined
  state.beforeChange = () => {
    if (hasSnapshot) removeSnapshot(state)
    hasSnapshot = false
  }
  return { state, roster }
}

/**
 * Makes what this run sees of the small files what a power cut would leave. An earlier run may have ended
 * between a rename and the sync of the directory, or that sync may have failed: then a sync alone may
 * do nothing, and so each is put in its own place once more. Before anything relies on them.
 */
function settleFiles(disk: Disk, directory: string): void {
  try {
    for (const name of SETTLED_NAMES) {
      replaceWhole(disk, directory, name, readWhole(disk, `${directory}/${name}`))
    }
  } catch (error) {
    // A store on a full disk still opens, to be read: what could not be written anew is synced.
    if (!isNoRoom(error)) throw error
    disk.syncDirectory(directory)
  }
}

/**
 * The last thing a store that closes well does. At a full disk it is left out: everything that was
 * acknowledged is in the log, and the next open reads that.
 */
export function saveState(state: LogState): void {
  try {
    state.beforeChange()
    writeSnapshot(state)
  } catch {
    state.counters.snapshotsFailed++
    removePartial(state)
  }
}

/** Segments that were open go on being open if they are the newest of their kind, else end here. */
async function mendOpenSegments(
  state: LogState,
  roster: SegmentRoster,
  ends: ReadonlyMap<Segment, SegmentEnd>,
): Promise<void> {
  const newest = new Map<boolean, Segment>()
  for (const segment of ends.keys()) newest.set(segment.horizon > 0, segment)
  for (const [segment, end] of ends) {
    if (roster.isSealed(segment)) {
      if (end.end < end.dataEnd) dropLost(state, roster, segment, end)
      continue
    }
    await mendTail(state, segment, end)
    if (newest.get(segment.horizon > 0) !== segment) roster.seal(segment, true)
  }
}

/** Groups that were not synced when their segment was sealed, and that a power cut has taken. */
function dropLost(state: LogState, roster: SegmentRoster, segment: Segment, end: SegmentEnd): void {
  state.counters.tailsDropped++
  state.counters.tailBytesDropped += end.dataEnd - end.end
  try {
    roster.shorten(segment)
  } catch (error) {
    // At a full disk the list is right from its next change on; till then no snapshot fits.
    if (!isNoRoom(error)) throw error
  }
}

/** Segment files that the list does not name: retired ones, such that got no group, and damage. */
export function unlistedSegments(
  place: StorePlace,
  manifest: Manifest,
): { readonly name: string; readonly isDamage: boolean }[] {
  const listed = new Set(manifest.segments.map(({ id }) => id))
  const retired = new Set(manifest.retired)
  return (place.disk.names(place.directory) ?? []).flatMap((name) => {
    const id = parseSegmentName(name)
    if (id === undefined || listed.has(id)) return []
    return [{ name, isDamage: !retired.has(id) && holdsGroup(place, id) }]
  })
}

function removeLeftovers(place: StorePlace, manifest: Manifest): void {
  const { disk, directory } = place
  const leftovers = unlistedSegments(place, manifest)
  for (const { name, isDamage } of leftovers) {
    if (isDamage) throw unlisted(directory, name)
    disk.unlink(`${directory}/${name}`)
  }
  if (leftovers.length > 0) disk.syncDirectory(directory)
}

function holdsGroup(place: StorePlace, id: number): boolean {
  const { view, written } = mapSegment(place, id, undefined)
  const isGroup = new GroupReader(written).findWhole(0) > 0
  view.bytes.buffer.transfer(0)
  return isGroup
}

const unlisted = (directory: string, name: string): Fault =>
  damagedStore(directory, [
    { file: name, offset: 0, what: 'a segment with rows that SEGMENTS does not list' },
  ])
