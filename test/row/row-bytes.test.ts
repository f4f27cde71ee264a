import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { ROW_BYTES_MAX } from '../../src/base/limits.ts'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import type { Layout, LayoutFeature } from '../../src/row/layout.ts'
import { decodeLayout, encodeLayout, makeLayout } from '../../src/row/layout.ts'
import { checkRow, heapEnd, heapStart, readTime, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { asStored, randomFeatures, randomValue } from './random-value.ts'

const layoutOf = (...names: ValueTypeName[]): Layout =>
  makeLayout(
    names.map((name, place) => ({ name: `f${place}`, type: valueType(name) })),
    false,
  )

/** Undefined leaves a feature absent. */
function writeRow(
  layout: Layout,
  values: readonly (PlainValue | undefined)[],
  writer = new RowWriter(layout),
): Uint8Array<ArrayBuffer> {
  writer.begin(0)
  values.forEach((value, position) => {
    if (value !== undefined) writer.set(position, value)
  })
  const row = new Uint8Array(writer.byteLength)
  expect(writer.finish(row, 0)).toBe(row.length)
  return row
}

const readRow = (layout: Layout, row: Uint8Array): (PlainValue | undefined)[] =>
  layout.features.map((_, position) => readValue(layout, row, 0, row.length, position))

/** Values in which sets of nested values, whose order is that of their bytes, are not compared. */
const isOrdered = ({ type }: LayoutFeature, value: PlainValue | undefined): boolean =>
  type.name !== 'VALUE_SET' && !Bun.inspect(value, { depth: 20 }).includes('VALUE_SET')

test('every value of every type comes back as it was', () => {
  const random = new SeededRandom('row round trip')
  for (let step = 0; step < stepsOf(300); step++) {
    const features = randomFeatures(random, 30)
    const layout = makeLayout(features, random.chance(0.3))
    const values = features.map(({ type }) =>
      random.pick([undefined, null, randomValue(random, type), randomValue(random, type)]),
    )
    const row = writeRow(layout, values)
    expect(checkRow(layout, row, 0, row.length)).toBe(true)
    const back = readRow(layout, row)
    features.forEach((feature, position) => {
      const value = values[position]
      const expected = value === undefined ? undefined : asStored(feature.type, value)
      if (isOrdered(feature, value)) expect(back[position]).toEqual(expected)
    })
    expect(writeRow(layout, back)).toEqual(row)
  }
})

test('equal values make equal bytes, whatever was in the writer and the target before', () => {
  const random = new SeededRandom('canonical rows')
  for (let step = 0; step < stepsOf(100); step++) {
    const features = randomFeatures(random, 12)
    const layout = makeLayout(features, false)
    const values = features.map(({ type }) =>
      random.pick([undefined, null, randomValue(random, type)]),
    )
    const row = writeRow(layout, values)
    const writer = new RowWriter(layout)
    writeRow(
      layout,
      features.map(({ type }) => randomValue(random, type)),
      writer,
    )
    const target = random.bytes(row.length + 32)
    writer.begin(0)
    // Set twice, in any order: the last counts
    for (const position of random.shuffled(features.map((_, place) => place))) {
      const value = values[position]
      if (value === undefined) continue
      writer.set(position, random.pick([null, randomValue(random, features[position]!.type)]))
      writer.set(position, value)
    }
    expect(writer.finish(target, 16)).toBe(row.length)
    expect(target.slice(16, 16 + row.length)).toEqual(row)
  }
})

test('a set is stored sorted and without repeats', () => {
  const layout = layoutOf(
    'INT64_SET',
    'STRING_SET',
    'DOUBLE_SET',
    'BOOL_SET',
    'BYTES_SET',
    'FLOAT_SET',
  )
  const row = writeRow(layout, [
    [2n ** 53n + 1n, 5, -3, 5, -(2n ** 63n), 2n ** 53n + 1n],
    ['\u{1f600}', '\uffee', 'b', 'a', 'b', ''],
    [1.5, NaN, -0, Infinity, 0, NaN, -Infinity, 1.5],
    [true, false, true],
    [Uint8Array.of(2), Uint8Array.of(1, 9), Uint8Array.of(2)],
    [0.1, Math.fround(0.1), 0.2],
  ])
  expect(readRow(layout, row)).toEqual([
    [-(2n ** 63n), -3, 5, 2n ** 53n + 1n],
    ['', 'a', 'b', '\uffee', '\u{1f600}'],
    [-Infinity, 0, 1.5, Infinity, NaN],
    [false, true],
    [Uint8Array.of(1, 9), Uint8Array.of(2)],
    [Math.fround(0.1), Math.fround(0.2)],
  ])
})

test('int64 is exact from end to end of its range', () => {
  const layout = layoutOf('INT64', 'UNIX_TIMESTAMP', 'INT64_LIST')
  const exact = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n]
  for (const value of [...exact, 2 ** 53 - 1, -(2 ** 53) + 1, 0, -1, 2 ** 32, -(2 ** 32) - 1]) {
    const row = writeRow(layout, [value, value, [value, value]])
    expect(readRow(layout, row)).toEqual([value, value, [value, value]])
  }
  const writer = new RowWriter(layout)
  const words = new Int32Array(BigInt64Array.of(-(2n ** 62n) - 7n).buffer)
  writer.begin(0)
  writer.setInt64Halves(0, words[0]!, words[1]!)
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  expect(readValue(layout, row, 0, row.length, 0)).toBe(-(2n ** 62n) - 7n)
})

