import { describe, expect, test } from 'bun:test'
import { Packr } from 'msgpackr'
import type { FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueType } from '../../src/catalog/value-type.ts'
import { VALUE_TYPES } from '../../src/catalog/value-type.ts'
import type { DirectReply } from '../../src/ingest/direct-lane.ts'
import { writeRows } from '../../src/ingest/direct-lane.ts'
import { encodeBatch } from '../../src/ingest/encode-batch.ts'
import { Normaliser } from '../../src/ingest/normaliser.ts'
import { directNames } from '../../src/ingest/row-names.ts'
import { openViewTable } from '../../src/ingest/store-sink.ts'
import type { WriteFormat } from '../../src/ingest/write-body.ts'
import { OUTCOME_NAMES } from '../../src/row/order-rule.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { randomValue } from '../row/random-value.ts'
import { NOW_US, makeSource, makeView, openStore, readRows } from './ingest-rig.ts'

const VIEW = makeView({
  keys: { id: 'INT64' },
  features: { x: 'FLOAT', s: 'STRING', tags: 'STRING_LIST' },
})

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'bigint' })
const pack = (value: unknown): Uint8Array => Uint8Array.from(packr.pack(value))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

async function write(
  store: EmbeddedStore,
  format: WriteFormat,
  body: Uint8Array,
  view: FeatureView = VIEW,
  dryRun = false,
): Promise<DirectReply> {
  return writeRows(
    { lane: 'direct', format, body, dryRun },
    {
      view,
      handle: await openViewTable(store, view),
      writer: store,
      futureMarginUs: 600e6,
      nowUs: () => NOW_US,
    },
  )
}

const outcomesOf = ({ outcomes }: DirectReply) => Array.from(outcomes, (it) => OUTCOME_NAMES[it]!)

const T = '2026-01-01T00:00:00Z'
const ROWS = [
  { id: 1, x: 0.5, s: 'a', tags: ['p', 'q'], event_timestamp: T },
  { id: 2, x: null, s: '', tags: [], event_timestamp: T },
  { id: 3, x: 7, s: 'é', tags: null, event_timestamp: T },
]
const COLUMNS = {
  id: [1, 2, 3],
  x: [0.5, null, 7],
  s: ['a', '', 'é'],
  tags: [['p', 'q'], [], null],
  event_timestamp: [T, T, T],
}

const BODIES: readonly [what: string, format: WriteFormat, body: Uint8Array][] = [
  ['lines', 'ndjson', utf8(ROWS.map((row) => JSON.stringify(row)).join('\n'))],
  ['a JSON list', 'json', utf8(JSON.stringify(ROWS))],
  ['JSON rows', 'json', utf8(JSON.stringify({ rows: ROWS }))],
  ['JSON columns', 'json', utf8(JSON.stringify({ columns: COLUMNS }))],
  ['a msgpack list', 'msgpack', pack(ROWS)],
  ['msgpack rows', 'msgpack', pack({ rows: ROWS })],
  ['msgpack columns', 'msgpack', pack({ columns: COLUMNS })],
]

describe('a body', () => {
  test('says the same in each of its shapes', async () => {
    const store = await openStore()
    for (const [place, [what, format, body]] of BODIES.entries()) {
      const reply = await write(store, format, body)
      const outcome = place === 0 ? 'new' : 'unchanged'
      expect([what, ...outcomesOf(reply)]).toEqual([what, outcome, outcome, outcome])
    }
    expect(readRows(store, VIEW).get('3')).toEqual({
      x: 7,
      s: 'é',
      tags: null,
      event_timestamp: Date.parse(T) * 1000,
    })
    await store.close()
  })

  test('may say what its integer times count', async () => {
    const store = await openStore()
    for (const [unit, time] of [
      ['s', 1767225600],
      ['ms', 1767225600000],
      ['us', 1767225600000000],
      ['ns', 1767225600000000000n],
    ] as const) {
      const row = { ...ROWS[0], event_timestamp: time }
      const reply = await write(store, 'msgpack', pack({ rows: [row], timestamp_unit: unit }))
      expect(outcomesOf(reply)).toEqual([unit === 's' ? 'new' : 'unchanged'])
    }
    await store.close()
  })
})

