/**
 * Rows by table and key in one fixed piece of memory, each with the time it was read at. The oldest
 * make room for new ones; one that was asked for since it was written is carried to the front once.
 *
 * An entry is HEAD_WORDS words, the key, and the row, each padded to 8 bytes. A layout of 0 says
 * that the key has no row. Words: length in units and flags; hash; table and, above it, layout; key
 * bytes; then two doubles: the row's event time, and when it was read.
 */
import type { KeyCursor } from './key-cursor.ts'
import { tableHash } from './key-cursor.ts'
import { FLAG_DEAD, RowRing, UNIT_BYTES, UNITS_MASK } from './row-ring.ts'
import { NOWHERE, SlotIndex } from './slot-index.ts'

const HEAD_WORDS = 8
const HEAD_UNITS = 4
const TIME_UNIT = 2
const AS_OF_UNIT = 3

/** Set on an entry that was asked for since it was written or carried. */
const FLAG_ASKED = 0x4000_0000

/** Entries carried to the front for one new entry: bounds what it may cost. */
const CARRIED_MAX = 16

/** One slot of the index (8 bytes) for so many bytes in all: entries are seldom shorter. */
const BYTES_PER_SLOT = 64

/** Longer rows are copied by a call, shorter ones by a loop. */
const COPY_CALL_WORDS_MIN = 128

/** Words of an entry that are touched ahead: one in each cache line of the first so many. */
const LINE_WORDS = 16
const TOUCHED_WORDS = 96

export class KeptRows {
  /** Entries that were let go for want of room. */
  evicted = 0
  /** Bytes of the entries that are there. */
  bytesUsed = 0
  readonly #ring: RowRing
  readonly #index: SlotIndex

  /** Index and rows together take at most `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#index = new SlotIndex(powerOfTwoWithin(bytesMax / BYTES_PER_SLOT))
    this.#ring = new RowRing(Math.max(0, bytesMax - this.#index.bytes))
  }

  get entries(): number {
    return this.#index.entries
  }

  /** The place of the key's entry, or NOWHERE. Valid until the next call that adds or drops. */
  find(key: KeyCursor, table: number): number {
    return this.#findAmong(key, table, tableHash(key.hash, table))
  }

  /** First of three steps that find many keys with their memory accesses overlapping. */
  touchIndex(hash: number): number {
    return this.#index.touch(hash)
  }

  /** Second step: the place of the first entry with the hash, most likely the key's, or NOWHERE. */
  firstPlace(hash: number): number {
    const slot = this.#index.first(hash)
    return slot === NOWHERE ? NOWHERE : this.#index.placeAt(slot)
  }

  /** Third step: brings what stands there into the processor's cache. */
  touchEntry(place: number): number {
    const { words } = this.#ring
    const first = place * 2
    const end = Math.min(first + TOUCHED_WORDS, words.length)
    let sink = 0
    for (let word = first; word < end; word += LINE_WORDS) sink ^= words[word]!
    return sink
  }

