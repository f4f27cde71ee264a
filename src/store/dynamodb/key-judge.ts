/**
 * Judges all entries of one key in their order, in memory, against what is stored: one write remains
 * for what they come to, or none. Only row/order-rule.ts knows which version wins.
 *
 * Same content at a later time: on its own it is `refreshed`, written again, when it is later by more
 * than the table's refresh gap, else `unchanged`. Where the row is to be written anyway it is `touched`:
 * the time goes along.
 *
 * Of a view with partial writes (a layout with times) the item has one time for all features. An entry
 * is judged by that time alone; one that wins sets the features that it says and keeps the others, and
 * is `changed` if any of those differs from what was stored.
 */
import type { Layout } from '../../row/layout.ts'
import { ABSENT, presenceAt } from '../../row/layout.ts'
import { RowMerger } from '../../row/merge.ts'
import type { Outcome, StoredKind } from '../../row/order-rule.ts'
import { OUTCOME, judgeDelete, judgeRow } from '../../row/order-rule.ts'
import type { WriteBatch } from '../write-batch.ts'
import { ENTRY_TOMBSTONE } from '../write-batch.ts'
import { digest, digestRow } from './row-digest.ts'
import type { SeenVersion } from './seen-version.ts'
import { NO_TIME } from './seen-version.ts'
import type { WriteGroup } from './write-group.ts'
import { NO_ENTRY } from './write-group.ts'

/**
 * What remains to be done for a key. `update` sets some features of the item and keeps the others;
 * `mark`: nothing in the table, a tombstone in what the writer remembers.
 */
export type KeyWriteKind = 'none' | 'put' | 'update' | 'delete' | 'mark'

/** What a delete of what is not there, as far as is known, is for. */
export type AbsentDelete = 'none' | 'delete' | 'mark'

export class KeyJudge {
  readonly #layout: Layout
  readonly #refreshAfterUs: number
  readonly #absentDelete: AbsentDelete
  readonly #merger: RowMerger | undefined
  #merged: Uint8Array = new Uint8Array(1024)
  #mergedBytes = 0

  /** The version under the key, the entries judged so far included. */
  #kind: StoredKind = 'nothing'
  #seen!: SeenVersion
  #isByDigest = false
  #id = ''
  #batch!: WriteBatch
  #place = 0
  readonly #hasSameContent = (): boolean => this.timeUs !== NO_TIME && this.#isSame()

  /** What `judge` came to: the time, the row (of a put or an update) and the entry that brought it. */
  write: KeyWriteKind = 'none'
  timeUs = NaN
  rows: Uint8Array = new Uint8Array(0)
  rowStart = 0
  rowBytes = 0
  entry = NO_ENTRY
  /** Of an update: 1 for each feature that is set. */
  setFeatures: Uint8Array | undefined

  constructor(layout: Layout, refreshAfterUs: number, absentDelete: AbsentDelete) {
    this.#layout = layout
    this.#refreshAfterUs = refreshAfterUs
    this.#absentDelete = absentDelete
    this.#merger = layout.times ? new RowMerger(layout) : undefined
  }

