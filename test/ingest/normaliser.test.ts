import { describe, expect, test } from 'bun:test'
import type { FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import type { Column, NamedColumn, NumberArray } from '../../src/ingest/column.ts'
import type { NormalisedBatch } from '../../src/ingest/normaliser.ts'
import { Normaliser } from '../../src/ingest/normaliser.ts'
import { batchNames, directNames, type RowNames } from '../../src/ingest/row-names.ts'
import type { Chunk, RowRecord } from '../../src/ingest/source.ts'
import { timeUsOf } from '../../src/ingest/time-value.ts'
import { columnOf } from '../../src/ingest/write-body.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { NOW_US, makeSource, makeView } from './ingest-rig.ts'

const recordsChunk = (records: readonly RowRecord[]): Chunk => ({
  kind: 'records',
  file: 'rows',
  firstRow: 1,
  rows: records.length,
  fileBytesRead: 0,
  records,
})

const columnsChunk = (rows: number, columns: readonly NamedColumn[]): Chunk => ({
  kind: 'columns',
  file: 'rows',
  firstRow: 1,
  rows,
  fileBytesRead: 0,
  columns,
  unreadable: new Map(),
})

function normalise(view: FeatureView, chunk: Chunk, names: RowNames = batchNames(view)) {
  const normaliser = new Normaliser({
    view,
    layout: viewLayout(view),
    names,
    futureMarginUs: 600e6,
    nowUs: () => NOW_US,
  })
  const taken: NormalisedBatch[] = []
  for (const _ of normaliser.add(chunk)) taken.push(normaliser.take(1, 1, 'batch'))
  taken.push(normaliser.take(1, 1, 'batch'))
  return { taken, ...normaliser.takeLeftOut() }
}

/** The entries of all batches as one comparable thing. */
const entriesOf = ({ taken }: ReturnType<typeof normalise>) =>
  taken.flatMap(({ batch, rows }) =>
    Array.from(rows, (row, place) => {
      const [keyStart, rowStart] = [batch.keyStarts[place]!, batch.rowStarts[place]!]
      return {
        row,
        timeUs: batch.times[place]!,
        key: batch.keys.subarray(keyStart, keyStart + batch.keyBytes[place]!).toHex(),
        bytes: batch.rows.subarray(rowStart, rowStart + batch.rowBytes[place]!).toHex(),
      }
    }),
  )

const SLOTS: readonly ValueTypeName[] = [
  'FLOAT',
  'DOUBLE',
  'INT32',
  'INT64',
  'BOOL',
  'UNIX_TIMESTAMP',
]
const HEAPS: readonly ValueTypeName[] = [
  'STRING',
  'BYTES',
  'FLOAT_LIST',
  'INT64_LIST',
  'STRING_LIST',
]

describe('columns and records', () => {
  test('of the same values become the same bytes, in every form of column', () => {
    const random = new SeededRandom('normaliser forms')
    for (let step = 0; step < stepsOf(60); step++) {
      const types = random.list(6, () => random.pick(random.chance(0.3) ? HEAPS : SLOTS))
      const view = makeView({
        keys: random.chance(0.5) ? { id: 'INT64' } : { id: 'STRING', other: 'INT32' },
        features: Object.fromEntries([
          ['f', random.pick(SLOTS)] as const,
          ...types.map((type, place) => [`f${place}`, type] as const),
        ]),
        changes: { partial: random.chance(0.2) },
      })
      const rows = random.below(1200)
      const columns = [...view.joinKeys, ...view.features].map((field) => {
        const isKey = 'position' in field === false
        const name = typeof field.type === 'string' ? field.type : field.type.name
        return { name: field.name, ...randomColumn(random, name, rows, isKey) }
      })
      const times = Array.from({ length: rows }, () => random.below(2 ** 40) * 1000)
      const timed = timesColumn(random, times)
      const byColumns = normalise(
        view,
        columnsChunk(rows, [...columns, { name: 'event_timestamp', column: timed }]),
      )
      const records = times.map((timeUs, row): RowRecord => ({
        ...Object.fromEntries(columns.map(({ name, values }) => [name, values[row]!])),
        event_timestamp: new Date(timeUs / 1000).toISOString(),
      }))
      const byRecords = normalise(view, recordsChunk(records))
      expect(byColumns.rejects).toEqual([])
      expect(byRecords.rejects).toEqual([])
      expect(entriesOf(byColumns)).toEqual(entriesOf(byRecords))
    }
  })
})

type Filled = { readonly column: Column; readonly values: readonly PlainValue[] }

/** A column in one of the forms that a file may have it in, and its values as JSON has them. */
function randomColumn(
  random: SeededRandom,
  type: ValueTypeName,
  rows: number,
  isKey: boolean,
): Filled {
  const valid = isKey || random.chance(0.5) ? undefined : random.bytes((rows + 7) >> 3)
  const isThere = (row: number): boolean =>
    valid === undefined || ((valid[row >> 3]! >> (row & 7)) & 1) === 1
  const seen = (value: (row: number) => PlainValue): PlainValue[] =>
    Array.from({ length: rows }, (_, row) => (isThere(row) ? value(row) : null))
  switch (type) {
    case 'FLOAT':
    case 'DOUBLE': {
      const arrays = [Float32Array, Float64Array, Int16Array, Uint32Array] as const
      const values = filled(random.pick(arrays), rows, () =>
        random.chance(0.1) ? NaN : random.double(),
      )
      const asNull = (row: number): PlainValue => (Number.isNaN(values[row]) ? null : values[row]!)
      return { column: { form: 'number', values, valid }, values: seen(asNull) }
    }
    case 'INT32': {
      if (random.chance(0.3)) return wholeDoubles(random, 2 ** 31, rows, valid, seen)
      const arrays = [Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array] as const
      const values = filled(random.pick(arrays), rows, () => random.below(2 ** 32))
      return { column: { form: 'number', values, valid }, values: seen((row) => values[row]!) }
    }
    case 'INT64': {
      if (random.chance(0.3)) return wholeDoubles(random, 2 ** 53, rows, valid, seen)
      const values = BigInt64Array.from({ length: rows }, () => random.int64())
      const words = new Int32Array(values.buffer)
      return {
        column: { form: 'int64', words, signed: true, valid },
        values: seen((row) => values[row]!),
      }
    }
    case 'UNIX_TIMESTAMP': {
      const ticksPerSecond = random.pick([1, 1e3, 1e6, 1e9])
      const ticks = BigInt64Array.from({ length: rows }, () => random.int64())
      const words = new Int32Array(ticks.buffer)
      const divisor = BigInt(ticksPerSecond)
      const wholes = (row: number): bigint =>
        (ticks[row]! - (((ticks[row]! % divisor) + divisor) % divisor)) / divisor
      // Seconds beyond what a double counts are no times that a file of ticks means.
      const safe = ticks.every((_, row) => Number.isSafeInteger(Number(wholes(row))))
      if (!safe) return randomColumn(random, type, rows, isKey)
      return { column: { form: 'time', words, ticksPerSecond, valid }, values: seen(wholes) }
    }
    case 'BOOL': {
      const bits = random.bytes((rows + 7) >> 3)
      const isSet = (row: number): boolean => ((bits[row >> 3]! >> (row & 7)) & 1) === 1
      return { column: { form: 'bool', bits, valid }, values: seen(isSet) }
    }
    case 'STRING': {
      const texts = Array.from({ length: rows }, () => random.text(6))
      const packed = packedBytes(texts.map((text) => new TextEncoder().encode(text)))
      return { column: { form: 'text', ...packed, valid }, values: seen((row) => texts[row]!) }
    }
    case 'BYTES': {
      const values = Array.from({ length: rows }, () => random.bytes(random.below(9)))
      const packed = packedBytes(values)
      return { column: { form: 'bytes', ...packed, valid }, values: seen((row) => values[row]!) }
    }
    default: {
      const element = type.replace('_LIST', '') as ValueTypeName // those of HEAPS
      const lists = Array.from({ length: rows }, () => random.below(4))
      const offsets = new Int32Array(rows + 1)
      lists.forEach((length, row) => (offsets[row + 1] = offsets[row]! + length))
      const child = randomColumn(random, element, offsets[rows]!, true)
      const elements = (row: number): PlainValue => {
        const cells = child.values.slice(offsets[row], offsets[row + 1])
        return element === 'FLOAT' ? cells.map((cell) => cell ?? NaN) : cells
      }
      return {
        column: { form: 'list', offsets, child: child.column, valid },
        values: seen(elements),
      }
    }
  }
}

/** Integers as pandas keeps those that may be missing. */
function wholeDoubles(
  random: SeededRandom,
  bound: number,
  rows: number,
  valid: Uint8Array | undefined,
  seen: (value: (row: number) => PlainValue) => PlainValue[],
): Filled {
  const values = Float64Array.from({ length: rows }, () => {
    const whole = Math.floor(random.next() * bound) * random.pick([1, -1])
    return valid !== undefined && random.chance(0.1) ? NaN : whole
  })
  const asNull = (row: number): PlainValue => (Number.isNaN(values[row]) ? null : values[row]!)
  return { column: { form: 'number', values, valid }, values: seen(asNull) }
}

function filled(
  Numbers: new (length: number) => NumberArray,
  rows: number,
  make: () => number,
): NumberArray {
  const values = new Numbers(rows)
  for (let row = 0; row < rows; row++) values[row] = make()
  return values
}

function packedBytes(values: readonly Uint8Array[]) {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, row) => (offsets[row + 1] = offsets[row]! + value.length))
  return { bytes: Uint8Array.from(Buffer.concat(values)), offsets }
}