  /** Last step: `find` with the hash at hand, and the place that the second step gave. */
  findHashed(key: KeyCursor, table: number, hash: number, first: number): number {
    if (first === NOWHERE || this.#isOf(first, key, table)) return first
    return this.#findAmong(key, table, hash)
  }

  asOfMs(place: number): number {
    return this.#ring.doubles[place + AS_OF_UNIT]!
  }

  timeUs(place: number): number {
    return this.#ring.doubles[place + TIME_UNIT]!
  }

  /** The row's layout; 0: there is no row. */
  layout(place: number): number {
    return this.#ring.words[place * 2 + 2]! >>> 16
  }

  rowBytes(place: number): number {
    return (this.#units(place) - HEAD_UNITS - this.#keyUnits(place)) * UNIT_BYTES
  }

  /** Lets the entry outlive those that nobody asked for. */
  markAsked(place: number): void {
    this.#ring.words[place * 2]! |= FLAG_ASKED
  }

  /** Copies the entry's row to a place counted in words. */
  copyRow(place: number, target: Int32Array, to: number): void {
    copyWords(this.#ring.words, this.#rowWord(place), target, to, this.rowBytes(place) >> 2)
  }

  /**
   * The place of an entry for the key, its own or a new one, whose row and description the caller
   * writes at once. NOWHERE if it is longer than the memory: then there is none of that key.
   */
  make(key: KeyCursor, table: number, rowBytes: number): number {
    const hash = tableHash(key.hash, table)
    const units = HEAD_UNITS + unitsOf(key.bytes) + unitsOf(rowBytes)
    const held = this.#findAmong(key, table, hash)
    if (held !== NOWHERE) {
      if (this.#units(held) === units) return held
      this.drop(held)
    }
    if (units > this.#ring.units || this.#index.entriesMax === 0) return NOWHERE
    const place = this.#append(units)
    this.#writeKey(place, key, table, hash)
    this.#index.insert(hash, place)
    this.bytesUsed += units * UNIT_BYTES
    return place
  }

  describe(place: number, layout: number, timeUs: number, asOfMs: number): void {
    const table = this.#ring.words[place * 2 + 2]! & 0xffff
    this.#ring.words[place * 2 + 2] = table | (layout << 16)
    this.#ring.doubles[place + TIME_UNIT] = timeUs
    this.#ring.doubles[place + AS_OF_UNIT] = asOfMs
  }

  /** Fills the row of an entry, of the length it was made with, from a place counted in words. */
  writeRow(place: number, source: Int32Array, from: number): void {
    copyWords(source, from, this.#ring.words, this.#rowWord(place), this.rowBytes(place) >> 2)
  }

  isRow(place: number, row: Uint8Array): boolean {
    const start = this.#rowWord(place) * 4
    const held = new Uint8Array(this.#ring.words.buffer, start, this.rowBytes(place))
    return Buffer.compare(held, row) === 0
  }

  drop(place: number): void {
    const { words } = this.#ring
    this.#index.remove(words[place * 2 + 1]!, place)
    this.bytesUsed -= this.#units(place) * UNIT_BYTES
    words[place * 2]! |= FLAG_DEAD
  }

  #findAmong(key: KeyCursor, table: number, hash: number): number {
    const index = this.#index
    for (let slot = index.first(hash); slot !== NOWHERE; slot = index.next(hash, slot)) {
      const place = index.placeAt(slot)
      if (this.#isOf(place, key, table)) return place
    }
    return NOWHERE
  }

  #isOf(place: number, key: KeyCursor, table: number): boolean {
    const { words } = this.#ring
    const at = place * 2
    if ((words[at + 2]! & 0xffff) !== table || words[at + 3] !== key.bytes) return false
    const count = unitsOf(key.bytes) * 2
    for (let word = 0; word < count; word++) {
      if (words[at + HEAD_WORDS + word] !== key.words[key.start + word]) return false
    }
    return true
  }

  #append(units: number): number {
    const ring = this.#ring
    const index = this.#index
    let carried = 0
    while (index.entries >= index.entriesMax || !ring.hasRoom(units)) {
      if (this.#evictOldest(carried < CARRIED_MAX)) carried++
    }
    return ring.append(units)
  }

  /** Whether the oldest entry was carried to the front, and so made no room. */
  #evictOldest(mayCarry: boolean): boolean {
    const ring = this.#ring
    const place = ring.removeOldest()
    const first = ring.words[place * 2]!
    if ((first & FLAG_DEAD) !== 0) return false
    const units = first & UNITS_MASK
    if (mayCarry && (first & FLAG_ASKED) !== 0 && ring.hasRoom(units)) {
      this.#carry(place, units)
      return true
    }
    this.#index.remove(ring.words[place * 2 + 1]!, place)
    this.bytesUsed -= units * UNIT_BYTES
    this.evicted++
    return false
  }

  /** To the front: entries may overlap, and so the first word is written last. */
  #carry(place: number, units: number): void {
    const { words } = this.#ring
    const hash = words[place * 2 + 1]!
    const to = this.#ring.front
    words.copyWithin(to * 2, place * 2, (place + units) * 2)
    this.#ring.append(units)
    this.#index.move(hash, place, to)
  }

  #writeKey(place: number, key: KeyCursor, table: number, hash: number): void {
    const { words } = this.#ring
    const at = place * 2
    words[at + 1] = hash
    words[at + 2] = table
    words[at + 3] = key.bytes
    copyWords(key.words, key.start, words, at + HEAD_WORDS, unitsOf(key.bytes) * 2)
  }

  #units(place: number): number {
    return this.#ring.words[place * 2]! & UNITS_MASK
  }

  #keyUnits(place: number): number {
    return unitsOf(this.#ring.words[place * 2 + 3]!)
  }

  #rowWord(place: number): number {
    return (place + HEAD_UNITS + this.#keyUnits(place)) * 2
  }
}

const unitsOf = (bytes: number): number => (bytes + UNIT_BYTES - 1) >>> 3

/** The largest power of two that is not above `count`, and at least 2. */
export const powerOfTwoWithin = (count: number): number =>
  2 ** Math.max(1, Math.floor(Math.log2(count)))

function copyWords(
  source: Int32Array,
  from: number,
  target: Int32Array,
  to: number,
  count: number,
): void {
  if (count >= COPY_CALL_WORDS_MIN) target.set(source.subarray(from, from + count), to)
  else for (let word = 0; word < count; word++) target[to + word] = source[from + word]!
}
