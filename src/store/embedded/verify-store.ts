/**
 * Checks that log, index and served values say the same: every group is read, the index is made anew
 * from the log, and each of its entries is asked for as a request would ask. Works on a store that
 * refuses to open, and changes nothing.
 */
import { Fault } from '../../base/fault.ts'
import { FOUND, MISSING, ReadBatch } from '../read-batch.ts'
import type { Disk } from './disk.ts'
import { EmbeddedReader } from './embedded-reader.ts'
import { loadSnapshot } from './index-snapshot.ts'
import { SHARDS } from './index-writer.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  KIND_ROW,
  keyBytesOf,
  kindOf,
  layoutOf,
  rowBytesOf,
  rowWordOf,
  tableOf,
} from './log-entry.ts'
import { LogReplay } from './log-replay.ts'
import type { LogSizes } from './log-sizes.ts'
import type { StorePlace } from './log-state.ts'
import { LogState } from './log-state.ts'
import type { Manifest } from './manifest.ts'
import { readManifest } from './manifest.ts'
import type { Damage, FoundSegment } from './open-log.ts'
import { addSegments, findSegments, readGroups } from './open-log.ts'
import { unlistedSegments } from './open-store.ts'
import { LOCATION_REMOVED, segmentName, slotOf, wordOf } from './segment.ts'
import { sharedIndexOf } from './shared-index.ts'
import type { StoreIdentity } from './store-identity.ts'
import { readIdentity } from './store-identity.ts'
import type { Tables } from './tables.ts'
import { readTables } from './tables.ts'

export type VerifyReport = {
  readonly damages: readonly Damage[]
  /** What an interrupted run left and the next open takes away: not damage. */
  readonly notes: readonly string[]
  readonly segments: number
  readonly rows: number
  readonly tombstones: number
}

/** Keys asked for at once. */
const BATCH_KEYS = 256

/** The small files of a store, as far as they can be read. */
type Files = {
  readonly identity: StoreIdentity
  readonly tables: Tables
  readonly manifest: Manifest
}

/** A store that no process has open. */
export function verifyDirectory(disk: Disk, directory: string, sizes: LogSizes): VerifyReport {
  const damages: Damage[] = []
  const notes: string[] = []
  const files = readFiles(disk, directory, damages)
  if (files === undefined) return { damages, notes, segments: 0, rows: 0, tombstones: 0 }
  const place = { disk, directory, identity: files.identity, sizes }
  const { state, found } = replay(place, files, damages, notes)
  for (const { name, isDamage } of unlistedSegments(place, files.manifest)) {
    if (isDamage) damages.push({ file: name, offset: 0, what: 'not listed, and holds a group' })
    else notes.push(`${name} is a leftover`)
  }
  const snapshot = new LogState(place, files.tables)
  const isServed = loadSnapshot(snapshot, files.manifest, found)
  if (snapshot.counters.snapshotsIgnored > 0) notes.push('the index snapshot does not fit')
  if (isServed) compareCounts(state, snapshot, damages)
  compareServed(state, isServed ? snapshot : state, damages)
  const report = reportOf(state, damages, notes)
  // A snapshot that was loaded holds these mappings too: they are given back once.
  state.map.unmapAll()
  return report
}

/** A store that this thread has open: between two groups. */
export function verifyState(live: LogState): VerifyReport {
  const damages: Damage[] = []
  const notes: string[] = []
  const { disk, directory } = live.place
  const files = readFiles(disk, directory, damages)
  if (files === undefined) return reportOf(live, damages, notes)
  const { state } = replay(live.place, files, damages, notes)
  compareCounts(state, live, damages)
  compareServed(state, live, damages)
  const report = reportOf(live, damages, notes)
  state.map.unmapAll()
  return report
}

const reportOf = (state: LogState, damages: Damage[], notes: string[]): VerifyReport => ({
  damages,
  notes,
  segments: state.segments.count,
  rows: state.rows.reduce((sum, rows) => sum + rows, 0),
  tombstones: state.tombstones,
})

function readFiles(disk: Disk, directory: string, damages: Damage[]): Files | undefined {
  const identity = attempt(() => readIdentity(disk, directory), 'STORE', damages)
  const tables = attempt(() => readTables(disk, directory), 'TABLES', damages)
  const manifest = attempt(() => readManifest(disk, directory), 'SEGMENTS', damages)
  if (identity === undefined || tables === undefined || manifest === undefined) return undefined
  return { identity, tables, manifest }
}

/** What is wrong with a small file is a damage like any other. */
function attempt<T>(read: () => T, file: string, damages: Damage[]): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    damages.push({ file, offset: 0, what: error.message })
    return undefined
  }
}

