import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import type { Layout, LayoutFeature } from '../../src/row/layout.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { checkRow, readTime, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { transcodeRow, transcodedBytesMax } from '../../src/row/transcode.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { randomFeatures, randomValue } from './random-value.ts'

const WRITTEN_AT = 1_700_000_000_000_001
const ROW_TIME = 1_600_000_000_000_002

function writeRow(layout: Layout, values: readonly (PlainValue | undefined)[]): Uint8Array {
  const writer = new RowWriter(layout)
  writer.begin(WRITTEN_AT)
  values.forEach((value, position) => {
    if (value !== undefined) writer.set(position, value)
  })
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  return row
}

/** Transcodes from and to odd places of larger buffers, and looks that nothing else was touched. */
function transcode(from: Layout, to: Layout, row: Uint8Array): Uint8Array {
  const source = new Uint8Array(row.length + 24).fill(0xaa)
  source.set(row, 16)
  const bytesMax = transcodedBytesMax(from, to, row.length)
  const target = new Uint8Array(bytesMax + 24).fill(0xbb)
  const bytes = transcodeRow(from, to, source, 16, row.length, target, 8, ROW_TIME)
  expect(bytes).toBeLessThanOrEqual(bytesMax)
  expect(target.subarray(0, 8).every((byte) => byte === 0xbb)).toBe(true)
  expect(target.subarray(8 + bytes).every((byte) => byte === 0xbb)).toBe(true)
  return target.slice(8, 8 + bytes)
}

const named = (name: string, type: ValueTypeName): LayoutFeature => ({
  name,
  type: valueType(type),
})

test('a feature keeps its value by its name, and what the old row did not have is absent', () => {
  const from = makeLayout(
    [named('a', 'INT64'), named('gone', 'STRING'), named('b', 'STRING_LIST')],
    false,
  )
  const to = makeLayout(
    [named('b', 'STRING_LIST'), named('new', 'DOUBLE'), named('a', 'INT64')],
    false,
  )
  const row = transcode(from, to, writeRow(from, [2n ** 60n, 'text', ['x', 'y']]))
  const values = [0, 1, 2].map((position) => readValue(to, row, 0, row.length, position))
  expect(values).toEqual([['x', 'y'], undefined, 2n ** 60n])
})

test('a changed type makes the value absent, but a wider number keeps it', () => {
  for (const old of VALUE_TYPES) {
    for (const next of VALUE_TYPES) {
      const from = makeLayout([{ name: 'f', type: old }], false)
      const to = makeLayout([{ name: 'f', type: next }], false)
      const isWider =
        (old.name === 'INT32' && next.name === 'INT64') ||
        (old.name === 'FLOAT' && next.name === 'DOUBLE')
      const value = SAMPLES[old.name] ?? null
      const row = transcode(from, to, writeRow(from, [value]))
      const expected = old === next || isWider ? value : undefined
      expect(readValue(to, row, 0, row.length, 0)).toEqual(expected)
      expect(checkRow(to, row, 0, row.length)).toBe(true)
    }
  }
})

const SAMPLES: { readonly [name in ValueTypeName]?: PlainValue } = {
  INT32: -7,
  FLOAT: -Infinity,
  INT64: 5,
  DOUBLE: -0,
  STRING: 'text',
  BOOL: true,
  FLOAT_LIST: [1, 2],
}

test('a transcoded row is the row that would have been written', () => {
  const random = new SeededRandom('transcode')
  for (let step = 0; step < stepsOf(200); step++) {
    const oldFeatures = randomFeatures(random, 16)
    const kept = random.shuffled(oldFeatures).slice(random.below(4))
    const added = randomFeatures(random, 4).map(({ type }, place) => ({
      name: `new${place}`,
      type,
    }))
    const from = makeLayout(oldFeatures, random.chance(0.3))
    const to = makeLayout(random.shuffled([...kept, ...added]), false)
    const values = new Map(
      oldFeatures.map(({ name, type }) => [
        name,
        random.pick([undefined, null, randomValue(random, type)]),
      ]),
    )
    const row = writeRow(
      from,
      oldFeatures.map(({ name }) => values.get(name)),
    )
    const expected = writeRow(
      to,
      to.features.map(({ name }) => values.get(name)),
    )
    expect(transcode(from, to, row)).toEqual(expected)
  }
})

test('times travel with their features, or come from the row', () => {
  const features = [named('a', 'INT64'), named('b', 'STRING'), named('c', 'FLOAT')]
  const withTimes = makeLayout([named('new', 'BOOL'), ...features], true)
  const timesOf = (row: Uint8Array): number[] =>
    [0, 1, 2, 3].map((place) => readTime(row, 0, place))

  const older = makeLayout(features, true)
  const fromTimes = transcode(older, withTimes, writeRow(older, [1, undefined, null]))
  expect(timesOf(fromTimes)).toEqual([-Infinity, WRITTEN_AT, -Infinity, WRITTEN_AT])

  // A whole row decided every feature of its layout at its own time, also what it left out.
  const whole = makeLayout(features, false)
  const fromWhole = transcode(whole, withTimes, writeRow(whole, [1, undefined, null]))
  expect(timesOf(fromWhole)).toEqual([-Infinity, ROW_TIME, ROW_TIME, ROW_TIME])
})

test('a damaged row is a coded fault or a row that holds together, and nothing outside is read', () => {
  const random = new SeededRandom('transcode damaged rows')
  for (let step = 0; step < stepsOf(300); step++) {
    const features = randomFeatures(random, 8)
    const from = makeLayout(features, false)
    const to = makeLayout(random.shuffled(features).slice(random.below(3)), false)
    const row = writeRow(
      from,
      features.map(({ type }) => randomValue(random, type)),
    )
    const damaged = row.slice()
    for (let flips = 1 + random.below(4); flips > 0; flips--) {
      damaged[random.below(damaged.length)]! ^= 1 << random.below(8)
    }
    const target = new Uint8Array(transcodedBytesMax(from, to, row.length))
    try {
      transcodeRow(from, to, damaged, 0, damaged.length, target, 0, 0)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      expect(fault.code).toBe('store_damaged')
    }
  }
})
