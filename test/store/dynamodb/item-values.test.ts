/** Values of every type in items: what Feast's bytes become, and that nothing is lost both ways. */
import { expect, test } from 'bun:test'
import type { PlainValue } from '../../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../../src/catalog/value-type.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { makeLayout } from '../../../src/row/layout.ts'
import { checkRow, readTime, readValue } from '../../../src/row/row-reader.ts'
import { RowWriter } from '../../../src/row/row-writer.ts'
import { BodyBytes } from '../../../src/store/dynamodb/body-bytes.ts'
import { ItemBody } from '../../../src/store/dynamodb/item-body.ts'
import { ItemScanner } from '../../../src/store/dynamodb/item-scanner.ts'
import { makeScanCounters } from '../../../src/store/dynamodb/scan-counters.ts'
import { ReadBatch } from '../../../src/store/read-batch.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { randomFeatures, randomValue } from '../../row/random-value.ts'

const ID = 'f3cfd4a822f245b63975464763babaec'

test('a row becomes an item, and the item the same row', () => {
  const random = new SeededRandom('items')
  for (let step = 0; step < stepsOf(2000); step++) {
    const layout = makeLayout(randomFeatures(random, 12), random.chance(0.3))
    const timeUs = Math.round((random.next() - 0.5) * 2 ** 53)
    const writer = new RowWriter(layout)
    writer.begin(timeUs)
    layout.features.forEach(({ type }, position) => {
      if (random.chance(0.9))
        writer.set(position, random.chance(0.2) ? null : randomValue(random, type))
    })
    const row = new Uint8Array(writer.byteLength)
    writer.finish(row, 0)

    const out = new BodyBytes()
    new ItemBody(layout).appendItem(out, ID, timeUs, row, 0)
    const scanner = new ItemScanner(layout, makeScanCounters())
    const space = new ReadBatch(1, 1, 1)
    space.reserveRow(8 * random.below(4))
    scanner.open(out.view())
    expect(scanner.scan(0, space)).toBe(out.used)
    expect(scanner.idText()).toBe(ID)
    expect(scanner.timeUs).toBe(timeUs)
    const { rowStart, rowBytes } = scanner
    expect(Buffer.compare(space.rows.subarray(rowStart, rowStart + rowBytes), row)).toBe(0)
  }
})

/** A feature's value from its Value in hex; undefined where it is absent. */
function read(name: ValueTypeName, hex: string) {
  const layout = makeLayout(
    [
      { name: 'other', type: valueType('BOOL') },
      { name: 'f', type: valueType(name) },
    ],
    false,
  )
  const counters = makeScanCounters()
  const scanner = new ItemScanner(layout, counters)
  const space = new ReadBatch(1, 1, 1)
  const item = {
    entity_id: { S: ID },
    event_ts: { S: '2026-08-20 10:00:00+00:00' },
    values: { M: { f: { B: Buffer.from(hex, 'hex').toString('base64') }, other: { B: 'OAE=' } } },
  }
  scanner.open(new TextEncoder().encode(JSON.stringify(item)))
  scanner.scan(0, space)
  const { rowStart, rowBytes } = scanner
  const valueAt = (position: number) => readValue(layout, space.rows, rowStart, rowBytes, position)
  expect(valueAt(0)).toBe(true)
  const value = valueAt(1)
  if (!Number.isNaN(value)) expect(checkRow(layout, space.rows, rowStart, rowBytes)).toBe(true)
  return { value, counters }
}

const VALUES: readonly (readonly [
  type: ValueTypeName,
  hex: string,
  value: PlainValue,
  why: string,
])[] = [
  ['INT64', '', null, 'an empty Value is null'],
  ['INT64', '980100', null, 'null_val is null'],
  ['STRING', '1200', '', 'an empty text is present'],
  ['INT32', '18ffffffffffffffffff01', -1, 'a negative integer takes ten bytes'],
  ['INT32', '18ffffffff0f', -1, 'or the five of its 32 bits'],
  ['INT64', '208180808080808010', 9007199254740993n, 'an integer past 2^53 is exact'],
  ['INT64', '20ffffffffffffffffff01', -1, 'a negative integer of 64 bits'],
  ['DOUBLE', '290000000000000080', -0, 'a negative zero is kept'],
  ['FLOAT', '350000807f', Infinity, 'an infinity is kept'],
  ['FLOAT', '350000c0ff', NaN, 'a NaN is shown'],
  ['DOUBLE', '350000c0ff', NaN, 'a NaN is shown, widened too'],
  ['BOOL', '3802', true, 'any number but 0 is true'],
  ['UNIX_TIMESTAMP', '4080808080808080808001', -(2n ** 63n), "pandas' NaT is stored so"],
  ['INT64', '1807', 7, 'INT32 is read as INT64'],
  ['DOUBLE', '350000003f', 0.5, 'FLOAT is read as DOUBLE'],
  ['INT64', '18072009', 9, 'of two fields the last counts'],
  ['INT64', '200918070a00980100', null, 'whatever it is'],
  ['FLOAT_LIST', '820100', [], 'a list without elements'],
  ['FLOAT_LIST', '82010a0a08cdcccc3dcdcc4c3e', [0.1, 0.2].map(Math.fround), 'packed elements'],
  ['FLOAT_LIST', '82010a0d0000803f0d00000040', [1, 2], 'elements one by one'],
  ['FLOAT_LIST', '8201060a040000c0ff', [NaN], 'a NaN inside a list'],
  ['INT32_LIST', '6a0d0a0b01ffffffffffffffffff01', [1, -1], 'integers'],
  ['INT64_LIST', '72050a0301ac02', [1, 300], 'integers of 64 bits'],
  ['INT64_LIST', '7200', [], 'an empty list of integers'],
  ['INT64_LIST', '72020a00', [], 'an empty list that says so'],
  ['BOOL_LIST', '8a01040a020100', [true, false], 'truths'],
  ['STRING_LIST', '62060a01780a0179', ['x', 'y'], 'texts'],
  ['BYTES_LIST', '5a050a01610a00', [Uint8Array.of(0x61), new Uint8Array(0)], 'bytes'],
  ['INT32_SET', 'c201060a0403010301', [1, 3], 'a set is in order, each element once'],
]

