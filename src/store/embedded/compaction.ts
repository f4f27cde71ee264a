/**
 * Gives back the disk space of superseded entries: copies what is live out of the emptiest segments,
 * in bounded steps between commit groups, and lets their files go when no thread reads them any more.
 */
import { COMPACTION_STEP_MS_MAX, TOMBSTONE_RETENTION_US } from '../../base/limits.ts'
import type { AttachedReaders } from './attached-readers.ts'
import { touchEntryBytes } from './group-builder.ts'
import type { GroupPublisher } from './group-publisher.ts'
import type { IndexShard } from './index-shard.ts'
import { KeyHasher } from '../key-hash.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  KIND_ROW,
  KIND_TOMBSTONE,
  KIND_TOUCH,
  TOUCH_BYTES,
  entryBytesOf,
  isBody,
  isHeader,
  keyBytesOf,
  kindOf,
  rowBytesOf,
  sequenceOf,
  tableOf,
  timeOf,
} from './log-entry.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'
import { DROPPED, PendingEntries } from './pending-entries.ts'
import type { SegmentRoster } from './segment-roster.ts'
import { SEGMENT_HEADER_BYTES, locationOf, slotOf, wordOf } from './segment.ts'
import type { Segment } from './segments.ts'

/** Compaction begins when the log is this many times what is live, so that it stays under twice. */
const LOG_PER_LIVE_BEGIN = 1.5
const LOG_PER_LIVE_MAX = 2
/** Beside that, the two segments that are being written. */
const OPEN_SEGMENTS = 2
/** A segment of which less than this share would be won is left as it is. */
const SHARE_WON_MIN = 1 / 16

/** Entries copied between two looks at the clock. */
const CLOCK_ENTRIES = 64

type Touch = { readonly location: number; readonly sequence: number; readonly timeUs: number }

/** What a compaction works with. */
export type CompactionParts = {
  readonly state: LogState
  readonly roster: SegmentRoster
  readonly readers: AttachedReaders
  /** Where copies go, and where new entries go. */
  readonly copies: LogWriter
  readonly entries: LogWriter
  readonly publisher: GroupPublisher
  readonly clock: () => number
}

/** How far a victim is done: the byte offset of an entry, and of a touch entry how many touches. */
type Progress = { readonly offset: number; readonly touches: number }

const AT_START: Progress = { offset: SEGMENT_HEADER_BYTES, touches: 0 }

export class Compaction {
  readonly #parts: CompactionParts
  readonly #hasher: KeyHasher
  #victim: Segment | undefined
  #progress = AT_START
  /** What the step moves out of the victim, and the touches that it tells again. */
  readonly #moves = new PendingEntries()
  #touches: Touch[] = []
  /** Segments whose live entries live elsewhere, by the update that asks readers to unmap them. */
  #retiring: { readonly segment: Segment; readonly askedBy: number }[] = []
  /** Segments to be compacted for whatever they win. */
  #asked: Segment[] = []
  #pins = 0

  constructor(parts: CompactionParts) {
    this.#parts = parts
    this.#hasher = new KeyHasher(parts.state.place.identity.hashSeed)
  }

  /** True if `step` has something to do. */
  isDue(): boolean {
    return this.#hasPassed() || this.#victim !== undefined || this.#choose() !== undefined
  }

  /** True if the log is larger than it may be, and compaction can do something about it. */
  isBehind(): boolean {
    return this.#exceeds(LOG_PER_LIVE_MAX) && this.isDue()
  }

  /** Every sealed segment of now is compacted if it wins anything, in the steps to come. */
  askAll(): void {
    const { roster, state } = this.#parts
    this.#asked = state.segments.all().filter((segment) => roster.isSealed(segment))
  }

  /** True while what was asked for is not done, with the files gone. */
  isAsked(): boolean {
    return this.#asked.length > 0 || this.#victim !== undefined || this.#retiring.length > 0
  }

  /** Files of retired segments stay while they are pinned: a scan goes on reading them. */
  pin(): void {
    this.#pins++
  }

  unpin(): void {
    this.#pins--
  }

