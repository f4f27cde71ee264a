/** What the writer knows of an open log: its segments, its index, and the counts kept beside them. */
import { TABLES_MAX } from '../../base/limits.ts'
import type { Layout } from '../../row/layout.ts'
import { decodeLayout } from '../../row/layout.ts'
import type { Disk } from './disk.ts'
import { IndexWriter } from './index-writer.ts'
import type { LogView } from './log-entry.ts'
import {
  KIND_TOMBSTONE,
  TOUCH_BYTES,
  entryBytesOf,
  kindOf,
  sequenceOf,
  tableOf,
  timeOf,
} from './log-entry.ts'
import type { LogSizes } from './log-sizes.ts'
import { slotOf, wordOf } from './segment.ts'
import { SegmentMap } from './segment-map.ts'
import type { Segment } from './segments.ts'
import { Segments } from './segments.ts'
import type { StoreIdentity } from './store-identity.ts'
import type { Tables } from './tables.ts'
import { layoutBytesOf } from './tables.ts'

export type StorePlace = {
  readonly disk: Disk
  readonly directory: string
  readonly identity: StoreIdentity
  readonly sizes: LogSizes
}

/** One for each thing that can happen, since the store was opened. */
export type LogCounters = {
  groups: number
  groupsFailed: number
  syncs: number
  entriesCopied: number
  touchesCopied: number
  tombstonesDropped: number
  segmentsMade: number
  segmentsRetired: number
  shardsGrown: number
  compactionsFailed: number
  /** Segments in which compaction or the idle check met an entry that is not what was written. */
  damagesFound: number
  /** At open: torn tails cut off and bytes in them, snapshots and hints that could not be used. */
  tailsDropped: number
  tailBytesDropped: number
  snapshotsIgnored: number
  /** At the end: snapshots that could not be written, and are not needed. */
  snapshotsFailed: number
}

const NO_COUNTS: LogCounters = {
  groups: 0,
  groupsFailed: 0,
  syncs: 0,
  entriesCopied: 0,
  touchesCopied: 0,
  tombstonesDropped: 0,
  segmentsMade: 0,
  segmentsRetired: 0,
  shardsGrown: 0,
  compactionsFailed: 0,
  damagesFound: 0,
  tailsDropped: 0,
  tailBytesDropped: 0,
  snapshotsIgnored: 0,
  snapshotsFailed: 0,
}

export class LogState {
  readonly place: StorePlace
  readonly segments = new Segments()
  /** The writer thread's own mappings. */
  readonly map: SegmentMap
  readonly counters: LogCounters = { ...NO_COUNTS }
  index = new IndexWriter()
  tables: Tables
  /** The last sequence number given out. */
  lastSequence = 0
  /** Current rows of each table. */
  readonly rows = new Float64Array(TABLES_MAX + 1)
  tombstones = 0
  /** Index entries whose time is later than their log entry's: each needs a touch in the log. */
  touched = 0
  /** Called before anything on the disk changes: an index snapshot must be gone by then. */
  beforeChange: () => void = () => undefined
  readonly #layouts: Layout[] = []

  constructor(place: StorePlace, tables: Tables) {
    this.place = place
    this.tables = tables
    const { directory, identity } = place
    this.map = new SegmentMap(
      place.disk,
      { directory, storeId: identity.storeId },
      this.segments.slots,
    )
  }

  /** The decoded layout of a number that rows in the log bear. */
  layout(number: number): Layout {
    const known = this.#layouts[number]
    if (known !== undefined) return known
    const made = decodeLayout(layoutBytesOf(this.tables, number))
    this.#layouts[number] = made
    return made
  }

  /** An entry became what the index names. */
  credit(segment: Segment, view: LogView, at: number): void {
    const bytes = entryBytesOf(view.words, at)
    segment.liveBytes += bytes
    if (kindOf(view.words, at) !== KIND_TOMBSTONE) {
      this.rows[tableOf(view.words, at)]!++
      return
    }
    this.tombstones++
    segment.tombstoneBytes += bytes
    segment.tombstoneTimeMaxUs = Math.max(segment.tombstoneTimeMaxUs, timeOf(view.doubles, at))
    segment.tombstoneSequenceMax = Math.max(
      segment.tombstoneSequenceMax,
      sequenceOf(view.doubles, at),
    )
  }

  /** The entry at a location, with this time in the index, is no longer what the index names. */
  debit(location: number, indexTimeUs: number): void {
    const segment = this.segments.in(slotOf(location))!
    const view = this.map.view(segment.slot)
    const at = wordOf(location)
    const bytes = entryBytesOf(view.words, at)
    segment.liveBytes -= bytes
    if (indexTimeUs > timeOf(view.doubles, at)) this.touched--
    if (kindOf(view.words, at) !== KIND_TOMBSTONE) {
      this.rows[tableOf(view.words, at)]!--
      return
    }
    this.tombstones--
    segment.tombstoneBytes -= bytes
  }

  /** Bytes of the log, and those that current rows, tombstones and touches need. */
  bytes(): { readonly log: number; readonly live: number } {
    let log = 0
    let live = this.touched * TOUCH_BYTES
    for (const segment of this.segments.all()) {
      if (segment.isDamaged) continue
      log += segment.end
      live += segment.liveBytes
    }
    return { log, live }
  }
}
