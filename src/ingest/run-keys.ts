/**
 * Two numbers for each key met in a run, in packed arrays: open addressing by a 64-bit hash. Two keys
 * with one hash count as one; among the most that a table holds the chance of that is 1 in 8,000.
 */
import { Fault } from '../base/fault.ts'
import { RUN_KEYS_MAX } from '../base/limits.ts'

const SLOTS_MIN = 1024
/** A search ends soon as long as a quarter is empty. */
const LOAD_MAX = 0.75

export class RunKeys {
  /** By slot: what the user of the table keeps for the key. */
  first = new Float64Array(SLOTS_MIN)
  second = new Float64Array(SLOTS_MIN)
  count = 0
  /** True if the key of the last `slotOf` was not there before. */
  isNew = false
  readonly #keysMax: number
  #high = new Int32Array(SLOTS_MIN)
  #low = new Int32Array(SLOTS_MIN)

  constructor(keysMax: number = RUN_KEYS_MAX) {
    this.#keysMax = keysMax
  }

  /** The slot of a key, which is made if it is not there. Valid until the next call. */
  slotOf(keys: Uint8Array, start: number, bytes: number): number {
    if (this.count + 1 > this.#high.length * LOAD_MAX) this.#grow()
    const hash = Bun.hash.xxHash3(keys.subarray(start, start + bytes))
    const low = Number(hash & 0xffff_ffffn) | 0
    // The high half 0 marks an empty slot.
    const high = Number(hash >> 32n) | 0 || 1
    const slot = this.#find(this.#high, this.#low, high, low)
    this.isNew = this.#high[slot] === 0
    if (this.isNew) this.#add(slot, high, low)
    return slot
  }

  #find(highs: Int32Array, lows: Int32Array, high: number, low: number): number {
    let slot = (low >>> 0) % highs.length
    while (highs[slot] !== 0 && (highs[slot] !== high || lows[slot] !== low)) {
      slot = slot + 1 === highs.length ? 0 : slot + 1
    }
    return slot
  }

  #add(slot: number, high: number, low: number): void {
    if (this.count === this.#keysMax) {
      throw new Fault('too_large', `the run has more than ${this.#keysMax} keys`, {
        allowed: 'runs over a part of the files at a time: the outcome is the same',
      })
    }
    this.#high[slot] = high
    this.#low[slot] = low
    this.count++
  }

  #grow(): void {
    const old = { high: this.#high, low: this.#low, first: this.first, second: this.second }
    const slots = old.high.length * 2
    this.#high = new Int32Array(slots)
    this.#low = new Int32Array(slots)
    this.first = new Float64Array(slots)
    this.second = new Float64Array(slots)
    for (let from = 0; from < old.high.length; from++) {
      const high = old.high[from]!
      if (high === 0) continue
      const slot = this.#find(this.#high, this.#low, high, old.low[from]!)
      this.#high[slot] = high
      this.#low[slot] = old.low[from]!
      this.first[slot] = old.first[from]!
      this.second[slot] = old.second[from]!
    }
  }
}