  async step(): Promise<void> {
    this.#removePassed()
    if (this.#mustGiveWay(this.#victim)) this.#putOff()
    if (this.#victim === undefined) this.#start(this.#choose())
    const victim = this.#victim
    if (victim === undefined) return
    await this.#copySome(victim)
    if (victim.isDamaged) this.#victim = undefined
    else if (this.#progress.offset >= victim.end) await this.#retire(victim)
  }

  /** The victim comes again later: what of it was moved stays moved. */
  #putOff(): void {
    if (this.#victim !== undefined) this.#asked.push(this.#victim)
    this.#victim = undefined
  }

  #start(victim: Segment | undefined): void {
    this.#asked = this.#asked.filter((asked) => asked !== victim)
    this.#victim = victim
    const isEmpty = victim?.liveBytes === 0 && victim.touches === 0
    this.#progress = isEmpty ? { offset: victim.end, touches: 0 } : AT_START
  }

  /** The segment to compact next: one that is asked for, an empty one, or the emptiest if there is need. */
  #choose(): Segment | undefined {
    const candidates = this.#candidates()
    this.#asked = this.#asked.filter((asked) => (candidates.get(asked) ?? 0) > 0)
    const unsynced = this.#newestUnsynced()
    if (unsynced !== undefined) {
      if (!unsynced.isDamaged) return unsynced
      this.#asked = []
      return undefined
    }
    if (this.#asked.length > 0) return this.#asked[0]
    let best: Segment | undefined
    let bestShare = this.#exceeds(LOG_PER_LIVE_BEGIN) ? SHARE_WON_MIN : 1
    for (const [segment, share] of candidates) {
      if (share < bestShare) continue
      best = segment
      bestShare = share
    }
    return best
  }

  /**
   * The newest segment whose sync failed. A power cut may take what it superseded elsewhere from it, and so
   * nothing else may go before its own entries live in copies that are synced. If it can't be read, nothing
   * goes: the next open finds out what of it there is.
   */
  #newestUnsynced(): Segment | undefined {
    const { roster, state } = this.#parts
    return state.segments
      .all()
      .findLast((segment) => roster.isUnsynced(segment) && !segment.isRetired)
  }

  #mustGiveWay(victim: Segment | undefined): boolean {
    const unsynced = this.#newestUnsynced()
    return unsynced !== undefined && unsynced !== victim
  }

