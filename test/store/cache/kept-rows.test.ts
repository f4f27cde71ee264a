/** Rows in bounded memory, against a map: every row that is found is whole and the one last put. */
import { expect, test } from 'bun:test'
import { KEY_BYTES_MAX, ROW_BYTES_MAX } from '../../../src/base/limits.ts'
import { KeptRows } from '../../../src/store/cache/kept-rows.ts'
import type { KeyHash } from '../../../src/store/cache/key-cursor.ts'
import { KeyCursor } from '../../../src/store/cache/key-cursor.ts'
import { NOWHERE, SlotIndex } from '../../../src/store/cache/slot-index.ts'
import { KeyHasher } from '../../../src/store/key-hash.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'

type Kept = {
  readonly words: Int32Array<ArrayBuffer>
  readonly layout: number
  readonly timeUs: number
}

const textOf = (table: number, id: number): string => `${table}/${id}`

/** Few hashes, so that most keys share theirs with others. */
class PoorHasher implements KeyHash {
  fingerprint = 0

  hash(words: Int32Array, start: number): void {
    this.fingerprint = words[start]! & 3
  }
}

class Run {
  readonly #random: SeededRandom
  readonly #key: KeyCursor
  readonly #rows: KeptRows
  readonly #bytesMax: number
  readonly #model = new Map<string, Kept>()
  found = 0

  constructor(random: SeededRandom, hasher: KeyHash, bytesMax: number) {
    this.#random = random
    this.#key = new KeyCursor(hasher)
    this.#rows = new KeptRows(bytesMax)
    this.#bytesMax = bytesMax
  }

  get evicted(): number {
    return this.#rows.evicted
  }

  step(): void {
    const choice = this.#random.below(100)
    const table = 1 + this.#random.below(3)
    const id = this.#random.below(this.#random.pick([10, 200]))
    this.#pointAt(id)
    if (choice < 50) this.#put(table, id)
    else if (choice < 60) this.#drop(table, id)
    else this.#check(table, id)
    expect(this.#rows.bytesUsed).toBeWithin(0, this.#bytesMax + 1)
  }

  checkAll(): void {
    let bytes = 0
    let entries = 0
    for (const text of this.#model.keys()) {
      const [table, id] = text.split('/').map(Number)
      this.#pointAt(id!)
      const place = this.#check(table!, id!)
      if (place === NOWHERE) continue
      entries++
      bytes += 32 + keyLength(id!) + this.#rows.rowBytes(place)
    }
    expect({ entries, bytes }).toEqual({
      entries: this.#rows.entries,
      bytes: this.#rows.bytesUsed,
    })
  }

  #pointAt(id: number): void {
    const bytes = keyLength(id)
    const keys = new Uint8Array(bytes)
    new Int32Array(keys.buffer).fill(id)
    this.#key.open({ keys, keyStarts: new Uint32Array(1), keyBytes: Uint16Array.of(bytes) })
    this.#key.moveTo(0)
  }