test('a NaN is null as a scalar and canonical in a list', () => {
  const strange = new Float64Array(new BigUint64Array([0xfff8_dead_beef_0001n]).buffer)
  const layout = layoutOf('FLOAT', 'DOUBLE', 'FLOAT_LIST', 'DOUBLE_LIST')
  const writer = new RowWriter(layout)
  writer.begin(0)
  writer.setNumber(0, strange[0]!)
  writer.setNumber(1, strange[0]!)
  writer.setNumbers(2, strange)
  writer.setNumbers(3, strange)
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  expect(readRow(layout, row)).toEqual([null, null, [NaN], [NaN]])
  expect(writeRow(layout, [null, null, [NaN], [NaN]])).toEqual(row)
  expect(Buffer.from(row).toString('hex')).toContain('000000000000f87f0000c07f')
})

test('infinities, -0 and float32 overflow are kept', () => {
  const layout = layoutOf('FLOAT', 'FLOAT', 'DOUBLE', 'DOUBLE')
  const row = writeRow(layout, [1e300, -0, -Infinity, -0])
  expect(readRow(layout, row)).toEqual([Infinity, -0, -Infinity, -0])
})

test('texts keep a byte order mark and every code point', () => {
  const layout = layoutOf('STRING', 'STRING_LIST')
  const texts = ['\ufeffmark', 'nul \0', '', '\u{10ffff}', 'é用']
  for (const text of texts) {
    expect(readRow(layout, writeRow(layout, [text, [text, text]]))).toEqual([text, [text, text]])
  }
})

test('values of one type stand side by side, so that rows make a matrix', () => {
  const layout = layoutOf('FLOAT', 'STRING', 'FLOAT', 'INT64', 'FLOAT', 'DOUBLE', 'INT64')
  const row = writeRow(layout, [1, 'x', 2, 3, 4, 5, 6])
  const floats = new Float32Array(row.buffer, layout.slots[0]!, 3)
  expect([...floats]).toEqual([1, 2, 4])
  expect([layout.slots[5], layout.slots[3], layout.slots[6]]).toEqual([0, 8, 16])
})

test('heap values of wide elements lie aligned', () => {
  const random = new SeededRandom('aligned heap')
  for (let step = 0; step < stepsOf(100); step++) {
    const features = randomFeatures(random, 12)
    const layout = makeLayout(features, random.chance(0.5))
    const row = writeRow(
      layout,
      features.map(({ type }) => randomValue(random, type)),
    )
    for (const position of layout.heapOrder) {
      const start = layout.fixedBytes + heapStart(layout, row, 0, position)
      expect(start % features[position]!.type.heapAlign).toBe(0)
      expect(heapEnd(layout, row, 0, position)).toBeGreaterThanOrEqual(start - layout.fixedBytes)
    }
  }
})