function timesColumn(random: SeededRandom, times: readonly number[]): Column {
  const [ticksPerSecond, scale] = random.pick([
    [1e3, 1e-3],
    [1e6, 1],
    [1e9, 1000],
  ] as const)
  const ticks = BigInt64Array.from(times, (timeUs) =>
    scale < 1 ? BigInt(timeUs / 1000) : BigInt(timeUs) * BigInt(scale),
  )
  return { form: 'time', words: new Int32Array(ticks.buffer), ticksPerSecond, valid: undefined }
}

const SIMPLE = makeView({ keys: { id: 'INT64' }, features: { x: 'DOUBLE' } })
const withUnit = makeView({
  keys: { id: 'INT64' },
  features: { x: 'DOUBLE' },
  changes: { batchSource: makeSource({ timestampUnit: 'ms' }) },
})

const one = (event_timestamp: PlainValue): Chunk => recordsChunk([{ id: 1, x: 1, event_timestamp }])
const reasonOf = (view: FeatureView, chunk: Chunk): string =>
  normalise(view, chunk).rejects[0]?.reason ?? 'none'

describe('event times', () => {
  test('without a zone are UTC, with one are what they say', () => {
    for (const text of [
      '2026-01-02T03:04:05',
      '2026-01-02 03:04:05Z',
      '2026-01-02T05:04:05+02:00',
    ]) {
      const [entry] = entriesOf(normalise(SIMPLE, one(text)))
      expect(entry!.timeUs).toBe(Date.parse('2026-01-02T03:04:05Z') * 1000)
    }
  })

  test('are no integers unless the source declares what they count', () => {
    expect(reasonOf(SIMPLE, one(1767323045000))).toContain('declares no timestamp_unit')
    const [entry] = entriesOf(normalise(withUnit, one(1767323045000)))
    expect(entry!.timeUs).toBe(1767323045000000)
  })

  test('in nanoseconds are cut to microseconds, downwards, without losing digits', () => {
    expect(timeUsOf(1767323045123456789n, 'ns')).toBe(1767323045123456)
    expect(timeUsOf(-1n, 'ns')).toBe(-1)
    expect(timeUsOf('1767323045123456789', 'ns')).toBe(1767323045123456)
    expect(timeUsOf(2n ** 62n, 'us')).toBeNaN()
  })

  test('ahead of the clock by more than the margin are rejected, others not', () => {
    const at = (us: number): string => new Date(us / 1000).toISOString()
    expect(reasonOf(SIMPLE, one(at(NOW_US + 600e6)))).toBe('none')
    expect(reasonOf(SIMPLE, one(at(NOW_US + 601e6)))).toContain('ahead of the clock')
  })

  test('that are missing, no times or out of range are rejected with what was found', () => {
    expect(reasonOf(SIMPLE, one(null))).toContain('missing')
    expect(reasonOf(SIMPLE, one('soon'))).toContain('text "soon"')
    expect(reasonOf(withUnit, one(1e300))).toContain('no time of the years')
  })
})

