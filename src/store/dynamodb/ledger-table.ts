/**
 * What a ledger knows, in memory: for each key a fingerprint, a digest of its content and a time, in
 * open addressing over typed arrays. 256 shards, each grown alone and by a fifth: a table is never
 * less than three quarters full, and so a row costs at most 32 bytes, while growing as well.
 */

/** A slot: fingerprint, digest and time, 8 bytes each. */
const SLOT_BYTES = 24
const SLOT_WORDS = 6
const SLOT_DOUBLES = 3

const SHARDS = 256
const SLOTS_MIN = 16
/** Full to 0.9 before it grows, and to 0.75 after. */
const LOAD_MAX = 0.9
const GROWTH = 1.2

export type SeeEntry = (
  low: number,
  high: number,
  digestLow: number,
  digestHigh: number,
  timeUs: number,
) => void

export class LedgerTable {
  readonly #shards = Array.from({ length: SHARDS }, () => new Shard(SLOTS_MIN))
  rows = 0
  tombstones = 0

  /** What `find` found. A tombstone has the digest 0. */
  digestLow = 0
  digestHigh = 0
  timeUs = NaN

  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.slots * SLOT_BYTES, 0)
  }

  get isTombstone(): boolean {
    return this.digestLow === 0 && this.digestHigh === 0
  }

  /** A fingerprint is never 0: it marks an empty slot (`fingerprintOf` makes it 1). */
  find(low: number, high: number): boolean {
    const shard = this.#shards[high >>> 24]!
    const slot = shard.slotOf(low, high)
    const { words, doubles } = shard
    if (words[slot * SLOT_WORDS] === 0 && words[slot * SLOT_WORDS + 1] === 0) return false
    this.digestLow = words[slot * SLOT_WORDS + 2]!
    this.digestHigh = words[slot * SLOT_WORDS + 3]!
    this.timeUs = doubles[slot * SLOT_DOUBLES + 2]!
    return true
  }

  set(low: number, high: number, digestLow: number, digestHigh: number, timeUs: number): void {
    if (this.find(low, high)) this.#count(-1)
    let shard = this.#shards[high >>> 24]!
    if (shard.used + 1 > shard.slots * LOAD_MAX) {
      shard = shard.grown()
      this.#shards[high >>> 24] = shard
    }
    shard.put(low, high, digestLow, digestHigh, timeUs)
    this.digestLow = digestLow
    this.digestHigh = digestHigh
    this.timeUs = timeUs
    this.#count(1)
  }

  #count(by: number): void {
    if (this.isTombstone) this.tombstones += by
    else this.rows += by
  }

  get shards(): number {
    return SHARDS
  }

  /** Every entry, in no order; the table must not change meanwhile. */
  visit(see: SeeEntry): void {
    for (let shard = 0; shard < SHARDS; shard++) this.visitShard(shard, see)
  }

  visitShard(shard: number, see: SeeEntry): void {
    const { words, doubles, slots } = this.#shards[shard]!
    for (let slot = 0; slot < slots; slot++) {
      const at = slot * SLOT_WORDS
      const low = words[at]!
      const high = words[at + 1]!
      if (low === 0 && high === 0) continue
      see(low, high, words[at + 2]!, words[at + 3]!, doubles[slot * SLOT_DOUBLES + 2]!)
    }
  }
}

class Shard {
  readonly slots: number
  readonly words: Int32Array
  readonly doubles: Float64Array
  used = 0

  constructor(slots: number) {
    const bytes = new ArrayBuffer(slots * SLOT_BYTES)
    this.slots = slots
    this.words = new Int32Array(bytes)
    this.doubles = new Float64Array(bytes)
  }

  /** The slot of a fingerprint, or the empty one where it would stand. */
  slotOf(low: number, high: number): number {
    const { words, slots } = this
    let slot = (low >>> 0) % slots
    for (;;) {
      const at = slot * SLOT_WORDS
      if (words[at] === low && words[at + 1] === high) return slot
      if (words[at] === 0 && words[at + 1] === 0) return slot
      slot = slot + 1 === slots ? 0 : slot + 1
    }
  }

  put(low: number, high: number, digestLow: number, digestHigh: number, timeUs: number): void {
    const slot = this.slotOf(low, high)
    const at = slot * SLOT_WORDS
    if (this.words[at] === 0 && this.words[at + 1] === 0) this.used++
    this.words[at] = low
    this.words[at + 1] = high
    this.words[at + 2] = digestLow
    this.words[at + 3] = digestHigh
    this.doubles[slot * SLOT_DOUBLES + 2] = timeUs
  }

  grown(): Shard {
    const larger = new Shard(Math.ceil(this.slots * GROWTH))
    for (let slot = 0; slot < this.slots; slot++) {
      const at = slot * SLOT_WORDS
      const low = this.words[at]!
      const high = this.words[at + 1]!
      if (low === 0 && high === 0) continue
      const timeUs = this.doubles[slot * SLOT_DOUBLES + 2]!
      larger.put(low, high, this.words[at + 2]!, this.words[at + 3]!, timeUs)
    }
    return larger
  }
}