test('a layout with times holds one for each feature that was set', () => {
  const layout = makeLayout(['INT64', 'STRING', 'FLOAT'].map(feature), true)
  const writer = new RowWriter(layout)
  writer.begin(1_700_000_000_123_456)
  writer.set(0, 1)
  writer.set(2, null)
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  expect([0, 1, 2].map((position) => readTime(row, 0, position))).toEqual([
    1_700_000_000_123_456,
    -Infinity,
    1_700_000_000_123_456,
  ])
})

const feature = (name: string): LayoutFeature => ({ name, type: valueType(name as ValueTypeName) })

test('a row of exactly the largest size is written, and 8 bytes more are refused', () => {
  const layout = layoutOf('STRING', 'BYTES')
  const room = ROW_BYTES_MAX - layout.fixedBytes
  expect(writeRow(layout, ['x'.repeat(room - 5), new Uint8Array(5)]).length).toBe(ROW_BYTES_MAX)
  const writer = new RowWriter(layout)
  writer.begin(0)
  const row = new Uint8Array(2 * ROW_BYTES_MAX)
  for (const value of ['x'.repeat(room + 1), 'é'.repeat(room / 2 + 1), 'x'.repeat(1e7)]) {
    expect(() => writer.set(0, value)).toThrow(Fault)
  }
  writer.begin(0)
  writer.set(0, 'x'.repeat(room))
  expect(() => writer.set(1, new Uint8Array(1))).toThrow(Fault)
  expect(() => writer.finish(row, 0)).toThrow(Fault)
  writer.set(0, 'small again')
  expect(writer.finish(row, 0)).toBe(layout.fixedBytes + 16)
})

test('a layout comes back from its bytes, with odd names too', () => {
  const features = VALUE_TYPES.map((type, place) => ({ name: `"名${place}"\\`, type }))
  for (const times of [true, false]) {
    const layout = makeLayout(features, times)
    const back = decodeLayout(encodeLayout(layout))
    expect(encodeLayout(back)).toEqual(encodeLayout(layout))
    expect(back.absentRow).toEqual(layout.absentRow)
    expect(checkRow(layout, layout.absentRow, 0, layout.fixedBytes)).toBe(true)
  }
})

test('rows that a writer could not have written are told', () => {
  const layout = layoutOf('FLOAT', 'BOOL', 'INT64_LIST', 'STRING', 'INT32')
  const row = writeRow(layout, [1, true, [1, 2], 'text', null])
  const isGood = (change: (bytes: Uint8Array, view: DataView) => void): boolean => {
    const bytes = row.slice()
    change(bytes, new DataView(bytes.buffer))
    return checkRow(layout, bytes, 0, bytes.length)
  }
  const [float, bool, list, text, int] = layout.slots
  expect(isGood(() => {})).toBe(true)
  expect(isGood((_, view) => view.setUint32(list!, 12, true))).toBe(false) // half an element
  expect(isGood((_, view) => view.setUint32(list!, 24, true))).toBe(false) // ends go down
  expect(isGood((_, view) => view.setUint32(text!, 2 ** 31, true))).toBe(false)
  expect(isGood((_, view) => view.setUint32(text!, 19, true))).toBe(false) // bytes after the end
  expect(isGood((_, view) => view.setFloat32(float!, NaN, true))).toBe(false)
  expect(isGood((bytes) => (bytes[bool!] = 2))).toBe(false)
  expect(isGood((bytes) => (bytes[int!] = 1))).toBe(false) // of a null
  expect(isGood((bytes) => (bytes[layout.presenceStart] = 0xff))).toBe(false)
  expect(isGood((bytes) => (bytes[layout.presenceStart + 1]! |= 0x80))).toBe(false) // spare bits
  expect(isGood((bytes) => (bytes[layout.presenceStart]! &= ~0x30))).toBe(false) // absent, with bytes
  expect(isGood((bytes) => (bytes[bytes.length - 1] = 1))).toBe(false)
  expect(checkRow(layout, row, 0, row.length - 8)).toBe(false)
  expect(checkRow(layout, row, 8, row.length)).toBe(false)
  expect(checkRow(layout, row.subarray(0, 8), 0, 8)).toBe(false)
})
