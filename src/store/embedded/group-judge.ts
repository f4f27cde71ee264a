/**
 * Judges entries by the order rule, against the index and against the group in the making, and puts
 * what is accepted into the group. Nothing is published here: until the group is durable the index
 * stays as it was, and the group's own keys are found in `pending`.
 */
import { Fault } from '../../base/fault.ts'
import type { Layout } from '../../row/layout.ts'
import { RowMerger } from '../../row/merge.ts'
import type { Outcome, StoredKind } from '../../row/order-rule.ts'
import { OUTCOME, judgeDelete, judgeRow } from '../../row/order-rule.ts'
import { transcodeRow, transcodedBytesMax } from '../../row/transcode.ts'
import { ENTRY_TOMBSTONE } from '../write-batch.ts'
import type { EntryDraft, GroupBuilder } from './group-builder.ts'
import { touchEntryBytes } from './group-builder.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  KIND_ROW,
  KIND_TOMBSTONE,
  TOUCH_BYTES,
  entryBytes,
  keyBytesOf,
  kindOf,
  layoutOf,
  pad8,
  rowBytesOf,
  rowWordOf,
  sequenceOf,
  tableOf,
} from './log-entry.ts'
import type { LogState } from './log-state.ts'
import { PendingEntries, TOUCHED } from './pending-entries.ts'
import type { QueuedWrite } from './queued-write.ts'
import { LOCATION_EMPTY, slotOf, wordOf } from './segment.ts'
import { StagedLookup } from './staged-lookup.ts'

/** Entries looked up at once: their index lines and rows stay in the processor's cache till judged. */
const STAGE_ENTRIES = 256

const NOT_PENDING = -1

const NO_WORDS = new Int32Array(0)

