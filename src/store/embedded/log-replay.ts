/** Puts the entries of whole groups into the index: the highest sequence number of a key wins. */
import { Fault } from '../../base/fault.ts'
import { KeyHasher } from '../key-hash.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  KIND_ROW,
  KIND_TOMBSTONE,
  KIND_TOUCH,
  TOUCH_BYTES,
  WORD_TABLE,
  entryBytesOf,
  isHeader,
  keyBytesOf,
  kindOf,
  layoutOf,
  rowBytesOf,
  sequenceOf,
  tableOf,
  timeOf,
} from './log-entry.ts'
import type { LogState } from './log-state.ts'
import { locationOf, slotOf, wordOf } from './segment.ts'
import type { Segment } from './segments.ts'

/** Entries whose index lines are touched before any of them is looked up. */
const STAGE_ENTRIES = 256

const NOWHERE = -1

export class LogReplay {
  readonly #state: LogState
  readonly #hasher: KeyHasher
  readonly #isDropped: ReadonlySet<number>
  readonly #staged = new Uint32Array(STAGE_ENTRIES)
  readonly #fingerprints = new Int32Array(STAGE_ENTRIES)
  readonly #shardNumbers = new Uint8Array(STAGE_ENTRIES)
  #stagedCount = 0
  #sink = 0
  #touches: { readonly view: LogView; readonly at: number }[] = []

  constructor(state: LogState) {
    this.#state = state
    this.#hasher = new KeyHasher(state.place.identity.hashSeed)
    const dropped = state.tables.tables.filter((table) => table.isDropped)
    this.#isDropped = new Set(dropped.map((table) => table.table))
  }

  /** Takes in the entries of a whole group, from byte `start` to its group end. */
  add(segment: Segment, view: LogView, start: number, count: number): void {
    let at = start / 4
    for (let entry = 0; entry < count; entry++) {
      this.#take(segment, view, at)
      at += entryBytesOf(view.words, at) / 4
    }
    this.#insertStaged(segment, view)
  }

  /** Applies the touches, when every segment was added: only then is it known which versions won. */
  finish(): void {
    for (const { view, at } of this.#touches) {
      const count = rowBytesOf(view.words, at) / TOUCH_BYTES
      for (let touch = 0; touch < count; touch++) {
        this.#applyTouch(view, at + BODY_WORD + touch * (TOUCH_BYTES / 4))
      }
    }
    this.#touches = []
  }

  #take(segment: Segment, view: LogView, at: number): void {
    const sequence = sequenceOf(view.doubles, at)
    this.#state.lastSequence = Math.max(this.#state.lastSequence, sequence)
    segment.sequenceMin = Math.min(segment.sequenceMin, sequence)
    const kind = kindOf(view.words, at)
    if (kind === KIND_TOUCH) {
      this.#touches.push({ view, at })
      segment.touches += rowBytesOf(view.words, at) / TOUCH_BYTES
      return
    }
    if (kind !== KIND_ROW && kind !== KIND_TOMBSTONE) return
    if (this.#isDropped.has(tableOf(view.words, at))) return
    this.#checkNumbers(segment, view.words, at)
    if (this.#stagedCount === STAGE_ENTRIES) this.#insertStaged(segment, view)
    this.#staged[this.#stagedCount] = at
    this.#hash(view.words, at)
    this.#fingerprints[this.#stagedCount] = this.#hasher.fingerprint
    this.#shardNumbers[this.#stagedCount++] = this.#hasher.shard
  }

  #hash(words: Int32Array, at: number): void {
    this.#hasher.hash(words, at + BODY_WORD, keyBytesOf(words, at), tableOf(words, at))
  }

