/**
 * Finds the flight that a key may join: open addressing over the words of the keys, which stand in the
 * batches of their calls. A flight's number is its call's number and its place in that call's batch.
 */
import { grown } from '../../base/grown.ts'
import { KeyHasher } from '../key-hash.ts'
import type { ReadBatch } from '../read-batch.ts'
import { NONE } from './wait-lists.ts'

const SLOTS_MIN = 1024

export class FlightIndex {
  /** By the call's number. */
  readonly batches: ReadBatch[] = []
  readonly #placeBits: number
  readonly #placeMask: number
  /** Flight plus one; 0 is empty. */
  #slots = new Uint32Array(SLOTS_MIN)
  #mask = SLOTS_MIN - 1
  #size = 0
  /** For each flight its key's hash, and whether it may be joined. */
  #hashes = new Uint32Array(0)
  #joinable = new Uint8Array(0)

  constructor(placeBits: number) {
    this.#placeBits = placeBits
    this.#placeMask = (1 << placeBits) - 1
  }

  /** Flights that may be joined. */
  get size(): number {
    return this.#size
  }

  /** Room for flights below `count`. */
  growFlights(count: number): void {
    this.#hashes = grown(this.#hashes, new Uint32Array(count))
    this.#joinable = grown(this.#joinable, new Uint8Array(count))
  }

  /** The flight of the key whose `bytes` bytes start at the word `first`, zeros behind; or NONE. */
  find(hash: number, table: number, words: Uint32Array, first: number, bytes: number): number {
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const flight = slots[slot]! - 1
      if (this.#hashes[flight] !== hash) continue
      const batch = this.batches[flight >>> this.#placeBits]!
      const place = flight & this.#placeMask
      if (batch.tables[place] !== table || batch.keyBytes[place] !== bytes) continue
      if (equalWords(batch.keyWords, batch.keyStarts[place]! >> 2, words, first, bytes)) {
        return flight
      }
    }
    return NONE
  }

  /** Of a key that `find` did not find. */
  insert(flight: number, hash: number): void {
    if (this.#size * 2 >= this.#slots.length) this.#growSlots()
    this.#hashes[flight] = hash
    this.#joinable[flight] = 1
    this.#size++
    this.#put(flight, hash)
  }

  /** Does nothing for a flight that may not be joined. */
  remove(flight: number): void {
    if (this.#joinable[flight] === 0) return
    this.#joinable[flight] = 0
    this.#size--
    const slots = this.#slots
    const mask = this.#mask
    let hole = this.#hashes[flight]! & mask
    while (slots[hole] !== flight + 1) hole = (hole + 1) & mask
    // What stands behind moves up where the hole would cut it off from its home.
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashes[slots[slot]! - 1]! & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = slots[slot]!
      hole = slot
    }
    slots[hole] = 0
  }

  /** What may join `from` may join `to`, which has the same key; what may not, may not. */
  move(from: number, to: number): void {
    if (this.#joinable[from] === 0) return
    this.remove(from)
    this.insert(to, this.#hashes[from]!)
  }

  #put(flight: number, hash: number): void {
    let slot = hash & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = flight + 1
  }

  #growSlots(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    this.#mask = this.#slots.length - 1
    for (const kept of old) if (kept !== 0) this.#put(kept - 1, this.#hashes[kept - 1]!)
  }
}

/**
 * Seeded anew in every process: who asks for keys must not be able to choose such as lie side by side,
 * for they are walked through in one turn of the loop.
 */
const hasher = new KeyHasher(crypto.getRandomValues(new Int32Array(1))[0]!)

/** Keys are followed by zeros up to a multiple of 8 bytes. */
export function hashKey(table: number, words: Uint32Array, first: number, bytes: number): number {
  hasher.hash(words, first, bytes, table)
  return hasher.fingerprint >>> 0
}

function equalWords(
  left: Uint32Array,
  leftFirst: number,
  right: Uint32Array,
  rightFirst: number,
  bytes: number,
): boolean {
  for (let at = 0; at < (bytes + 3) >> 2; at++) {
    if (left[leftFirst + at] !== right[rightFirst + at]) return false
  }
  return true
}