export class GroupJudge {
  readonly pending = new PendingEntries()
  readonly #state: LogState
  readonly #builder: GroupBuilder
  readonly #lookup: StagedLookup
  readonly #mergers = new Map<Layout, RowMerger>()
  readonly #draft: EntryDraft = {
    kind: KIND_ROW,
    table: 0,
    layout: 0,
    sequence: 0,
    timeUs: 0,
    keyWords: NO_WORDS,
    keyStart: 0,
    keyBytes: 0,
    rowWords: NO_WORDS,
    rowStart: 0,
    rowBytes: 0,
  }
  /** Room for rows rewritten in another layout, and for merged ones. */
  #transcoded = new Uint8Array(1024)
  #merged = new Uint8Array(1024)
  #mergedWords = new Int32Array(this.#merged.buffer)
  #bytesMax = 0

  /** What is stored under the key being judged, the group in the making included. */
  #storedKind: StoredKind = 'nothing'
  #storedTimeUs = 0
  #storedView: LogView
  #storedAt = 0

  /** The entry being judged, and how it looks. */
  #write!: QueuedWrite
  #layout!: Layout
  #place = 0
  /** One closure for all rows: the order rule asks it about the one being judged. */
  readonly #hasSameContent = (): boolean => this.#isSameRow()

  constructor(state: LogState, builder: GroupBuilder) {
    this.#state = state
    this.#builder = builder
    this.#storedView = builder.view
    const { identity } = state.place
    this.#lookup = new StagedLookup(identity.hashSeed, state.index.shards, state.map)
  }

  begin(): void {
    this.pending.clear()
  }

  /**
   * Judges a write's entries from its position on until all are judged, the group holds `bytesMax`
   * bytes, or `untilMs` has passed. True if all are judged.
   */
  take(write: QueuedWrite, bytesMax: number, untilMs: number): boolean {
    this.#write = write
    this.#layout = this.#state.layout(write.batch.layout)
    this.#bytesMax = bytesMax
    while (!write.isJudged) {
      if (!this.#takeStage()) return false
      if (performance.now() > untilMs) break
    }
    return write.isJudged
  }

  /** Adds the group's touches, one entry for all of them. The last thing before the commit. */
  finish(): void {
    const { pending } = this
    if (pending.touchedCount === 0) return
    const at = this.#builder.addTouches(pending.touchedCount, ++this.#state.lastSequence)
    let touch = 0
    for (let place = 0; place < pending.count; place++) {
      if (pending.at[place] !== TOUCHED) continue
      const held = pending.held[place]!
      const { doubles } = this.#state.map.view(slotOf(held))
      const sequence = sequenceOf(doubles, wordOf(held))
      this.#builder.setTouch(at, touch++, held, sequence, pending.times[place]!)
    }
  }

  #takeStage(): boolean {
    const write = this.#write
    const start = write.position
    const count = Math.min(STAGE_ENTRIES, write.batch.count - start)
    this.#lookup.find(write.keys, write.tables, start, count)
    for (let stage = 0; stage < count; stage++) {
      this.#place = start + stage
      if (!this.#judge(stage)) return false
      write.position++
    }
    return true
  }

  /** False if the group has no room for what the entry asks for. */
  #judge(stage: number): boolean {
    if (this.#lookup.isUnreadable[stage] === 1) throw this.#unreadable(stage)
    const { batch, outcomes } = this.#write
    const pendingPlace = this.#findPending(stage)
    this.#findStored(stage, pendingPlace)
    const timeUs = batch.times[this.#place]!
    const isDelete = batch.kinds[this.#place] === ENTRY_TOMBSTONE
    if (this.#layout.times) return this.#merge(stage, pendingPlace, isDelete)
    const outcome = isDelete
      ? judgeDelete(this.#storedKind, this.#storedTimeUs, timeUs)
      : judgeRow(this.#storedKind, this.#storedTimeUs, timeUs, this.#hasSameContent)
    outcomes[this.#place] = outcome
    if (outcome === OUTCOME.older || outcome === OUTCOME.unchanged) return true
    if (outcome === OUTCOME.touched) return this.#touch(stage, pendingPlace, timeUs)
    this.#draft.kind = isDelete ? KIND_TOMBSTONE : KIND_ROW
    this.#draft.timeUs = timeUs
    this.#draft.rowWords = this.#write.rowWords
    this.#draft.rowStart = batch.rowStarts[this.#place]! >> 2
    this.#draft.rowBytes = isDelete ? 0 : batch.rowBytes[this.#place]!
    return this.#append(stage, pendingPlace)
  }

  /** The place in `pending` of the key being judged. */
  #findPending(stage: number): number {
    const { pending } = this
    const fingerprint = this.#lookup.fingerprints[stage]!
    const held = this.#lookup.locations[stage]!
    for (let place = pending.first(fingerprint); place >= 0; place = pending.next(place)) {
      if (pending.fingerprints[place] !== fingerprint || pending.held[place] !== held) continue
      // Two keys can't hold one location; keys that hold none are told apart by their bytes.
      if (held !== LOCATION_EMPTY || this.#isKeyAt(pending.at[place]!)) return place
    }
    return NOT_PENDING
  }

  #isKeyAt(at: number): boolean {
    const { words } = this.#builder.view
    const { batch, keys } = this.#write
    const keyBytes = batch.keyBytes[this.#place]!
    if (tableOf(words, at) !== batch.table || keyBytesOf(words, at) !== keyBytes) return false
    const wanted = batch.keyStarts[this.#place]! >> 2
    const count = pad8(keyBytes) / 4
    for (let word = 0; word < count; word++) {
      if (keys.words[wanted + word] !== words[at + BODY_WORD + word]) return false
    }
    return true
  }

  #findStored(stage: number, pendingPlace: number): void {
    const { pending } = this
    const held = this.#lookup.locations[stage]!
    this.#storedKind = 'nothing'
    if (pendingPlace === NOT_PENDING) {
      if (held === LOCATION_EMPTY) return
      this.#standAt(this.#state.map.view(slotOf(held)), wordOf(held))
      this.#storedTimeUs = this.#lookup.times[stage]!
      return
    }
    const at = pending.at[pendingPlace]!
    if (at === TOUCHED) this.#standAt(this.#state.map.view(slotOf(held)), wordOf(held))
    else this.#standAt(this.#builder.view, at)
    this.#storedTimeUs = pending.times[pendingPlace]!
  }

  #standAt(view: LogView, at: number): void {
    this.#storedView = view
    this.#storedAt = at
    this.#storedKind = kindOf(view.words, at) === KIND_ROW ? 'row' : 'tombstone'
  }

  #isSameRow(): boolean {
    const { batch, rowWords } = this.#write
    const { words } = this.#storedView
    const layout = layoutOf(words, this.#storedAt)
    const bytes = batch.rowBytes[this.#place]!
    const incoming = batch.rowStarts[this.#place]! >> 2
    if (layout !== batch.layout) return this.#isSameTranscoded(layout, bytes)
    if (rowBytesOf(words, this.#storedAt) !== bytes) return false
    const stored = rowWordOf(words, this.#storedAt)
    const count = bytes >> 2
    for (let word = 0; word < count; word++) {
      if (words[stored + word] !== rowWords[incoming + word]) return false
    }
    return true
  }

  #isSameTranscoded(layout: number, bytes: number): boolean {
    const { batch } = this.#write
    if (this.#transcodeStored(layout) !== bytes) return false
    const start = batch.rowStarts[this.#place]!
    return (
      Buffer.compare(
        this.#transcoded.subarray(0, bytes),
        batch.rows.subarray(start, start + bytes),
      ) === 0
    )
  }

  /** Rewrites the stored row in the batch's layout, in `#transcoded`, and returns its bytes. */
  #transcodeStored(layout: number): number {
    const { bytes, words } = this.#storedView
    const from = this.#state.layout(layout)
    const rowBytes = rowBytesOf(words, this.#storedAt)
    const roomBytes = transcodedBytesMax(from, this.#layout, rowBytes)
    if (roomBytes > this.#transcoded.length) this.#transcoded = new Uint8Array(2 * roomBytes)
    return transcodeRow(
      from,
      this.#layout,
      bytes,
      rowWordOf(words, this.#storedAt) * 4,
      rowBytes,
      this.#transcoded,
      0,
      this.#storedTimeUs,
    )
  }

  /** The way of rows with a time for each feature: what is stored and what comes become one row. */
  #merge(stage: number, pendingPlace: number, isDelete: boolean): boolean {
    const { batch, outcomes } = this.#write
    const merger = this.#mergerOntoStored()
    const incomingBytes = isDelete ? 0 : batch.rowBytes[this.#place]!
    this.#growMerged(merger.rowBytesMax(incomingBytes))
    const outcome: Outcome = isDelete
      ? merger.mergeDelete(batch.times[this.#place]!, this.#merged, 0)
      : merger.mergeRow(batch.rows, batch.rowStarts[this.#place]!, this.#merged, 0)
    outcomes[this.#place] = outcome
    if (merger.write === 'nothing') return true
    if (outcome === OUTCOME.touched) return this.#touch(stage, pendingPlace, merger.timeUs)
    this.#draft.kind = merger.write === 'row' ? KIND_ROW : KIND_TOMBSTONE
    this.#draft.timeUs = merger.timeUs
    this.#draft.rowWords = this.#mergedWords
    this.#draft.rowStart = 0
    this.#draft.rowBytes = merger.rowBytes
    return this.#append(stage, pendingPlace)
  }

  #mergerOntoStored(): RowMerger {
    let merger = this.#mergers.get(this.#layout)
    if (merger === undefined) {
      merger = new RowMerger(this.#layout)
      this.#mergers.set(this.#layout, merger)
    }
    const { bytes, words } = this.#storedView
    const at = this.#storedAt
    if (this.#storedKind !== 'row') {
      merger.onto(this.#storedKind, this.#storedTimeUs, bytes, 0, 0)
    } else if (layoutOf(words, at) === this.#write.batch.layout) {
      const start = rowWordOf(words, at) * 4
      merger.onto('row', this.#storedTimeUs, bytes, start, rowBytesOf(words, at))
    } else {
      const rowBytes = this.#transcodeStored(layoutOf(words, at))
      merger.onto('row', this.#storedTimeUs, this.#transcoded, 0, rowBytes)
    }
    return merger
  }

  #growMerged(bytes: number): void {
    if (bytes <= this.#merged.length) return
    this.#merged = new Uint8Array(pad8(2 * bytes))
    this.#mergedWords = new Int32Array(this.#merged.buffer)
  }

  /** Puts the drafted version of the key being judged into the group. */
  #append(stage: number, pendingPlace: number): boolean {
    const { batch, keys } = this.#write
    const draft = this.#draft
    draft.keyBytes = batch.keyBytes[this.#place]!
    const bytes = entryBytes(draft.keyBytes, draft.rowBytes)
    if (!this.#fits(bytes)) return false
    draft.table = batch.table
    draft.layout = batch.layout
    draft.sequence = ++this.#state.lastSequence
    draft.keyWords = keys.words
    draft.keyStart = batch.keyStarts[this.#place]! >> 2
    const at = this.#builder.add(draft)
    this.#write.bytesWritten += bytes
    this.#record(stage, pendingPlace, at, draft.timeUs)
    return true
  }

  /** Advances the time of the key being judged: of its entry in the group, or by a touch. */
  #touch(stage: number, pendingPlace: number, timeUs: number): boolean {
    if (pendingPlace !== NOT_PENDING && this.pending.at[pendingPlace] !== TOUCHED) {
      this.#builder.setTime(this.pending.at[pendingPlace]!, timeUs)
      this.pending.times[pendingPlace] = timeUs
      return true
    }
    if (!this.#fits(TOUCH_BYTES)) return false
    this.#write.bytesWritten += TOUCH_BYTES
    this.#record(stage, pendingPlace, TOUCHED, timeUs)
    return true
  }

  #fits(bytes: number): boolean {
    const touches = touchEntryBytes(this.pending.touchedCount + 1)
    const fits = this.#builder.fits(bytes + touches)
    const isFirst = this.#builder.count === 0 && this.pending.count === 0
    // The first entry of a group may be larger than its lane's share of it.
    if (!isFirst) return fits && this.#builder.used + bytes + touches <= this.#bytesMax
    if (!fits)
      throw new Fault('too_large', `an entry of ${bytes} bytes does not fit a commit group`)
    return true
  }

  #record(stage: number, pendingPlace: number, at: number, timeUs: number): void {
    const { pending } = this
    let place = pendingPlace
    if (place === NOT_PENDING) {
      place = pending.add(this.#lookup.fingerprints[stage]!)
      pending.shardNumbers[place] = this.#lookup.shardNumbers[stage]!
      pending.held[place] = this.#lookup.locations[stage]!
      pending.heldTimes[place] = this.#lookup.times[stage]!
    } else if (pending.at[place] === TOUCHED) {
      pending.touchedCount--
    }
    if (at === TOUCHED) pending.touchedCount++
    pending.at[place] = at
    pending.times[place] = timeUs
  }

  #unreadable(stage: number): Fault {
    const location = this.#lookup.locations[stage]!
    return new Fault('store_damaged', 'what is stored under a key can not be read', {
      where: `${this.#state.map.path(slotOf(location))}, offset ${wordOf(location) * 4}`,
    })
  }
}