  /** What TABLES does not have it has lost: it is durable before the first row that names it. */
  #checkNumbers(segment: Segment, words: Int32Array, at: number): void {
    const { tables, layouts } = this.#state.tables
    if (tableOf(words, at) <= tables.length && layoutOf(words, at) <= layouts.length) return
    const named = words[at + WORD_TABLE]! >>> 0
    throw new Fault(
      'store_damaged',
      `a row names table ${named & 0xffff} and layout ${named >>> 16}, which TABLES does not have`,
      { where: `${this.#state.map.path(segment.slot)}, offset ${at * 4}` },
    )
  }

  #insertStaged(segment: Segment, view: LogView): void {
    const { index } = this.#state
    let sink = 0
    for (let place = 0; place < this.#stagedCount; place++) {
      const shard = index.shards[this.#shardNumbers[place]!]!
      sink ^= shard.fingerprint(shard.home(this.#fingerprints[place]!))
    }
    this.#sink ^= sink // so that the loads are not optimised away
    for (let place = 0; place < this.#stagedCount; place++) {
      const shard = this.#shardNumbers[place]!
      this.#insert(segment, view, this.#staged[place]!, shard, this.#fingerprints[place]!)
    }
    this.#stagedCount = 0
  }

  #insert(segment: Segment, view: LogView, at: number, shard: number, fingerprint: number): void {
    const { index } = this.#state
    const location = locationOf(segment.slot, at * 4)
    const timeUs = timeOf(view.doubles, at)
    const slot = this.#slotOfKey(view.words, at, shard, fingerprint)
    if (slot === NOWHERE) {
      if (index.mustGrow(shard, 1)) {
        index.grow(shard, 1)
        index.leave(shard)
      }
      index.insert(shard, fingerprint, location, timeUs)
    } else {
      const held = index.shards[shard]!.location(slot)
      if (!this.#isLater(segment, view, at, held)) return
      this.#state.debit(held, index.shards[shard]!.time(slot))
      index.shards[shard]!.replace(slot, location, timeUs)
    }
    this.#state.credit(segment, view, at)
  }

  /** The slot in the shard that holds the key of the entry at word `at`. */
  #slotOfKey(words: Int32Array, at: number, shard: number, fingerprint: number): number {
    const table = this.#state.index.shards[shard]!
    let slot = table.seek(fingerprint, table.home(fingerprint))
    while (slot >= 0 && !this.#hasSameKey(words, at, table.location(slot))) {
      slot = table.seek(fingerprint, table.next(slot))
    }
    return slot < 0 ? NOWHERE : slot
  }

  #hasSameKey(words: Int32Array, at: number, location: number): boolean {
    const held = this.#state.map.view(slotOf(location)).words
    const heldAt = wordOf(location)
    const keyBytes = keyBytesOf(words, at)
    if (keyBytesOf(held, heldAt) !== keyBytes) return false
    if (tableOf(held, heldAt) !== tableOf(words, at)) return false
    const count = ((keyBytes + 7) >> 3) * 2
    for (let word = BODY_WORD; word < BODY_WORD + count; word++) {
      if (held[heldAt + word] !== words[at + word]) return false
    }
    return true
  }

  /**
   * Of two copies with one number the one with the later event time, for touches are folded into it;
   * then the one that compaction made last, for touches since then name it.
   */
  #isLater(segment: Segment, view: LogView, at: number, held: number): boolean {
    const { doubles } = this.#state.map.view(slotOf(held))
    const sequence = sequenceOf(view.doubles, at)
    const heldSequence = sequenceOf(doubles, wordOf(held))
    if (sequence !== heldSequence) return sequence > heldSequence
    const timeUs = timeOf(view.doubles, at)
    const heldUs = timeOf(doubles, wordOf(held))
    if (timeUs !== heldUs) return timeUs > heldUs
    const heldSegment = this.#state.segments.in(slotOf(held))!
    const isCopy = segment.horizon > 0
    const isHeldCopy = heldSegment.horizon > 0
    return isCopy === isHeldCopy ? segment.id > heldSegment.id : isCopy
  }

  /**
   * A touch names an entry by location and number. It counts for the version that won, whichever copy of
   * it the index holds: compaction may have been cut off between copying and forgetting.
   */
  #applyTouch(view: LogView, word: number): void {
    const { segments, map, index } = this.#state
    const location = view.words[word]!
    const segment = segments.in(slotOf(location))
    const at = wordOf(location)
    if (segment === undefined || at * 4 >= segment.end) return
    const named = map.view(segment.slot)
    // Another file may have the slot since: then what is there need not even be an entry's beginning.
    if (!isHeader(named, at)) return
    if ((sequenceOf(named.doubles, at) | 0) !== view.words[word + 1]) return
    this.#hash(named.words, at)
    const { shard, fingerprint } = this.#hasher
    const slot = this.#slotOfKey(named.words, at, shard, fingerprint)
    if (slot === NOWHERE) return
    const table = index.shards[shard]!
    const held = table.location(slot)
    const { doubles } = map.view(slotOf(held))
    if (sequenceOf(doubles, wordOf(held)) !== sequenceOf(named.doubles, at)) return
    const timeUs = view.doubles[(word >> 1) + 1]!
    const heldUs = table.time(slot)
    if (timeUs <= heldUs) return
    if (heldUs === timeOf(doubles, wordOf(held))) this.#state.touched++
    table.replace(slot, held, timeUs)
  }
}
