import { expect, test } from 'bun:test'
import { FlightIndex, hashKey } from '../../../src/store/coalesce/flight-index.ts'
import { NONE } from '../../../src/store/coalesce/wait-lists.ts'
import { ReadBatch } from '../../../src/store/read-batch.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'

const PLACE_BITS = 4
const CALLS = 256
const FLIGHTS = CALLS << PLACE_BITS

test('finds what a map finds, whatever is put in and taken out', () => {
  const random = new SeededRandom('flight index')
  const index = new FlightIndex(PLACE_BITS)
  index.growFlights(FLIGHTS)
  // Keys of all lengths up to three words, alike in all but one byte; every flight has its own.
  for (let call = 0; call < CALLS; call++) {
    const batch = new ReadBatch(1 << PLACE_BITS, 0, 0)
    for (let place = 0; place < 1 << PLACE_BITS; place++) {
      const name = `${(call << PLACE_BITS) | place}`.padEnd(5 + (place % 7), '.')
      batch.keys.set(new TextEncoder().encode(name), batch.reserveKey(name.length))
      batch.commitKey(1 + (place & 1), name.length)
    }
    index.batches[call] = batch
  }
  const keyOf = (flight: number) => {
    const batch = index.batches[flight >>> PLACE_BITS]!
    const place = flight & ((1 << PLACE_BITS) - 1)
    const [table, first] = [batch.tables[place]!, batch.keyStarts[place]! >> 2]
    const bytes = batch.keyBytes[place]!
    // Few bits of hash, so that keys stand in each other's way.
    const hash = hashKey(table, batch.keyWords, first, bytes) & 0xfff00fff
    return { hash: hash >>> 0, table, words: batch.keyWords, first, bytes }
  }
  const found = (flight: number) => {
    const { hash, table, words, first, bytes } = keyOf(flight)
    return index.find(hash, table, words, first, bytes)
  }
  const model = new Set<number>()
  for (let step = 0; step < stepsOf(20_000); step++) {
    const flight = random.below(FLIGHTS)
    if (!model.has(flight) && random.chance(0.6)) {
      index.insert(flight, keyOf(flight).hash)
      model.add(flight)
    } else {
      index.remove(flight)
      model.delete(flight)
    }
    const other = random.below(FLIGHTS)
    expect(found(other)).toBe(model.has(other) ? other : NONE)
    expect(index.size).toBe(model.size)
  }
  for (let flight = 0; flight < FLIGHTS; flight++) {
    expect(found(flight)).toBe(model.has(flight) ? flight : NONE)
  }
})

test('neither the table nor the length of a key is ignored', () => {
  const index = new FlightIndex(PLACE_BITS)
  index.growFlights(16)
  const batch = new ReadBatch(1, 0, 0)
  batch.keys.set([1, 2, 3], batch.reserveKey(8))
  batch.commitKey(1, 3)
  index.batches[0] = batch
  index.insert(0, 77)
  expect(index.find(77, 1, batch.keyWords, 0, 3)).toBe(0)
  expect(index.find(77, 2, batch.keyWords, 0, 3)).toBe(NONE)
  expect(index.find(77, 1, batch.keyWords, 0, 4)).toBe(NONE)
  expect(index.find(78, 1, batch.keyWords, 0, 3)).toBe(NONE)
})
