/** Where entries lie, by the hash of their keys: open addressing, of a fixed size. */

/** No slot, and no place. */
export const NOWHERE = -1

const SLOT_WORDS = 2

/** More than this share of slots taken makes the walks from slot to slot long. */
const LOAD_MAX = 0.75

export class SlotIndex {
  entries = 0
  readonly entriesMax: number
  readonly bytes: number
  readonly #mask: number
  /** For each slot a hash, and the place of its entry plus one; 0 is empty. */
  readonly #words: Int32Array

  /** `slots` is a power of two. */
  constructor(slots: number) {
    this.#mask = slots - 1
    this.#words = new Int32Array(slots * SLOT_WORDS)
    this.bytes = this.#words.byteLength
    this.entriesMax = Math.floor(slots * LOAD_MAX)
  }

  /** Brings the slot of a hash into the processor's cache. */
  touch(hash: number): number {
    return this.#words[(hash & this.#mask) * SLOT_WORDS]!
  }

  /** The first slot that has the hash, or NOWHERE. */
  first(hash: number): number {
    return this.#seek(hash, hash & this.#mask)
  }

  /** The next slot behind `slot` that has the hash, or NOWHERE. */
  next(hash: number, slot: number): number {
    return this.#seek(hash, (slot + 1) & this.#mask)
  }

  placeAt(slot: number): number {
    return this.#words[slot * SLOT_WORDS + 1]! - 1
  }

  /** Needs `entries` below `entriesMax`. */
  insert(hash: number, place: number): void {
    let slot = hash & this.#mask
    while (this.#words[slot * SLOT_WORDS + 1] !== 0) slot = (slot + 1) & this.#mask
    this.#write(slot, hash, place + 1)
    this.entries++
  }

  /** An entry that is there lies elsewhere now. */
  move(hash: number, from: number, to: number): void {
    this.#words[this.#slotOf(hash, from) * SLOT_WORDS + 1] = to + 1
  }

  /** An entry that is there is no more: those behind it close up. */
  remove(hash: number, place: number): void {
    const mask = this.#mask
    let hole = this.#slotOf(hash, place)
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const taken = this.#words[slot * SLOT_WORDS + 1]!
      if (taken === 0) break
      const moved = this.#words[slot * SLOT_WORDS]!
      if (((slot - moved) & mask) < ((slot - hole) & mask)) continue // starts behind the hole
      this.#write(hole, moved, taken)
      hole = slot
    }
    this.#write(hole, 0, 0)
    this.entries--
  }

  #slotOf(hash: number, place: number): number {
    let slot = hash & this.#mask
    while (this.#words[slot * SLOT_WORDS + 1] !== place + 1) slot = (slot + 1) & this.#mask
    return slot
  }

  #seek(hash: number, from: number): number {
    const words = this.#words
    for (let slot = from; ; slot = (slot + 1) & this.#mask) {
      if (words[slot * SLOT_WORDS + 1] === 0) return NOWHERE
      if (words[slot * SLOT_WORDS] === hash) return slot
    }
  }

  #write(slot: number, hash: number, taken: number): void {
    this.#words[slot * SLOT_WORDS] = hash
    this.#words[slot * SLOT_WORDS + 1] = taken
  }
}