  /** Gives every entry of the key its outcome. */
  judge(group: WriteGroup, key: number, seen: SeenVersion): void {
    this.#begin(group.ids[key]!, seen)
    for (let entry = group.firsts[key]!; entry !== NO_ENTRY; entry = group.nexts[entry]!) {
      if (group.refused[entry] === 1) {
        group.outcome(entry, OUTCOME.rejected)
        continue
      }
      this.#batch = group.writeOf(entry).batch
      this.#place = group.places[entry]!
      group.outcome(entry, this.#take(entry))
    }
  }

  #begin(id: string, seen: SeenVersion): void {
    this.#id = id
    this.#seen = seen
    this.#kind = seen.kind
    this.#isByDigest = seen.isFromLedger
    this.timeUs = seen.timeUs
    this.rows = seen.rows
    this.rowStart = seen.rowStart
    this.rowBytes = seen.rowBytes
    this.entry = NO_ENTRY
    this.write = 'none'
    this.setFeatures = undefined
    if (this.#merger !== undefined && seen.kind === 'row') stampRow(this.#layout, seen)
  }

  #take(entry: number): Outcome {
    const batch = this.#batch
    const timeUs = batch.times[this.#place]!
    if (batch.kinds[this.#place] === ENTRY_TOMBSTONE) return this.#takeDelete(entry, timeUs)
    const outcome = judgeRow(this.#kind, this.timeUs, timeUs, this.#hasSameContent)
    if (outcome === OUTCOME.touched) return this.#takeTouch(entry, timeUs)
    if (outcome !== OUTCOME.new && outcome !== OUTCOME.changed) return outcome
    if (outcome === OUTCOME.changed && this.#merger !== undefined) {
      // Without a time to compare, the order rule did not ask for the content.
      if (this.timeUs === NO_TIME) this.#merge()
      if (this.#merger.outcome === OUTCOME.rejected) return OUTCOME.rejected
    }
    this.#accept(entry, timeUs)
    return outcome
  }

  #takeDelete(entry: number, timeUs: number): Outcome {
    const outcome = judgeDelete(this.#kind, this.timeUs, timeUs)
    if (outcome === OUTCOME.older || outcome === OUTCOME.unchanged) return outcome
    this.#kind = 'tombstone'
    this.timeUs = timeUs
    this.entry = entry
    this.setFeatures = undefined
    if (outcome === OUTCOME.touched) {
      if (this.write === 'none' && this.#absentDelete !== 'none') this.write = 'mark'
    } else {
      this.write = this.#seen.kind === 'row' ? 'delete' : this.#absentDelete
    }
    return outcome
  }

  #takeTouch(entry: number, timeUs: number): Outcome {
    const isWritten = this.write !== 'none'
    if (!isWritten && !(timeUs - this.timeUs > this.#refreshAfterUs)) return OUTCOME.unchanged
    this.#accept(entry, timeUs)
    return isWritten ? OUTCOME.touched : OUTCOME.refreshed
  }

  /** The entry's row is the version from here on; of a partial one, what it was merged to. */
  #accept(entry: number, timeUs: number): void {
    const { rows, rowStarts, rowBytes } = this.#batch
    const isMerged = this.#merger !== undefined && this.#kind === 'row'
    this.write = isMerged ? this.#writeOfPart() : 'put'
    if (isMerged) {
      this.rows = this.#merged.slice(0, this.#mergedBytes)
      this.rowStart = 0
      this.rowBytes = this.rows.length
    } else {
      this.rows = rows
      this.rowStart = rowStarts[this.#place]!
      this.rowBytes = rowBytes[this.#place]!
    }
    this.#kind = 'row'
    this.#isByDigest = false
    this.timeUs = timeUs
    this.entry = entry
  }

  /** A row that says every feature is put whole, and so is one that the item has nothing in common with. */
  #writeOfPart(): KeyWriteKind {
    const { features } = this.#layout
    const start = this.#batch.rowStarts[this.#place]!
    const isOnItem = this.#seen.kind === 'row' && this.write !== 'put' && this.write !== 'delete'
    const set = this.setFeatures ?? new Uint8Array(features.length)
    let isWhole = true
    features.forEach((_, position) => {
      if (presenceAt(this.#layout, this.#batch.rows, start, position) === ABSENT) isWhole = false
      else set[position] = 1
    })
    const isUpdate = isOnItem && !isWhole && hasFeatures(this.#layout, this.#seen)
    this.setFeatures = isUpdate ? set : undefined
    return isUpdate ? 'update' : 'put'
  }

  #isSame(): boolean {
    if (this.#merger !== undefined) return this.#merge() !== OUTCOME.changed
    const { rows, rowStarts, rowBytes } = this.#batch
    const start = rowStarts[this.#place]!
    const bytes = rowBytes[this.#place]!
    if (this.#isByDigest) {
      digestRow(this.#id, rows, start, bytes)
      return digest.low === this.#seen.digestLow && digest.high === this.#seen.digestHigh
    }
    return bytes === this.rowBytes && areEqual(this.rows, this.rowStart, rows, start, bytes)
  }

  /** Of the version under the key and the entry's row; what is too large is never the same. */
  #merge(): Outcome {
    const merger = this.#merger!
    const { rows, rowStarts, rowBytes } = this.#batch
    merger.onto('row', this.timeUs, this.rows, this.rowStart, this.rowBytes)
    const room = merger.rowBytesMax(rowBytes[this.#place]!)
    if (room > this.#merged.length) this.#merged = new Uint8Array(2 * room)
    merger.mergeRow(rows, rowStarts[this.#place]!, this.#merged, 0)
    if (merger.outcome === OUTCOME.rejected) return OUTCOME.changed
    this.#mergedBytes = merger.rowBytes
    if (merger.write === 'nothing') {
      this.#merged.set(this.rows.subarray(this.rowStart, this.rowStart + this.rowBytes))
      this.#mergedBytes = this.rowBytes
    }
    return merger.outcome
  }
}

/** The time of its item is that of each feature in it. */
function stampRow(layout: Layout, { rows, rowStart, timeUs }: SeenVersion): void {
  const times = new DataView(rows.buffer, rows.byteOffset + rowStart, 8 * layout.features.length)
  for (let position = 0; position < layout.features.length; position++) {
    const isThere = presenceAt(layout, rows, rowStart, position) !== ABSENT
    times.setFloat64(8 * position, isThere ? timeUs : NO_TIME, true)
  }
}

function hasFeatures(layout: Layout, { rows, rowStart }: SeenVersion): boolean {
  return layout.features.some(
    (_, position) => presenceAt(layout, rows, rowStart, position) !== ABSENT,
  )
}

/** Rows are whole words and start at one: most that differ do so early, and no call is worth it. */
export function areEqual(
  a: Uint8Array,
  startA: number,
  b: Uint8Array,
  startB: number,
  bytes: number,
): boolean {
  for (let place = 0; place < bytes; place++) {
    if (a[startA + place] !== b[startB + place]) return false
  }
  return true
}
