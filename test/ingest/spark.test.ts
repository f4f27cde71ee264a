/** Folders as Spark itself wrote them (test/fixtures/spark). */
import { describe, expect, test } from 'bun:test'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../src/base/exact-json.ts'
import { ingest, makeSource, makeView, openStore, readRows, temporaryFolder } from './ingest-rig.ts'

const FIXTURES = join(import.meta.dir, '../fixtures/spark')

const KINDS = makeView({
  keys: { id: 'INT64' },
  features: {
    bool_v: 'BOOL',
    i8: 'INT32',
    i16: 'INT32',
    i32: 'INT32',
    i64: 'INT64',
    f32: 'FLOAT',
    f64: 'DOUBLE',
    dec9: 'DECIMAL',
    dec18: 'DOUBLE',
    dec38: 'DECIMAL',
    str: 'STRING',
    bin: 'BYTES',
    day: 'UNIX_TIMESTAMP',
    ts_ntz: 'UNIX_TIMESTAMP',
    floats: 'FLOAT_LIST',
    strs: 'STRING_LIST',
    nested: 'VALUE_LIST',
    counts: 'MAP',
    rec: 'STRUCT',
  },
  changes: { batchSource: makeSource({ timestampField: 'ts' }) },
})

type Expected = {
  readonly id: number
  readonly ts_micros: number
  readonly [name: string]: unknown
}

/** Decimals keep their digits: as text. */
const EXPECTED = readFileSync(join(FIXTURES, 'expected-kinds.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) =>
    parseJson(line.replace(/"(dec9|dec38)":(-?[\d.E-]+)/g, '"$1":"$2"')),
  ) as readonly Expected[] // Spark's own words

const seconds = (text: unknown): number => Math.floor(Date.parse(`${String(text)}Z`) / 1000)

/** A row as a reader sees it, from Spark's JSON of it. */
function readForm(row: Expected, timeUs: number) {
  const { id: _, ts: __, ts_micros: ___, ...values } = row
  return {
    ...values,
    f32: Math.fround(Number(row['f32'])),
    dec38: fixedText(row['dec38'], 10),
    bin: row['bin'] === null ? null : Uint8Array.fromBase64(String(row['bin'])),
    day: Date.parse(String(row['day'])) / 1000,
    ts_ntz: seconds(row['ts_ntz']),
    floats:
      row['floats'] === null
        ? null
        : (row['floats'] as (number | null)[]).map((value) => value ?? NaN),
    // Inside a nested list an empty list is an empty value: Feast's form has no other.
    nested: (row['nested'] as (unknown[] | null)[]).map((list) => (list?.length ? list : null)),
    event_timestamp: timeUs,
  }
}

const fixedText = (text: unknown, scale: number): string =>
  String(text).includes('E') ? (0).toFixed(scale) : String(text)

/** Objects without a prototype are the same to a reader. */
const plain = (value: unknown): unknown => structuredClone(value)

describe('every type that Spark writes is read as Spark reads it', () => {
  for (const [folder, tickUs] of [
    ['kinds-int96', 1],
    ['kinds-micros', 1],
    ['kinds-millis', 1000],
    ['kinds-v2', 1],
  ] as const) {
    test(folder, async () => {
      await using store = await openDisposable()
      const receipt = await ingest(store.store, KINDS, join(FIXTURES, folder))
      expect(receipt).toMatchObject({ read: 200, new: 200, rejected: 0, ignoredColumns: [] })
      const rows = readRows(store.store, KINDS)
      for (const row of EXPECTED) {
        const timeUs = Math.floor(row.ts_micros / tickUs) * tickUs
        expect(plain(rows.get(String(row.id)))).toEqual(plain(readForm(row, timeUs)))
      }
    })
  }
})

const WIDE = makeView({
  keys: { entity: 'STRING', ds: 'STRING' },
  features: {
    f_00: 'FLOAT',
    f_29: 'FLOAT',
    country: 'STRING',
    tags: 'STRING_LIST',
    emb: 'FLOAT_LIST',
  },
  changes: { batchSource: makeSource() },
})

describe('a partitioned folder', () => {
  test('gives its partition as a column, whichever codec it is written in', async () => {
    for (const codec of ['snappy', 'zstd']) {
      await using store = await openDisposable()
      const receipt = await ingest(store.store, WIDE, join(FIXTURES, codec))
      expect(receipt).toMatchObject({ read: 200, new: 200, rejected: 0 })
      expect(receipt.ignoredColumns).toContain('f_01')
      const row = readRows(store.store, WIDE).get('2026-01-03,doc:6')
      expect(row).toEqual({
        f_00: Math.fround(6 / 1000003),
        f_29: Math.fround(180 / 1000003),
        country: 'JP',
        tags: ['t0'],
        emb: [6, 7, 8, 9, 10, 11, 12, 13],
        event_timestamp: 1767225600000000 + 6 * 1000001,
      })
    }
  })

  test('has nulls where Spark has them', async () => {
    await using store = await openDisposable()
    await ingest(store.store, WIDE, join(FIXTURES, 'snappy'))
    const rows = readRows(store.store, WIDE)
    expect(rows.get('2026-01-02,doc:101')).toMatchObject({ f_00: null })
    expect(rows.get('2026-01-02,doc:29')).toMatchObject({ f_29: null })
  })

  test('is refused where its job did not finish', async () => {
    const folder = join(temporaryFolder(), 'out')
    cpSync(join(FIXTURES, 'snappy'), folder, { recursive: true })
    rmSync(join(folder, '_SUCCESS'))
    await using store = await openDisposable()
    for (const path of [folder, join(folder, 'ds=2026-01-01'), join(folder, '*/*.parquet')]) {
      await expect(ingest(store.store, WIDE, path)).rejects.toMatchObject({
        code: 'source_invalid',
        where: folder,
      })
    }
  })

  test('can be read one partition, and one file, at a time', async () => {
    await using store = await openDisposable()
    const one = await ingest(store.store, WIDE, join(FIXTURES, 'snappy/ds=2026-01-01'))
    const rest = await ingest(
      store.store,
      WIDE,
      join(FIXTURES, 'snappy/ds=2026-01-0[234]/*.parquet'),
    )
    expect(one.new + rest.new).toBe(200)
    expect([...readRows(store.store, WIDE).keys()]).toContain('2026-01-04,doc:3')
  })
})

async function openDisposable() {
  const store = await openStore()
  return { store, [Symbol.asyncDispose]: () => store.close() }
}
