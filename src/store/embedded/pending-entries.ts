/** What the group in the making does to the index: one place for each key it writes or touches. */
import { grown } from '../../base/grown.ts'

const COUNT_MIN = 1024
const NONE = -1

/** A place's `at` when the held entry is only touched, or leaves the index. */
export const TOUCHED = -1
export const DROPPED = -2

export class PendingEntries {
  count = 0
  fingerprints = new Int32Array(COUNT_MIN)
  shardNumbers = new Uint8Array(COUNT_MIN)
  /** Location that the index holds now (LOCATION_EMPTY: none), and its time there. */
  held = new Int32Array(COUNT_MIN)
  heldTimes = new Float64Array(COUNT_MIN)
  /** First word in the group of the key's new entry, or one of the above; and the key's new time. */
  at = new Int32Array(COUNT_MIN)
  times = new Float64Array(COUNT_MIN)
  touchedCount = 0
  /** Chains of places by the low bits of the fingerprint. */
  #nexts = new Int32Array(COUNT_MIN)
  #heads = new Int32Array(2 * COUNT_MIN).fill(NONE)

  clear(): void {
    const mask = this.#heads.length - 1
    for (let place = 0; place < this.count; place++) {
      this.#heads[this.fingerprints[place]! & mask] = NONE
    }
    this.count = 0
    this.touchedCount = 0
  }

  /** First place whose fingerprint may be this one, or -1; then `next`. */
  first(fingerprint: number): number {
    return this.#heads[fingerprint & (this.#heads.length - 1)]!
  }

  next(place: number): number {
    return this.#nexts[place]!
  }

  /** A place for a key that had none. The caller fills in the rest. */
  add(fingerprint: number): number {
    if (this.count === this.at.length) this.#grow()
    const place = this.count++
    this.fingerprints[place] = fingerprint
    this.#link(place)
    return place
  }

  #link(place: number): void {
    const head = this.fingerprints[place]! & (this.#heads.length - 1)
    this.#nexts[place] = this.#heads[head]!
    this.#heads[head] = place
  }

  #grow(): void {
    const count = this.count * 2
    this.fingerprints = grown(this.fingerprints, new Int32Array(count))
    this.shardNumbers = grown(this.shardNumbers, new Uint8Array(count))
    this.held = grown(this.held, new Int32Array(count))
    this.heldTimes = grown(this.heldTimes, new Float64Array(count))
    this.at = grown(this.at, new Int32Array(count))
    this.times = grown(this.times, new Float64Array(count))
    this.#nexts = new Int32Array(count)
    this.#heads = new Int32Array(2 * count).fill(NONE)
    for (let place = 0; place < this.count; place++) this.#link(place)
  }
}