for (const [type, hex, value, why] of VALUES) {
  test(`${type} ${hex}: ${why}`, () => expect(read(type, hex).value).toEqual(value))
}

const OTHERS: readonly (readonly [type: ValueTypeName, hex: string])[] = [
  ['INT32', '2007'],
  ['FLOAT', '29000000000000f03f'],
  ['STRING', '0a0161'],
  ['BYTES', '120161'],
  ['INT64', '4007'],
  ['STRING_LIST', '8a02030a0131'],
  ['FLOAT_LIST', '7a0a0a08000000000000e03f'],
  ['JSON', '120161'],
]

for (const [type, hex] of OTHERS) {
  test(`${hex} is not of ${type}: the feature is absent`, () => {
    const { value, counters } = read(type, hex)
    expect(value).toBeUndefined()
    expect(counters).toEqual({ ...makeScanCounters(), valuesOfOtherKind: 1 })
  })
}

const FAULTY: readonly (readonly [type: ValueTypeName, hex: string])[] = [
  ['INT64', '20'],
  ['INT64', '20ff'],
  ['INT64', '20ffffffffffffffffffff01'],
  ['INT64', '20e90700'],
  ['FLOAT', '350000'],
  ['FLOAT', '3500000000ff'],
  ['DOUBLE', '31'],
  ['STRING', '12056162'],
  ['STRING', '1a0161'],
  ['FLOAT_LIST', '8201050a03000000'],
  ['STRING_LIST', '62030a0578'],
  ['MAP', 'a201030a0901'],
  ['BOOL', '80'],
]

for (const [type, hex] of FAULTY) {
  test(`${hex} is no Value of ${type}: the feature is absent, the others are there`, () => {
    const { value, counters } = read(type, hex)
    expect(value).toBeUndefined()
    expect(counters).toEqual({ ...makeScanCounters(), valuesUnreadable: 1 })
  })
}

const layout = makeLayout(
  ['a', 'b', 'c', 'd'].map((name) => ({ name, type: valueType('INT64') })),
  true,
)

function scanned(json: string) {
  const counters = makeScanCounters()
  const scanner = new ItemScanner(layout, counters)
  const space = new ReadBatch(1, 1, 1)
  scanner.open(new TextEncoder().encode(json))
  return { end: scanner.scan(0, space), scanner, space, counters }
}

test('in a layout with times, what is there was decided at the time of the item', () => {
  const { scanner, space } = scanned(
    '{"values":{"M":{"a":{"B":"IAU="},"b":{"B":""},"c":{"B":"!"}}},"event_ts":{"S":"1970-01-01 00:00:05"}}',
  )
  const times = [0, 1, 2, 3].map((position) => readTime(space.rows, scanner.rowStart, position))
  expect(times).toEqual([5_000_000, 5_000_000, -Infinity, -Infinity])
})

test('attributes of other types, or none, are passed over and counted', () => {
  const { scanner, space, counters } = scanned(
    '{"entity_id":{"N":"1"},"event_ts":{"NULL":true},"extra":{"L":[{"M":{"a":{"B":"IAU="}}}]},' +
      '"values":{"M":{"a":{"S":"IAU="},"b":{},"c":{"B":"IAU="},"nobody":{"NS":["1"]}}}}',
  )
  const value = (position: number) =>
    readValue(layout, space.rows, scanner.rowStart, scanner.rowBytes, position)
  expect([0, 1, 2, 3].map(value)).toEqual([undefined, undefined, 5, undefined])
  expect([scanner.idText(), scanner.timeText()]).toEqual([undefined, undefined])
  expect(counters).toEqual({ ...makeScanCounters(), valuesUnreadable: 2, timesUnreadable: 1 })
})

test('a row that is larger than rows may be has no bytes', () => {
  const wide = makeLayout([{ name: 'f', type: valueType('INT64_LIST') }], false)
  const counters = makeScanCounters()
  const scanner = new ItemScanner(wide, counters)
  const space = new ReadBatch(1, 1, 1)
  const packed = new Uint8Array(50_001).fill(1)
  const value = Buffer.concat([Buffer.from('72d586030ad18603', 'hex'), packed]).toString('base64')
  scanner.open(new TextEncoder().encode(`{"values":{"M":{"f":{"B":"${value}"}}}}`))
  expect(scanner.scan(0, space)).toBeGreaterThan(0)
  expect([scanner.rowBytes, counters.rowsTooLarge]).toEqual([-1, 1])
})
