/**
 * Finds the entries of many keys. In stages over the whole batch, so that the memory accesses of
 * different keys overlap: hash all, touch all index lines, touch all rows, then verify the keys.
 */
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  ENTRY_MAGIC,
  isBody,
  isHeader,
  isPossible,
  keyBytesOf,
  tableOf,
  timeOf,
} from './log-entry.ts'
import type { IndexShard } from './index-shard.ts'
import { KeyHasher } from '../key-hash.ts'
import { LOCATION_EMPTY, LOCATION_REMOVED, slotOf, wordOf } from './segment.ts'
import type { SegmentMap } from './segment-map.ts'

/** Keys as ReadBatch and WriteBatch pack them. */
export type PackedKeys = {
  readonly words: Int32Array
  /** Byte offsets in the words, and lengths in bytes. */
  readonly starts: Uint32Array
  readonly bytes: Uint16Array
}

const NOTHING = 0
const ENTRY = 1
/** Bytes are there that are not what was written: the key may or may not be stored. */
const UNREADABLE = 2

const COUNT_MIN = 256
/** Words of a row that are touched ahead: one in each cache line of the first so many. */
const LINE_WORDS = 16
const TOUCHED_WORDS = 64
/** Words of a 4 KiB page, less 1. */
const PAGE_MASK = 1023

export class StagedLookup {
  /** The answer: LOCATION_EMPTY where nothing is stored. Of an entry also its event time. */
  locations = new Int32Array(COUNT_MIN)
  times = new Float64Array(COUNT_MIN)
  isUnreadable = new Uint8Array(COUNT_MIN)
  fingerprints = new Int32Array(COUNT_MIN)
  shardNumbers = new Uint8Array(COUNT_MIN)
  #slots = new Uint32Array(COUNT_MIN)
  #sink = 0
  readonly #hasher: KeyHasher
  readonly #shards: readonly IndexShard[]
  readonly #segments: SegmentMap

  constructor(seed: number, shards: readonly IndexShard[], segments: SegmentMap) {
    this.#hasher = new KeyHasher(seed)
    this.#shards = shards
    this.#segments = segments
  }

  /** Looks up keys `from` to `from + count`, key `from` being 0 in the answer. */
  find(keys: PackedKeys, tables: Uint16Array, from: number, count: number): void {
    if (count > this.locations.length) this.#grow(count)
    this.#hash(keys, tables, from, count)
    this.#touchIndex(count)
    for (let place = 0; place < count; place++) this.#seek(place, this.#slots[place]!)
    this.#touchRows(count)
    for (let place = 0; place < count; place++)
      this.#verify(keys, tables[from + place]!, from, place)
  }

  #hash(keys: PackedKeys, tables: Uint16Array, from: number, count: number): void {
    const hasher = this.#hasher
    for (let place = 0; place < count; place++) {
      const key = from + place
      hasher.hash(keys.words, keys.starts[key]! >> 2, keys.bytes[key]!, tables[key]!)
      this.fingerprints[place] = hasher.fingerprint
      this.shardNumbers[place] = hasher.shard
    }
  }

  #touchIndex(count: number): void {
    let sink = 0
    for (let place = 0; place < count; place++) {
      const shard = this.#shards[this.shardNumbers[place]!]!
      const slot = shard.home(this.fingerprints[place]!)
      this.#slots[place] = slot
      sink ^= shard.fingerprint(slot)
    }
    this.#sink ^= sink // so that the loads are not optimised away
  }

  /** Finds the next entry with the key's fingerprint, from a slot on. */
  #seek(place: number, from: number): void {
    const shard = this.#shards[this.shardNumbers[place]!]!
    const fingerprint = this.fingerprints[place]!
    this.isUnreadable[place] = 0
    for (let slot = from; ; slot = shard.next(slot)) {
      slot = shard.seek(fingerprint, slot)
      if (slot < 0) {
        this.locations[place] = LOCATION_EMPTY
        return
      }
      this.times[place] = shard.time(slot)
      const location = shard.locationNow(slot) // after the time: see IndexShard.replace
      if (location === LOCATION_REMOVED) continue
      this.locations[place] = location
      this.#slots[place] = slot
      return
    }
  }

  #touchRows(count: number): void {
    let sink = 0
    for (let place = 0; place < count; place++) {
      const location = this.locations[place]!
      if (location === LOCATION_EMPTY) continue
      const words = this.#viewOf(location)?.words
      if (words === undefined) continue
      const first = wordOf(location)
      // Not beyond its page: behind the last entry of the log there may be none (see data-end.ts).
      const end = Math.min(first + TOUCHED_WORDS, (first | PAGE_MASK) + 1, words.length)
      for (let word = first; word < end; word += LINE_WORDS) sink ^= words[word]!
    }
    this.#sink ^= sink
  }

  #verify(keys: PackedKeys, table: number, from: number, place: number): void {
    while (this.locations[place] !== LOCATION_EMPTY) {
      const location = this.locations[place]!
      const found = this.#compare(keys, table, from + place, location)
      if (found === ENTRY) {
        const view = this.#segments.view(slotOf(location))
        this.times[place] = Math.max(this.times[place]!, timeOf(view.doubles, wordOf(location)))
        return
      }
      if (found === UNREADABLE) {
        this.isUnreadable[place] = 1
        return
      }
      const shard = this.#shards[this.shardNumbers[place]!]!
      this.#seek(place, shard.next(this.#slots[place]!))
    }
  }

  /** What stands at a location: the key's entry, another key's (NOTHING), or what can't be read. */
  #compare(keys: PackedKeys, table: number, key: number, location: number): number {
    const view = this.#viewOf(location)
    const at = wordOf(location)
    if (view === undefined || !this.#isReadable(view, at, slotOf(location))) return UNREADABLE
    const { words } = view
    const keyBytes = keys.bytes[key]!
    if (tableOf(words, at) !== table || keyBytesOf(words, at) !== keyBytes) return NOTHING
    const wanted = keys.starts[key]! >> 2
    const held = at + BODY_WORD
    const count = ((keyBytes + 7) >> 3) * 2
    for (let word = 0; word < count; word++) {
      if (keys.words[wanted + word] !== words[held + word]) return NOTHING
    }
    return ENTRY
  }

  #isReadable(view: LogView, at: number, slot: number): boolean {
    if (this.#segments.slots.isChecked(slot)) {
      return view.words[at] === ENTRY_MAGIC && isPossible(view.words, at)
    }
    return isHeader(view, at) && isBody(view, at)
  }

  /** Undefined if the file can't be mapped: then its keys are unreadable, and others go on. */
  #viewOf(location: number): LogView | undefined {
    try {
      return this.#segments.view(slotOf(location))
    } catch {
      return undefined
    }
  }

  #grow(count: number): void {
    this.locations = new Int32Array(count)
    this.times = new Float64Array(count)
    this.isUnreadable = new Uint8Array(count)
    this.fingerprints = new Int32Array(count)
    this.shardNumbers = new Uint8Array(count)
    this.#slots = new Uint32Array(count)
  }
}
