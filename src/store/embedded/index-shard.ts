/**
 * One shard of the index: an open-addressing table in shared memory, 16 bytes an entry (u32
 * fingerprint, u32 location, f64 event time). One thread writes, every thread reads.
 *
 * An entry's home slot is its fingerprint scaled to the capacity, so a larger table is filled from a
 * smaller one without a look at any row, and nearly in order.
 */
import type { IndexSlab, ShardPlace } from './index-memory.ts'
import { LOCATION_EMPTY, LOCATION_REMOVED } from './segment.ts'

const INTS_PER_ENTRY = 4
const DOUBLES_PER_ENTRY = 2

export class IndexShard {
  readonly place: ShardPlace
  readonly capacity: number
  readonly #ints: Int32Array<SharedArrayBuffer>
  readonly #doubles: Float64Array<SharedArrayBuffer>
  readonly #start: number
  readonly #scale: number

  constructor(slab: IndexSlab, place: ShardPlace) {
    this.place = place
    this.capacity = place.capacity
    this.#ints = slab.ints
    this.#doubles = slab.doubles
    this.#start = place.start
    this.#scale = place.capacity / 2 ** 32
  }

  home(fingerprint: number): number {
    return ((fingerprint >>> 0) * this.#scale) | 0
  }

  next(slot: number): number {
    return slot + 1 === this.capacity ? 0 : slot + 1
  }

  fingerprint(slot: number): number {
    return this.#ints[(this.#start + slot) * INTS_PER_ENTRY]!
  }

  location(slot: number): number {
    return this.#ints[(this.#start + slot) * INTS_PER_ENTRY + 1]!
  }

  /** The location as it is after whatever was loaded before (a plain load may be done earlier). */
  locationNow(slot: number): number {
    return Atomics.load(this.#ints, (this.#start + slot) * INTS_PER_ENTRY + 1)
  }

  time(slot: number): number {
    return this.#doubles[(this.#start + slot) * DOUBLES_PER_ENTRY + 1]!
  }

  /**
   * First slot from `slot` on, in probing order, that holds this fingerprint; -1 if an empty one comes
   * first. A removed entry is passed over.
   */
  seek(fingerprint: number, from: number): number {
    for (let slot = from; ; slot = this.next(slot)) {
      const location = this.location(slot)
      if (location === LOCATION_EMPTY) return -1
      if (location !== LOCATION_REMOVED && this.fingerprint(slot) === fingerprint) return slot
    }
  }

  /** The slot that holds exactly this location, or -1. */
  find(fingerprint: number, location: number): number {
    for (let slot = this.home(fingerprint); ; slot = this.next(slot)) {
      const held = this.location(slot)
      if (held === location) return slot
      if (held === LOCATION_EMPTY) return -1
    }
  }

  /** Fills an empty slot. The location comes last: with it the entry appears, whole, to readers. */
  insert(fingerprint: number, location: number, timeUs: number): void {
    let slot = this.home(fingerprint)
    while (this.location(slot) !== LOCATION_EMPTY) slot = this.next(slot)
    const entry = this.#start + slot
    this.#ints[entry * INTS_PER_ENTRY] = fingerprint
    this.#doubles[entry * DOUBLES_PER_ENTRY + 1] = timeUs
    Atomics.store(this.#ints, entry * INTS_PER_ENTRY + 1, location)
  }

  /** Takes over every entry of a smaller table. No reader knows this one yet: plain stores do. */
  fillFrom(old: IndexShard): void {
    const source = old.#ints
    const sourceTimes = old.#doubles
    const ints = this.#ints
    const end = old.#start + old.capacity
    for (let from = old.#start; from < end; from++) {
      const location = source[from * INTS_PER_ENTRY + 1]!
      if (location >>> 0 <= LOCATION_REMOVED) continue
      const fingerprint = source[from * INTS_PER_ENTRY]!
      let slot = this.home(fingerprint)
      while (ints[(this.#start + slot) * INTS_PER_ENTRY + 1] !== LOCATION_EMPTY) {
        slot = this.next(slot)
      }
      const entry = this.#start + slot
      ints[entry * INTS_PER_ENTRY] = fingerprint
      ints[entry * INTS_PER_ENTRY + 1] = location
      this.#doubles[entry * DOUBLES_PER_ENTRY + 1] = sourceTimes[from * DOUBLES_PER_ENTRY + 1]!
    }
  }

  /**
   * Gives a slot's key a new version. The location comes first, and readers load the time before the
   * location: then they may see the new row beside the old time, which its own header corrects, but
   * never the old row beside the new time.
   */
  replace(slot: number, location: number, timeUs: number): void {
    const entry = this.#start + slot
    Atomics.store(this.#ints, entry * INTS_PER_ENTRY + 1, location)
    Atomics.load(this.#ints, entry * INTS_PER_ENTRY + 1) // keeps the store below behind the one above
    this.#doubles[entry * DOUBLES_PER_ENTRY + 1] = timeUs
  }

  /** The slot stays taken until the shard is rebuilt: a probe must not stop at it. */
  remove(slot: number): void {
    Atomics.store(this.#ints, (this.#start + slot) * INTS_PER_ENTRY + 1, LOCATION_REMOVED)
  }
}