/** The state that the groups of the log make, those behind a damaged place included. */
function replay(
  place: StorePlace,
  { tables, manifest }: Files,
  damages: Damage[],
  notes: string[],
): { state: LogState; found: FoundSegment[] } {
  const state = new LogState(place, tables)
  const found = findSegments(place, manifest, damages)
  const segments = addSegments(state, found)
  const log = new LogReplay(state)
  found.forEach((each, at) => {
    const segment = segments[at]!
    const take = (start: number, count: number) => {
      const file = segmentName(segment.id)
      attempt(() => log.add(segment, each.view, start, count), file, damages)
    }
    segment.end = readGroups(each, take, damages).end
    const isOpen = each.listed.end === undefined
    if (isOpen && each.dataEnd > segment.end) {
      notes.push(`${segmentName(segment.id)} has a torn tail at offset ${segment.end}`)
    }
  })
  log.finish()
  return { state, found }
}

function compareCounts(log: LogState, served: LogState, damages: Damage[]): void {
  if (damages.length > 0) return // what can't be read of the log is missing in its counts too
  const compare = (what: string, inLog: number, inIndex: number) => {
    if (inLog === inIndex) return
    const difference = `the index counts ${inIndex} ${what}, the log has ${inLog}`
    damages.push({ file: 'index', offset: 0, what: difference })
  }
  compare('entries', log.index.entries, served.index.entries)
  compare('tombstones', log.tombstones, served.tombstones)
  compare('touched rows', log.touched, served.touched)
  for (const { table, isDropped } of log.tables.tables) {
    if (!isDropped) compare(`rows of table ${table}`, log.rows[table]!, served.rows[table]!)
  }
}

/** Asks for every key that the log has, and compares the answers with the log's own entries. */
function compareServed(log: LogState, served: LogState, damages: Damage[]): void {
  const reader = new EmbeddedReader(sharedIndexOf(served), served.place.disk)
  const batch = new ReadBatch(BATCH_KEYS, 64 * BATCH_KEYS, 256 * BATCH_KEYS)
  const asked: { location: number; timeUs: number }[] = []
  const check = () => {
    reader.readMany(batch)
    asked.forEach((entry, at) => compareAnswer(log, entry, batch, at, damages))
    asked.length = 0
    batch.reset()
  }
  for (let shard = 0; shard < SHARDS; shard++) {
    const table = log.index.shards[shard]!
    for (let slot = 0; slot < table.capacity; slot++) {
      const location = table.location(slot)
      if (location >>> 0 <= LOCATION_REMOVED) continue
      ask(log, location, batch)
      if (asked.push({ location, timeUs: table.time(slot) }) === BATCH_KEYS) check()
    }
  }
  check()
  reader.close()
}

function ask(log: LogState, location: number, batch: ReadBatch): void {
  const { bytes, words } = log.map.view(slotOf(location))
  const at = wordOf(location)
  const keyBytes = keyBytesOf(words, at)
  const from = (at + BODY_WORD) * 4
  const to = batch.reserveKey(keyBytes)
  batch.keys.set(bytes.subarray(from, from + keyBytes), to)
  batch.commitKey(tableOf(words, at), keyBytes)
}

function compareAnswer(
  log: LogState,
  { location, timeUs }: { location: number; timeUs: number },
  batch: ReadBatch,
  place: number,
  damages: Damage[],
): void {
  const view = log.map.view(slotOf(location))
  const at = wordOf(location)
  const what = differenceTo(view, at, timeUs, batch, place)
  if (what === '') return
  const id = log.segments.slots.id(slotOf(location))
  damages.push({ file: segmentName(id), offset: at * 4, what })
}

function differenceTo(
  { bytes, words }: LogView,
  at: number,
  timeUs: number,
  batch: ReadBatch,
  place: number,
): string {
  const isRow = kindOf(words, at) === KIND_ROW
  if (batch.states[place] !== (isRow ? FOUND : MISSING)) {
    return `${isRow ? 'a row' : 'a deleted key'} is answered with state ${batch.states[place]}`
  }
  if (!isRow) return ''
  if (batch.times[place] !== timeUs) return `a row is served with the time ${batch.times[place]}`
  if (batch.layouts[place] !== layoutOf(words, at)) return 'a row is served with another layout'
  const logStart = rowWordOf(words, at) * 4
  const inLog = bytes.subarray(logStart, logStart + rowBytesOf(words, at))
  const start = batch.rowStarts[place]!
  const answered = batch.rows.subarray(start, start + batch.rowBytes[place]!)
  return Buffer.compare(inLog, answered) === 0 ? '' : 'a row is served with other bytes'
}
