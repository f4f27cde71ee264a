/**
 * Bytes that no writer made, given to every reader of src/row: each answers with a value or with a
 * `store_damaged` fault, and what lies around a row changes nothing. SEED= repeats, STEPS= lengthens.
 */
import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { JoinKey, PlainValue } from '../../src/catalog/catalog.ts'
import { KEY_TYPES, VALUE_TYPES } from '../../src/catalog/value-type.ts'
import { decodeMessage, decodePlain, decodeValue, encodeValue } from '../../src/row/composite.ts'
import { decodeKey, makeKeyWriter } from '../../src/row/entity-key.ts'
import type { Layout } from '../../src/row/layout.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { checkRow, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { transcodeRow, transcodedBytesMax } from '../../src/row/transcode.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { randomFeatures, randomValue } from '../row/random-value.ts'

/** Long runs take long: not a promise about time. */
const TIMEOUT_MS = 24 * 3600 * 1000
/** Bytes around a row that belong to others. */
const MARGIN = 64

type Reader = typeof readValue

function writtenRow(random: SeededRandom, layout: Layout): Uint8Array<ArrayBuffer> {
  const writer = new RowWriter(layout)
  writer.begin(1)
  layout.features.forEach(({ type }, position) => {
    if (random.chance(0.8))
      writer.set(position, random.chance(0.2) ? null : randomValue(random, type))
  })
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  return row
}

/** Flips bits, overwrites words, cuts or lengthens; or random bytes altogether. */
function damaged(random: SeededRandom, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (random.chance(0.1)) return random.bytes(random.below(bytes.length + 64))
  const changed = bytes.slice(0, random.chance(0.1) ? random.below(bytes.length + 1) : undefined)
  if (changed.length < 4) return changed
  const view = new DataView(changed.buffer)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(changed.length)
    if (random.chance(0.5)) changed[at]! ^= 1 << random.below(8)
    else
      view.setUint32(
        Math.min(at, changed.length - 4),
        random.pick([0, 1, 8, 0xffff_ffff, changed.length]),
        true,
      )
  }
  return changed
}

/** The value, or the fault in its place; anything else goes up. */
function outcomeOf<T>(read: () => T): T | 'fault' {
  try {
    return read()
  } catch (fault) {
    if (fault instanceof Fault && fault.code === 'store_damaged') return 'fault'
    throw fault
  }
}

function readAll(read: Reader, layout: Layout, row: Uint8Array, around: number): unknown[] {
  const bytes = new Uint8Array(row.length + 2 * MARGIN).fill(around)
  bytes.set(row, MARGIN)
  return layout.features.map((_, position) =>
    outcomeOf(() => read(layout, bytes, MARGIN, row.length, position)),
  )
}

function fuzzRows(name: string, read: Reader, steps: number): void {
  const random = new SeededRandom(name)
  for (let step = 0; step < steps; step++) {
    const layout = makeLayout(randomFeatures(random, 8), random.chance(0.3))
    const row = damaged(random, writtenRow(random, layout))
    const values = readAll(read, layout, row, 0)
    expect(readAll(read, layout, row, 0xff)).toEqual(values)
    if (!checkRow(layout, row, 0, row.length)) continue
    layout.features.forEach(({ type }, position) => {
      if (type.heapForm !== 'message') expect(values[position]).not.toBe('fault')
    })
  }
}

test(
  'a damaged row gives values or a fault, and nothing from outside the row',
  () => fuzzRows('rows', readValue, stepsOf(1000)),
  TIMEOUT_MS,
)

test('canary: a reader that looks outside the row is caught', () => {
  const careless: Reader = (layout, bytes, rowStart, rowBytes, position) =>
    readValue(layout, bytes, rowStart, rowBytes + MARGIN, position)
  expect(() => fuzzRows('canary rows', careless, 20_000)).toThrow('expect(received)')
})

test('canary: a reader that fails in its own way is caught', () => {
  const brittle: Reader = (layout, bytes, rowStart, rowBytes, position) => {
    const value = readValue(layout, bytes, rowStart, rowBytes, position)
    if (typeof value === 'string' && value.includes('\ufffd')) throw new RangeError('brittle')
    return value
  }
  expect(() => fuzzRows('canary faults', brittle, 20_000)).toThrow('brittle')
})

test(
  'a damaged message or Value is a value or a fault',
  () => {
    const random = new SeededRandom('messages')
    for (let step = 0; step < stepsOf(2000); step++) {
      const type = random.pick(VALUE_TYPES)
      const bytes = damaged(random, Uint8Array.from(encodeValue(type, randomValue(random, type))))
      const value = outcomeOf(() => decodeValue(bytes))
      if (value !== 'fault' && value.type !== 'NULL') {
        // What was read can be written, and then reads the same.
        const known = VALUE_TYPES.find(({ name }) => name === value.type)!
        const written = encodeValue(known, value.value)
        expect(encodeValue(known, decodeValue(written).value)).toEqual(written)
      }
      if (type.heapForm !== 'message') continue
      outcomeOf(() => decodeMessage(type, bytes))
      outcomeOf(() => decodePlain(type, bytes))
    }
  },
  TIMEOUT_MS,
)

test(
  'a damaged row is transcoded to a row that can be read, or is a fault',
  () => {
    const random = new SeededRandom('transcoded')
    for (let step = 0; step < stepsOf(1000); step++) {
      const features = randomFeatures(random, 8)
      const from = makeLayout(features, random.chance(0.3))
      const to = makeLayout(random.shuffled(features).slice(random.below(3)), random.chance(0.3))
      const row = damaged(random, writtenRow(random, from))
      const room = Math.max(0, transcodedBytesMax(from, to, row.length))
      const target = new Uint8Array(room + MARGIN)
      const bytes = outcomeOf(() => transcodeRow(from, to, row, 0, row.length, target, 0, 5))
      if (bytes === 'fault') continue
      expect(bytes).toBeLessThanOrEqual(room)
      to.features.forEach((_, position) =>
        outcomeOf(() => readValue(to, target, 0, bytes, position)),
      )
      if (!checkRow(from, row, 0, row.length)) continue
      expect(checkRow(to, target, 0, bytes)).toBe(true)
    }
  },
  TIMEOUT_MS,
)

test(
  'a damaged key is values or a fault',
  () => {
    const random = new SeededRandom('keys')
    for (let step = 0; step < stepsOf(2000); step++) {
      const joinKeys: JoinKey[] = Array.from({ length: 1 + random.below(3) }, (_, place) => ({
        name: `k${place}`,
        type: random.pick(KEY_TYPES),
      }))
      const values = joinKeys.map(({ type }): PlainValue => {
        const valueType = VALUE_TYPES.find(({ name }) => name === type)!
        return randomValue(random, valueType)
      })
      const target = new Uint8Array(1024)
      const bytes = makeKeyWriter(joinKeys).write(values, target, 0)
      const key = target.slice(0, bytes)
      expect(decodeKey(joinKeys, key)).toEqual(values)
      outcomeOf(() => decodeKey(joinKeys, damaged(random, key)))
    }
  },
  TIMEOUT_MS,
)
