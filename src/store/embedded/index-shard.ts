/**
 * One shard of the index: an open-addressing table in shared memory, 16 bytes an entry (u32
 * fingerprint, u32 location, f64 event time). One thread writes, every thread reads.
 *
 * An entry's home slot is its fingerprint scaled to the capacity, so a larger table is filled from a
 * smaller one without a look at any row, and nearly in order.
 */
import { LOCATION_EMPTY, LOCATION_REMOVED } from './segment.ts'

export const INDEX_ENTRY_BYTES = 16
const INTS_PER_ENTRY = 4
const DOUBLES_PER_ENTRY = 2

export class IndexShard {
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
  readonly ints: Int32Array<SharedArrayBuffer>
  readonly doubles: Float64Array<SharedArrayBuffer>
  readonly #scale: number

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.capacity = buffer.byteLength / INDEX_ENTRY_BYTES
    this.ints = new Int32Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.#scale = this.capacity / 2 ** 32
  }

  home(fingerprint: number): number {
    return ((fingerprint >>> 0) * this.#scale) | 0
  }

  next(slot: number): number {
    return slot + 1 === this.capacity ? 0 : slot + 1
  }

  fingerprint(slot: number): number {
    return this.ints[slot * INTS_PER_ENTRY]!
  }

  location(slot: number): number {
    return Atomics.load(this.ints, slot * INTS_PER_ENTRY + 1)
  }

  time(slot: number): number {
    return this.doubles[slot * DOUBLES_PER_ENTRY + 1]!
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
    this.ints[slot * INTS_PER_ENTRY] = fingerprint
    this.doubles[slot * DOUBLES_PER_ENTRY + 1] = timeUs
    Atomics.store(this.ints, slot * INTS_PER_ENTRY + 1, location)
  }

  /**
   * Gives a slot's key a new version. The location comes first, and readers load the time before the
   * location: then they may see the new row beside the old time, which its own header corrects, but
   * never the old row beside the new time.
   */
  replace(slot: number, location: number, timeUs: number): void {
    Atomics.store(this.ints, slot * INTS_PER_ENTRY + 1, location)
    Atomics.load(this.ints, slot * INTS_PER_ENTRY + 1) // keeps the store below behind the one above
    this.doubles[slot * DOUBLES_PER_ENTRY + 1] = timeUs
  }

  /** The slot stays taken until the shard is rebuilt: a probe must not stop at it. */
  remove(slot: number): void {
    Atomics.store(this.ints, slot * INTS_PER_ENTRY + 1, LOCATION_REMOVED)
  }
}