  /** Sealed segments, and the share of each that compacting it would win. */
  #candidates(): Map<Segment, number> {
    const { roster, state } = this.#parts
    const shares = new Map<Segment, number>()
    const all = state.segments.all()
    // Which touches still count is not known: the newest are taken to be those.
    let touched = state.touched
    for (let place = all.length - 1; place >= 0; place--) {
      const segment = all[place]!
      const touchesLive = Math.min(touched, segment.touches)
      touched -= touchesLive
      if (!roster.isSealed(segment) || segment.isDamaged || segment.isRetired) continue
      const gone = this.#areTombstonesDue(segment) ? segment.tombstoneBytes : 0
      const liveBytes = segment.liveBytes - gone + touchesLive * TOUCH_BYTES
      shares.set(segment, liveBytes <= 0 ? 1 : 1 - liveBytes / segment.end)
    }
    return shares
  }

  #exceeds(logPerLive: number): boolean {
    const { state } = this.#parts
    const { log, live } = state.bytes()
    return log > logPerLive * live + OPEN_SEGMENTS * state.place.sizes.segmentBytes
  }

  #areTombstonesDue(segment: Segment): boolean {
    if (segment.tombstoneBytes === 0) return false
    return this.#isDroppable(segment, segment.tombstoneTimeMaxUs, segment.tombstoneSequenceMax)
  }

  /** No late row that it would have to stop is expected any more, and no older version can come back. */
  #isDroppable(victim: Segment, timeUs: number, sequence: number): boolean {
    if (this.#parts.clock() - timeUs <= TOMBSTONE_RETENTION_US) return false
    return this.#parts.state.segments
      .all()
      .every(
        (other) => other === victim || other.horizon >= sequence || other.sequenceMin > sequence,
      )
  }

  async #copySome(victim: Segment): Promise<void> {
    if (this.#progress.offset >= victim.end) return
    const { copies, publisher, state } = this.#parts
    await copies.begin()
    this.#moves.clear()
    this.#touches = []
    const progress = this.#copyUntil(victim, performance.now() + COMPACTION_STEP_MS_MAX)
    this.#addTouches()
    const { segment, builder } = copies
    const start = segment.end
    if (builder.count > 0) await copies.commit(true)
    await publisher.publish(this.#moves, { view: builder.view, segment, start })
    segment.touches += this.#touches.length
    state.counters.touchesCopied += this.#touches.length
    this.#progress = progress
  }

  /** Fills the group with what is live; returns where in the victim it stopped. */
  #copyUntil(victim: Segment, untilMs: number): Progress {
    const view = this.#parts.state.map.view(victim.slot)
    let { offset, touches } = this.#progress
    for (let entry = 1; offset < victim.end; entry++) {
      const at = offset / 4
      if (!isHeader(view, at) || !isBody(view, at)) {
        victim.isDamaged = true
        this.#parts.state.counters.damagesFound++
        break
      }
      if (kindOf(view.words, at) === KIND_TOUCH) {
        touches = this.#copyTouches(view, at, touches)
        if (touches * TOUCH_BYTES < rowBytesOf(view.words, at)) break
      } else if (!this.#copyEntry(victim, view, at)) break
      touches = 0
      offset += entryBytesOf(view.words, at)
      if (entry % CLOCK_ENTRIES === 0 && performance.now() > untilMs) break
    }
    return { offset, touches }
  }

  /** False if the group has no room for the entry. */
  #copyEntry(victim: Segment, view: LogView, at: number): boolean {
    const kind = kindOf(view.words, at)
    if (kind !== KIND_ROW && kind !== KIND_TOMBSTONE) return true
    const { state, copies } = this.#parts
    const held = locationOf(victim.slot, at * 4)
    this.#hash(view.words, at)
    const { shard, fingerprint } = this.#hasher
    const table = state.index.shards[shard]!
    const slot = table.find(fingerprint, held)
    if (slot < 0) return true
    const timeUs = table.time(slot)
    const sequence = sequenceOf(view.doubles, at)
    if (kind === KIND_TOMBSTONE && this.#isDroppable(victim, timeUs, sequence)) {
      this.#move(DROPPED, held, timeUs)
      state.counters.tombstonesDropped++
      return true
    }
    if (!this.#fits(entryBytesOf(view.words, at), 0)) return false
    this.#move(copies.builder.addCopy(view, at, timeUs), held, timeUs)
    state.counters.entriesCopied++
    return true
  }

  /** The key last hashed leaves the location that the index holds. */
  #move(at: number, held: number, timeUs: number): void {
    const moves = this.#moves
    const place = moves.add(this.#hasher.fingerprint)
    moves.shardNumbers[place] = this.#hasher.shard
    moves.held[place] = held
    moves.heldTimes[place] = timeUs
    moves.at[place] = at
    moves.times[place] = timeUs
  }

  /**
   * Touches that still count are told again, for their rows, elsewhere, bear an older time. Returns how
   * many touches of the entry are done, `from` of them before.
   */
  #copyTouches(view: LogView, at: number, from: number): number {
    const count = rowBytesOf(view.words, at) / TOUCH_BYTES
    for (let place = from; place < count; place++) {
      if (!this.#fits(0, 1)) return place
      const touch = this.#liveTouch(view, at + BODY_WORD + place * (TOUCH_BYTES / 4))
      if (touch !== undefined) this.#touches.push(touch)
    }
    return count
  }

  #liveTouch(view: LogView, word: number): Touch | undefined {
    const { state } = this.#parts
    const location = view.words[word]!
    const segment = state.segments.in(slotOf(location))
    const at = wordOf(location)
    if (segment === undefined || at * 4 >= segment.end) return undefined
    const named = state.map.view(segment.slot)
    if (!isHeader(named, at)) return undefined
    const sequence = sequenceOf(named.doubles, at)
    if ((sequence | 0) !== view.words[word + 1]) return undefined
    this.#hash(named.words, at)
    const table: IndexShard = state.index.shards[this.#hasher.shard]!
    const slot = table.find(this.#hasher.fingerprint, location)
    if (slot < 0) return undefined
    const timeUs = table.time(slot)
    const isNeeded = timeUs > timeOf(named.doubles, at) && timeUs === view.doubles[(word >> 1) + 1]
    return isNeeded ? { location, sequence, timeUs } : undefined
  }

  #hash(words: Int32Array, at: number): void {
    this.#hasher.hash(words, at + BODY_WORD, keyBytesOf(words, at), tableOf(words, at))
  }

  #fits(bytes: number, touches: number): boolean {
    const touchBytes = touchEntryBytes(this.#touches.length + touches)
    return this.#parts.copies.builder.fits(bytes + touchBytes)
  }

  #addTouches(): void {
    if (this.#touches.length === 0) return
    const { state, copies } = this.#parts
    const at = copies.builder.addTouches(this.#touches.length, ++state.lastSequence)
    this.#touches.forEach(({ location, sequence, timeUs }, place) =>
      copies.builder.setTouch(at, place, location, sequence, timeUs),
    )
  }

  /** Every live entry of the segment lives elsewhere, durably: readers are asked to unmap it. */
  async #retire(victim: Segment): Promise<void> {
    // What superseded its dead entries may not be synced yet, where writes are not waited for.
    await this.#parts.entries.sync()
    if (this.#mustGiveWay(victim)) return
    const askedBy = this.#parts.readers.tell({ kind: 'unmap', slot: victim.slot })
    victim.isRetired = true
    this.#retiring.push({ segment: victim, askedBy })
    this.#victim = undefined
    this.#removePassed()
  }

  #hasPassed(): boolean {
    const { readers } = this.#parts
    if (this.#pins > 0) return false
    return this.#retiring.some(({ askedBy }) => readers.haveAllPassed(askedBy))
  }

  /** Removes the files of segments that no reader maps any more; the writer unmaps last. */
  #removePassed(): void {
    if (this.#pins > 0) return
    const { readers, roster, state } = this.#parts
    for (const retiring of this.#retiring) {
      if (!readers.haveAllPassed(retiring.askedBy)) continue
      state.map.unmap(retiring.segment.slot)
      roster.remove(retiring.segment)
      this.#retiring = this.#retiring.filter((other) => other !== retiring)
    }
  }
}
