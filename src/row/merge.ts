/**
 * Versions of one key in a view with partial writes (layouts with times): each feature goes its own
 * way by the order rule, so that the end state does not depend on the order of arrival.
 *
 * A RowMerger serves one layout; rows of another are transcoded first. Use, with no allocation:
 *
 *     merger.onto('row', storedTimeUs, bytes, start, rowBytes)   // or 'tombstone', or 'nothing'
 *     merger.mergeRow(bytes, start, target, targetStart)         // or mergeDelete
 *
 * and then `outcome` says what happened, `write` what is now to be stored under the key ('nothing':
 * what was there stays), `timeUs` its event time (the latest of its features') and, for a row,
 * `rowBytes` the bytes written at `targetStart`, a multiple of 8, where there was room for
 * `rowBytesMax(...)`. The target must not overlap the rows.
 *
 * A delete as of t makes every feature that was decided at t or before absent since t; where that is
 * every feature, a tombstone takes the row's place (`deleted`), else the row is `changed`. A
 * tombstone is the same as a row in which every feature is absent since its time. A row written again
 * only because a time in it advanced is `refreshed`; a merged row that is too large is `rejected`.
 */
import { ROW_BYTES_MAX } from '../base/limits.ts'
import type { Layout } from './layout.ts'
import { ABSENT } from './layout.ts'
import type { Outcome, StoredKind } from './order-rule.ts'
import { OUTCOME, judgeDelete, judgeRow } from './order-rule.ts'
import { PlacedRow, isSameFeature } from './placed-row.ts'

const pad8 = (bytes: number): number => (bytes + 7) & ~7

const NEVER_DECIDED = -Infinity

/** What the features so far have come to, the stronger the higher. */
const SAME = 0
const OLDER = 1
const LATER = 2
const OTHER = 3

export class RowMerger {
  readonly #layout: Layout
  readonly #stored: PlacedRow
  readonly #incoming: PlacedRow
  /** For each feature of the merged row the row that its value comes from; null: it is absent. */
  readonly #origins: (PlacedRow | null)[]
  readonly #times: Float64Array
  #storedKind: StoredKind = 'nothing'
  #storedTimeUs = NaN
  #storedBytes = 0
  #position = 0
  /** One closure for all: the order rule asks it about the feature at `#position`. */
  readonly #isSame = (): boolean => isSameFeature(this.#stored, this.#incoming, this.#position)

  outcome: Outcome = OUTCOME.unchanged
  write: StoredKind = 'nothing'
  timeUs = NaN
  rowBytes = 0

  constructor(layout: Layout) {
    if (!layout.times) throw new Error('only rows with times can be merged')
    this.#layout = layout
    this.#stored = new PlacedRow(layout)
    this.#incoming = new PlacedRow(layout)
    this.#origins = layout.features.map(() => null)
    this.#times = new Float64Array(layout.features.length)
  }

  /** What is stored now. `bytes` and what follows are looked at only for a row. */
  onto(kind: StoredKind, timeUs: number, bytes: Uint8Array, start: number, rowBytes: number): void {
    this.#storedKind = kind
    this.#storedTimeUs = timeUs
    this.#storedBytes = kind === 'row' ? rowBytes : this.#layout.fixedBytes
    this.#stored.place(bytes, start)
  }

  /** Room that a merge of what is stored with a row of so many bytes (0: a delete) may need. */
  rowBytesMax(incomingBytes: number): number {
    return this.#storedBytes + pad8(Math.max(0, incomingBytes - this.#layout.fixedBytes))
  }