describe('a batch', () => {
  test('names every column that is not there, and those that are', () => {
    const view = makeView({ keys: { id: 'INT64' }, features: { a: 'FLOAT', b: 'FLOAT' } })
    const chunk = columnsChunk(1, [
      { name: 'id', column: columnOf([1]) },
      { name: 'b', column: columnOf([1]) },
    ])
    expect(() => normalise(view, chunk)).toThrow('there are no columns a, event_timestamp')
  })

  test('finds its columns by the source’s names', () => {
    const fieldMapping = new Map([
      ['user', 'id'],
      ['value', 'x'],
      ['at', 'event_timestamp'],
    ])
    const view = makeView({
      keys: { id: 'INT64' },
      features: { x: 'DOUBLE' },
      changes: { batchSource: makeSource({ fieldMapping }) },
    })
    const row = { user: 7, value: 1.5, at: '2026-01-01', x: 'not this one' }
    expect(entriesOf(normalise(view, recordsChunk([row])))).toEqual(
      entriesOf(
        normalise(SIMPLE, recordsChunk([{ id: 7, x: 1.5, event_timestamp: '2026-01-01' }])),
      ),
    )
  })

  test('of times for an integer feature is refused: their unit would be a guess', () => {
    const time = timesColumn(new SeededRandom('times'), [0])
    const columns = ['id', 'x', 'event_timestamp'].map((name) => ({
      name,
      column: name === 'id' ? columnOf([1]) : time,
    }))
    expect(() => normalise(SIMPLE, columnsChunk(1, columns))).toThrow('its column holds times')
  })

  test('rejects a row by its first wrong value, and keeps those around it', () => {
    const view = makeView({ keys: { id: 'INT64' }, features: { n: 'INT32', s: 'STRING' } })
    const good = { id: 1, n: 1, s: 'a', event_timestamp: '2026-01-01' }
    const { rejects, ...rest } = normalise(
      view,
      recordsChunk([
        good,
        { ...good, n: 2 ** 31 },
        { ...good, s: 5 },
        { ...good, id: null },
        { ...good, id: 'x'.repeat(10) },
        { ...good, s: 'y'.repeat(400_000) },
        good,
      ]),
    )
    expect(rejects.map(({ row, column }) => [row, column])).toEqual([
      [2, 'n'],
      [3, 's'],
      [4, 'id'],
      [5, 'id'],
      [6, 's'],
    ])
    expect(entriesOf({ rejects, ...rest }).map(({ row }) => row)).toEqual([1, 7])
  })

  test('is handed over in bounded parts', () => {
    const view = makeView({ keys: { id: 'INT64' }, features: { s: 'STRING' } })
    const big = 'z'.repeat(300_000)
    const rows = Array.from({ length: 100 }, (_, id) => ({
      id,
      s: big,
      event_timestamp: '2026-01-01',
    }))
    const { taken } = normalise(view, recordsChunk(rows))
    expect(taken.length).toBeGreaterThan(5)
    for (const { batch } of taken) {
      expect(batch.rows.length + batch.keys.length).toBeLessThan(4 * 1024 * 1024 + 300_200)
    }
  })
})

describe('rows written directly', () => {
  test('have to be whole, and hold nothing else', () => {
    const rejects = (row: RowRecord) =>
      normalise(SIMPLE, recordsChunk([row]), directNames(SIMPLE)).rejects.map(
        ({ column }) => column,
      )
    const whole = { id: 1, x: null, event_timestamp: '2026-01-01' }
    expect(rejects(whole)).toEqual([])
    expect(rejects({ id: 1, event_timestamp: '2026-01-01' })).toEqual(['x'])
    expect(rejects({ ...whole, y: 1 })).toEqual(['y'])
  })

  test('may name the time as the view’s source does', () => {
    const view = makeView({
      keys: { id: 'INT64' },
      features: { x: 'DOUBLE' },
      changes: { batchSource: makeSource({ timestampField: 'at' }) },
    })
    for (const name of ['at', 'event_timestamp']) {
      const row = { id: 1, x: 1, [name]: '2026-01-01' }
      expect(normalise(view, recordsChunk([row]), directNames(view)).rejects).toEqual([])
    }
  })
})