describe('each row', () => {
  test('has its outcome in its place, and the rejected ones their reason', async () => {
    const store = await openStore()
    await write(store, 'json', utf8(JSON.stringify([ROWS[0], ROWS[1]])))
    const rows = [
      { ...ROWS[0], s: 'b' },
      { ...ROWS[0], x: 'much' },
      ROWS[1],
      7,
      { id: 4 },
      ROWS[2],
      { ...ROWS[1], event_timestamp: '2025-01-01' },
      { ...ROWS[2], more: 1 },
      { ...ROWS[2], event_timestamp: '2026-01-01T00:00:01Z' },
    ]
    const reply = await write(store, 'json', utf8(JSON.stringify(rows)))
    expect(outcomesOf(reply)).toEqual([
      'changed',
      'rejected',
      'unchanged',
      'rejected',
      'rejected',
      'new',
      'older',
      'rejected',
      'touched',
    ])
    expect(reply.rejected.map(({ index, column }) => [index, column])).toEqual([
      [1, 'x'],
      [3, ''],
      [4, 'event_timestamp'],
      [7, 'more'],
    ])
    expect(reply.read).toBe(9)
    expect(Object.values(reply.counts).reduce((sum, count) => sum + count)).toBe(9)
    expect(reply.counts).toMatchObject({ new: 1, changed: 1, rejected: 4 })
    await store.close()
  })

  test('is only judged in a dry run, repeats included', async () => {
    const store = await openStore()
    const rows = [ROWS[0], { ...ROWS[0], x: 1 }, { ...ROWS[0], x: 1 }]
    const body = utf8(JSON.stringify(rows))
    const dry = await write(store, 'json', body, VIEW, true)
    expect(readRows(store, VIEW).size).toBe(0)
    expect(outcomesOf(dry)).toEqual(['new', 'changed', 'unchanged'])
    expect(outcomesOf(await write(store, 'json', body))).toEqual(outcomesOf(dry))
    await store.close()
  })

  test('of a body of several batches has its outcome too', async () => {
    const store = await openStore()
    const rows = Array.from({ length: 40_000 }, (_, id) => ({
      ...ROWS[0],
      id,
      ...(id % 1000 === 999 ? { s: 5 } : {}),
    }))
    const reply = await write(store, 'msgpack', pack({ rows }))
    expect(reply.counts).toMatchObject({ new: 39_960, rejected: 40 })
    expect(reply.rejected.map(({ index }) => index)).toEqual(
      Array.from({ length: 40 }, (_, place) => place * 1000 + 999),
    )
    expect(readRows(store, VIEW).size).toBe(39_960)
    await store.close()
  })
})

describe('a body that is none', () => {
  const refusals: readonly [what: string, WriteFormat, Uint8Array, object][] = [
    ['empty', 'ndjson', utf8(''), { code: 'malformed' }],
    [
      'no line of which is a row',
      'ndjson',
      utf8('hello\nyou'),
      { code: 'malformed', where: 'line 1' },
    ],
    [
      'broken JSON',
      'json',
      utf8('[{"id":1},'),
      { code: 'malformed', where: expect.stringContaining('byte 10') },
    ],
    ['not UTF-8', 'json', Uint8Array.of(0x5b, 0xff, 0x5d), { code: 'malformed' }],
    [
      'msgpack that is cut',
      'msgpack',
      pack(ROWS).subarray(0, 20),
      { code: 'malformed', where: expect.stringContaining('byte') },
    ],
    [
      'msgpack with more behind it',
      'msgpack',
      Buffer.concat([pack(ROWS), pack(1)]),
      { code: 'malformed' },
    ],
    ['msgpack of one number', 'msgpack', pack(1), { code: 'invalid_request' }],
    ['an object without rows', 'json', utf8('{"id":1}'), { code: 'invalid_request' }],
    ['rows and columns', 'json', utf8('{"rows":[],"columns":{}}'), { code: 'invalid_request' }],
    [
      'columns of two lengths',
      'json',
      utf8('{"columns":{"id":[1],"x":[]}}'),
      { code: 'invalid_request', where: 'columns.x' },
    ],
    [
      'a column that is no list',
      'json',
      utf8('{"columns":{"id":1}}'),
      { code: 'invalid_request', where: 'columns.id' },
    ],
    [
      'columns without one of the view',
      'json',
      utf8('{"columns":{"id":[1]}}'),
      { code: 'invalid_row' },
    ],
    [
      'a column that the view does not know',
      'json',
      utf8(JSON.stringify({ columns: { ...COLUMNS, y: [1, 2, 3] } })),
      { code: 'invalid_row' },
    ],
    [
      'an unknown unit',
      'json',
      utf8('{"rows":[],"timestamp_unit":"min"}'),
      { code: 'invalid_request' },
    ],
    ['nested too deep', 'msgpack', new Uint8Array(5000).fill(0x91), { code: 'malformed' }],
    [
      'too many rows',
      'msgpack',
      Buffer.concat([Uint8Array.of(0xdd, 0, 0x10, 0, 0), new Uint8Array(2 ** 20)]),
      { code: 'too_large' },
    ],
  ]
  for (const [what, format, body, fault] of refusals) {
    test(`is refused: ${what}`, async () => {
      const store = await openStore()
      await expect(write(store, format, Uint8Array.from(body))).rejects.toMatchObject(fault)
      expect(outcomesOf(await write(store, 'json', utf8(JSON.stringify(ROWS))))).toEqual([
        'new',
        'new',
        'new',
      ])
      await store.close()
    })
  }
})