  mergeRow(incoming: Uint8Array, start: number, target: Uint8Array, targetStart: number): Outcome {
    this.#incoming.place(incoming, start)
    let strongest = SAME
    for (let position = 0; position < this.#origins.length; position++) {
      strongest = Math.max(strongest, this.#mergeFeature(position))
    }
    return this.#conclude(strongest, target, targetStart)
  }

  mergeDelete(timeUs: number, target: Uint8Array, targetStart: number): Outcome {
    if (this.#storedKind !== 'row') return this.#deleteAgain(timeUs)
    let strongest = SAME
    let isAllGone = true
    for (let position = 0; position < this.#origins.length; position++) {
      const effect = this.#deleteFeature(position, this.#keep(position), timeUs)
      if (effect === OLDER) isAllGone = false
      strongest = Math.max(strongest, effect)
    }
    if (isAllGone) return this.#end(OUTCOME.deleted, 'tombstone', timeUs, 0)
    return this.#conclude(strongest, target, targetStart)
  }

  #deleteAgain(timeUs: number): Outcome {
    const outcome = judgeDelete(this.#storedKind, this.#storedTimeUs, timeUs)
    const isKept = outcome === OUTCOME.older || outcome === OUTCOME.unchanged
    if (isKept) return this.#end(outcome, 'nothing', this.#storedTimeUs, 0)
    return this.#end(outcome, 'tombstone', timeUs, 0)
  }

  #mergeFeature(position: number): number {
    const stored = this.#keep(position)
    const timeUs = this.#incoming.time(position)
    if (timeUs === NEVER_DECIDED) return SAME
    if (this.#incoming.presence(position) === ABSENT) {
      return this.#deleteFeature(position, stored, timeUs)
    }
    this.#position = position
    const outcome = judgeRow(stored, this.#times[position]!, timeUs, this.#isSame)
    return this.#take(position, effectOf(outcome), this.#incoming, timeUs)
  }

  #deleteFeature(position: number, stored: StoredKind, timeUs: number): number {
    const outcome = judgeDelete(stored, this.#times[position]!, timeUs)
    // What never was decided is absent before and after: only its time is new.
    const effect = stored === 'nothing' ? LATER : effectOf(outcome)
    return this.#take(position, effect, null, timeUs)
  }

  /** Takes over what is stored of a feature, and says what that is. */
  #keep(position: number): StoredKind {
    const stored = this.#storedKind === 'row' ? this.#stored : null
    const isPresent = stored !== null && stored.presence(position) !== ABSENT
    const goneAtUs = this.#storedKind === 'tombstone' ? this.#storedTimeUs : NEVER_DECIDED
    this.#origins[position] = isPresent ? stored : null
    this.#times[position] = stored === null ? goneAtUs : stored.time(position)
    if (this.#times[position] === NEVER_DECIDED) return 'nothing'
    return isPresent ? 'row' : 'tombstone'
  }

  #take(position: number, effect: number, origin: PlacedRow | null, timeUs: number): number {
    if (effect >= LATER) {
      this.#origins[position] = origin
      this.#times[position] = timeUs
    }
    return effect
  }

  #conclude(strongest: number, target: Uint8Array, targetStart: number): Outcome {
    if (strongest < LATER) {
      const outcome = strongest === OLDER ? OUTCOME.older : OUTCOME.unchanged
      return this.#end(outcome, 'nothing', this.#storedTimeUs, 0)
    }
    const rowBytes = this.#mergedBytes()
    if (rowBytes > ROW_BYTES_MAX) {
      return this.#end(OUTCOME.rejected, 'nothing', this.#storedTimeUs, 0)
    }
    this.#writeRow(target, targetStart)
    const outcome = strongest === LATER ? OUTCOME.refreshed : OUTCOME.changed
    const timeUs = this.#times.reduce((latest, time) => Math.max(latest, time), NEVER_DECIDED)
    return this.#end(this.#storedKind === 'row' ? outcome : OUTCOME.new, 'row', timeUs, rowBytes)
  }

  #mergedBytes(): number {
    let heapBytes = 0
    for (const position of this.#layout.heapOrder) {
      heapBytes += this.#origins[position]?.valueBytes(position) ?? 0
    }
    return this.#layout.fixedBytes + pad8(heapBytes)
  }

  #writeRow(target: Uint8Array, start: number): void {
    const { absentRow, slots, presenceStart, fixedBytes, heapOrder, features } = this.#layout
    target.set(absentRow, start)
    const row = new DataView(target.buffer, target.byteOffset + start, target.length - start)
    for (let position = 0; position < features.length; position++) {
      row.setFloat64(8 * position, this.#times[position]!, true)
      const origin = this.#origins[position]!
      if (origin === null) continue
      const at = start + presenceStart + (position >> 2)
      target[at] = target[at]! | (origin.presence(position) << (2 * (position & 3)))
      if (features[position]!.type.slotBytes > 0) {
        copyValue(origin, position, target, start + slots[position]!)
      }
    }
    let end = 0
    for (const position of heapOrder) {
      const origin = this.#origins[position]!
      if (origin !== null) end += copyValue(origin, position, target, start + fixedBytes + end)
      row.setUint32(slots[position]!, end, true)
    }
    target.fill(0, start + fixedBytes + end, start + fixedBytes + pad8(end))
  }

  #end(outcome: Outcome, write: StoredKind, timeUs: number, rowBytes: number): Outcome {
    this.outcome = outcome
    this.write = write
    this.timeUs = timeUs
    this.rowBytes = rowBytes
    return outcome
  }
}

function effectOf(outcome: Outcome): number {
  if (outcome === OUTCOME.unchanged) return SAME
  if (outcome === OUTCOME.older) return OLDER
  return outcome === OUTCOME.touched ? LATER : OTHER
}

function copyValue(origin: PlacedRow, position: number, target: Uint8Array, at: number): number {
  const bytes = origin.valueBytes(position)
  const from = origin.valueAt(position)
  for (let place = 0; place < bytes; place++) target[at + place] = origin.bytes[from + place]!
  return bytes
}
