/**
 * Memory for entries of different lengths, written one behind the other and taken back in that
 * order; behind the last place the first comes again. It knows where they lie, not what they hold.
 */

/** All places and lengths are counted in units of 8 bytes. */
export const UNIT_BYTES = 8

/** The first word of an entry: its length in units, and what flags its user puts above. */
export const UNITS_MASK = 0x1fff_ffff

/** Set on what is no entry any more, or never was. */
export const FLAG_DEAD = 0x2000_0000

export class RowRing {
  readonly words: Int32Array<ArrayBuffer>
  readonly doubles: Float64Array<ArrayBuffer>
  readonly units: number
  /** Where the next entry goes, where the oldest stands, and how many units lie between. */
  #head = 0
  #tail = 0
  #filled = 0

  constructor(bytes: number) {
    this.units = Math.floor(bytes / UNIT_BYTES)
    this.words = new Int32Array(this.units * 2)
    this.doubles = new Float64Array(this.words.buffer)
  }

  /** Where the next entry goes, as long as there is room for it. */
  get front(): number {
    return this.#head
  }

  /** Whether `append` may be called. An end of the memory too short for it is closed on the way. */
  hasRoom(units: number): boolean {
    const stretch = this.units - this.#head
    if (units > stretch && this.units - this.#filled >= stretch) {
      this.words[this.#head * 2] = stretch | FLAG_DEAD
      this.#take(stretch)
    }
    return units <= this.units - this.#head && units <= this.units - this.#filled
  }

  /** The place of a new entry; its first word holds its length already. */
  append(units: number): number {
    const place = this.#head
    this.words[place * 2] = units
    this.#take(units)
    return place
  }

  /**
   * The place of the oldest entry, which is none any more. Its bytes stay as they are until
   * something is written to the front.
   */
  removeOldest(): number {
    const place = this.#tail
    const units = this.words[place * 2]! & UNITS_MASK
    this.#filled -= units
    this.#tail = place + units === this.units ? 0 : place + units
    if (this.#filled === 0) {
      this.#head = 0
      this.#tail = 0
    }
    return place
  }

  #take(units: number): void {
    this.#filled += units
    this.#head = this.#head + units === this.units ? 0 : this.#head + units
  }
}