describe('a batch as a body', () => {
  test('becomes the same rows on the other side, whatever their types', async () => {
    const random = new SeededRandom('encoded batches')
    for (let step = 0; step < stepsOf(30); step++) {
      const types = Array.from({ length: 1 + random.below(6) }, () => random.pick(VALUE_TYPES))
      const view = makeView({
        keys: random.pick([{ id: 'INT64' }, { a: 'BYTES', b: 'STRING' }, {}] as const),
        features: Object.fromEntries(types.map((type, place) => [`f${place}`, type.name])),
        changes: { batchSource: makeSource({ timestampUnit: 's' }) },
      })
      const { batch, body } = randomBatch(random, view)
      const [near, far] = [await openStore(), await openStore()]
      await near.writeMany({ ...batch, ...(await openViewTable(near, view)) })
      expect((await write(far, 'msgpack', body, view)).rejected).toEqual([])
      const shown = (store: EmbeddedStore) =>
        Bun.inspect([...readRows(store, view)].sort(byKey), { depth: 9 })
      expect(shown(far)).toBe(shown(near))
      await near.close()
      await far.close()
    }
  })
})

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1

/** Random rows through the normaliser, and as the body that a server is sent. */
function randomBatch(random: SeededRandom, view: FeatureView) {
  const layout = viewLayout(view)
  const normaliser = new Normaliser({
    view,
    layout,
    names: directNames(view),
    futureMarginUs: 600e6,
    nowUs: () => NOW_US,
  })
  const records = Array.from({ length: 1 + random.below(20) }, (_, place) => ({
    ...Object.fromEntries(
      view.joinKeys.map(({ name, type }) => [
        name,
        type === 'INT64' ? random.int64() : btoa(`${place}`),
      ]),
    ),
    ...Object.fromEntries(
      view.features.map(({ name, type }) => [
        name,
        random.chance(0.2) ? null : jsonValue(random, type),
      ]),
    ),
    event_timestamp: new Date(random.below(2 ** 40)).toISOString(),
  }))
  const chunk = { file: 'r', firstRow: 0, rows: records.length, fileBytesRead: 0, records }
  for (const _ of normaliser.add({ kind: 'records', ...chunk })) continue
  expect(normaliser.takeLeftOut().rejects).toEqual([])
  const { batch } = normaliser.take(0, 0, 'batch')
  return { batch, body: encodeBatch(view, layout, 'event_timestamp', batch) }
}

/** Texts that are values of their types; other texts are any. */
const TEXTS: Readonly<Record<string, string>> = {
  DECIMAL: '-12.50',
  JSON: '{"a": [1, 9007199254740993]}',
  UUID: '0b3f4c9e-2f57-4d9c-8a54-0a1d6d2f7e10',
  TIME_UUID: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
}

/** A value as a file would bring it: maps and nested lists without their inner types. */
function jsonValue(random: SeededRandom, type: ValueType): PlainValue {
  if (type.shape === 'map') return { a: random.below(9), b: [1.5, random.next()], c: { d: 'x' } }
  if (type.element === 'MAP') return [{ a: random.next() }, {}]
  if (type.shape === 'nested') return [[random.below(5)], ['x'], null]
  const text = TEXTS[type.element === '' ? type.name : type.element]
  if (text === undefined) return randomValue(random, type)
  return type.element === '' ? text : random.list(3, () => text)
}