  #put(table: number, id: number): void {
    const random = this.#random
    const words = new Int32Array(2 * random.below(random.pick([4, 40, 600])))
    words.forEach((_, at) => (words[at] = random.below(2 ** 32)))
    const kept = { words, layout: random.below(65536), timeUs: random.below(2 ** 32) }
    const place = this.#rows.make(this.#key, table, words.byteLength)
    this.#model.delete(textOf(table, id))
    if (place === NOWHERE) {
      expect(32 + keyLength(id) + words.byteLength).toBeGreaterThan(this.#bytesMax / 2)
      return
    }
    this.#rows.describe(place, kept.layout, kept.timeUs, kept.timeUs + 1)
    this.#rows.writeRow(place, words, 0)
    this.#model.set(textOf(table, id), kept)
    expect(this.#check(table, id)).toBe(place)
  }

  #drop(table: number, id: number): void {
    const place = this.#rows.find(this.#key, table)
    if (place === NOWHERE) return
    this.#rows.drop(place)
    this.#model.delete(textOf(table, id))
    expect(this.#rows.find(this.#key, table)).toBe(NOWHERE)
  }

  /** It may have been let go; if not, it is as it was put. */
  #check(table: number, id: number): number {
    const rows = this.#rows
    const place = rows.find(this.#key, table)
    if (place === NOWHERE) return place
    this.found++
    const words = new Int32Array(rows.rowBytes(place) >> 2)
    rows.copyRow(place, words, 0)
    const kept = { words, layout: rows.layout(place), timeUs: rows.timeUs(place) }
    const put = this.#model.get(textOf(table, id))
    expect(kept).toEqual(put!)
    expect(rows.asOfMs(place)).toBe(kept.timeUs + 1)
    expect(rows.isRow(place, new Uint8Array(words.buffer))).toBeTrue()
    if (this.#random.chance(0.5)) rows.markAsked(place)
    return place
  }
}

/** Of three lengths. */
const keyLength = (id: number): number => 8 * (1 + (id % 3))

const HASHERS = [
  ['spread hashes', () => new KeyHasher(3)],
  ['equal hashes', () => new PoorHasher()],
] as const

for (const [name, hasher] of HASHERS) {
  test(`rows in little memory are those last put: ${name}`, () => {
    const random = new SeededRandom(`kept rows, ${name}`)
    for (const bytesMax of [700, 5_000, 40_000]) {
      const run = new Run(random, hasher(), bytesMax)
      for (let step = 0; step < stepsOf(3_000); step++) run.step()
      run.checkAll()
      expect(run.found).toBeGreaterThan(0)
      expect(run.evicted).toBeGreaterThan(0)
    }
  })
}

const keyOf = (id: number): KeyCursor => {
  const key = new KeyCursor(new KeyHasher(3))
  const keys = new Uint8Array(KEY_BYTES_MAX)
  new Int32Array(keys.buffer).fill(id)
  const keyBytes = Uint16Array.of(KEY_BYTES_MAX)
  key.open({ keys, keyStarts: new Uint32Array(1), keyBytes })
  key.moveTo(0)
  return key
}

test('rows of the largest size come and go in memory for two of them', () => {
  const rows = new KeptRows(1024 * 1024)
  const row = new Int32Array(ROW_BYTES_MAX / 4)
  for (let id = 1; id <= 50; id++) {
    const place = rows.make(keyOf(id), 1, ROW_BYTES_MAX)
    rows.describe(place, 1, id, id)
    rows.writeRow(place, row.fill(id), 0)
    expect(rows.bytesUsed).toBeWithin(ROW_BYTES_MAX, 1024 * 1024)
    const read = new Int32Array(ROW_BYTES_MAX / 4)
    rows.copyRow(rows.find(keyOf(id), 1), read, 0)
    expect(read).toEqual(row)
  }
  expect(rows.evicted).toBe(48)
})

test('a row longer than the memory is not kept, and takes away the key`s own only', () => {
  const rows = new KeptRows(100_000)
  for (const id of [1, 2]) rows.describe(rows.make(keyOf(id), 1, 80), 1, id, id)
  expect(rows.make(keyOf(1), 1, ROW_BYTES_MAX)).toBe(NOWHERE)
  expect(rows.find(keyOf(1), 1)).toBe(NOWHERE)
  expect(rows.timeUs(rows.find(keyOf(2), 1))).toBe(2)
  expect(rows.evicted).toBe(0)
})

test('no memory keeps nothing', () => {
  for (const bytesMax of [1, 8, 50]) {
    expect(new KeptRows(bytesMax).make(keyOf(1), 1, 0)).toBe(NOWHERE)
  }
})

test('a row that is asked for again and again stays while others come and go', () => {
  const rows = new KeptRows(64 * 1024)
  rows.describe(rows.make(keyOf(0), 1, 80), 1, 7, 7)
  for (let id = 1; id < 1_000; id++) {
    rows.describe(rows.make(keyOf(id), 1, 80), 1, 1, 1)
    const place = rows.find(keyOf(0), 1)
    expect(rows.timeUs(place)).toBe(7)
    rows.markAsked(place)
  }
  expect(rows.find(keyOf(500), 1)).toBe(NOWHERE)
})

test('absent rows alone fill the index, and no more', () => {
  const rows = new KeptRows(64 * 1024)
  const key = new KeyCursor(new KeyHasher(3))
  for (let id = 0; id < 5_000; id++) {
    const keys = new Uint8Array(8)
    new Int32Array(keys.buffer).fill(id)
    key.open({ keys, keyStarts: new Uint32Array(1), keyBytes: Uint16Array.of(8) })
    key.moveTo(0)
    rows.describe(rows.make(key, 1, 0), 0, -Infinity, id)
  }
  expect(rows.entries).toBe(new SlotIndex(1024).entriesMax)
  expect(rows.entries + rows.evicted).toBe(5_000)
})
