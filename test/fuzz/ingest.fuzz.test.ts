/**
 * What is ingested, under bytes that are almost right: rows are rejected, bodies and files refused by
 * a Fault, and nothing else escapes. STEPS=10000000 for a long run of each.
 */
import { describe, expect, test } from 'bun:test'
import { Packr } from 'msgpackr'
import { Fault } from '../../src/base/fault.ts'
import { CsvCells } from '../../src/ingest/csv-cells.ts'
import type { Column } from '../../src/ingest/column.ts'
import { Normaliser } from '../../src/ingest/normaliser.ts'
import { batchNames, directNames } from '../../src/ingest/row-names.ts'
import type { Chunk } from '../../src/ingest/source.ts'
import { UnreadableRow } from '../../src/ingest/source.ts'
import { parseWriteBody } from '../../src/ingest/write-body.ts'
import { parseLines } from '../../src/ingest/ndjson-source.ts'
import { checkRow } from '../../src/row/row-reader.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { NOW_US, makeSource, makeView } from '../ingest/ingest-rig.ts'
import { mutated } from './mutate.ts'

const VIEW = makeView({
  keys: { id: 'INT64', name: 'STRING' },
  features: {
    x: 'FLOAT',
    n: 'INT64',
    hot: 'BOOL',
    s: 'STRING',
    emb: 'FLOAT_LIST',
    tags: 'STRING_SET',
    more: 'MAP',
    any: 'VALUE_LIST',
    price: 'DECIMAL',
    doc: 'JSON',
    seen: 'UNIX_TIMESTAMP',
    blob: 'BYTES',
    zoned: 'ZONED_TIMESTAMP',
  },
  changes: { batchSource: makeSource({ timestampUnit: 'ms' }) },
})
const LAYOUT = viewLayout(VIEW)

const ROW = {
  id: 9007199254740,
  name: 'añn',
  x: 0.5,
  n: -7,
  hot: true,
  s: 'a "quoted", text',
  emb: [1, 2.5],
  tags: ['b', 'a'],
  more: { a: 1, b: { c: [1, 2.5] } },
  any: [[1, 2], ['x'], null],
  price: '12.50',
  doc: '{"a":1}',
  seen: 1700000000,
  blob: 'AP8=',
  zoned: '2026-01-01T00:00:00+01:00[Europe/Berlin]',
  event_timestamp: '2026-01-01T00:00:00Z',
}
const NULLS = Object.fromEntries(Object.keys(ROW).map((name) => [name, null]))
const ROWS = [ROW, { ...NULLS, id: 2, name: 'b', event_timestamp: 1767225600000 }]
const COLUMNS = Object.fromEntries(
  Object.keys(ROW).map((name) => [name, ROWS.map((row) => (row as Record<string, unknown>)[name])]),
)

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const packr = new Packr({ useRecords: false })
const pack = (value: unknown): Uint8Array => Uint8Array.from(packr.pack(value))

/** Rows that became entries; each is a row that a reader can read. */
function entriesOf(chunk: Chunk, names: ReturnType<typeof directNames>): number {
  const normaliser = new Normaliser({
    view: VIEW,
    layout: LAYOUT,
    names,
    futureMarginUs: 600e6,
    nowUs: () => NOW_US,
  })
  for (const _ of normaliser.add(chunk)) continue
  const { rejects } = normaliser.takeLeftOut()
  const { batch } = normaliser.take(1, 1, 'batch')
  expect(batch.count + rejects.length).toBe(chunk.rows)
  for (let place = 0; place < batch.count; place++) {
    const isRow = checkRow(LAYOUT, batch.rows, batch.rowStarts[place]!, batch.rowBytes[place]!)
    if (!isRow) throw new Error('a row that no reader can read')
  }
  return batch.count
}

type Target = {
  readonly seeds: readonly Uint8Array[]
  readonly pieces: readonly Uint8Array[]
  readonly read: (bytes: Uint8Array) => number
}

function fuzz(name: string, { seeds, pieces, read }: Target, steps = stepsOf(4000)): void {
  const random = new SeededRandom(`ingest.fuzz, ${name}`)
  for (const seed of seeds) expect(read(seed)).toBe(2)
  let rows = 0
  let refused = 0
  for (let step = 0; step < steps; step++) {
    const bytes = mutated(random, seeds, pieces)
    try {
      rows += read(bytes)
    } catch (error) {
      if (!(error instanceof Fault)) {
        throw new Error(`${name}: ${String(error)} escaped from ${bytes.toHex()}`, { cause: error })
      }
      refused++
    }
  }
  console.log(`${name}: ${rows} rows, ${refused} refused`)
  expect(rows).toBeGreaterThan(0)
  expect(read(seeds[0]!)).toBe(2)
}

const JSON_PIECES = [
  '9007199254740993',
  '1e999',
  '\\ud800',
  '"__proto__":',
  '[[',
  '{}',
  ',',
  '\n',
  'null',
]

test('write bodies in JSON give rows, rejects or a Fault', () => {
  fuzz('json', {
    seeds: [ROWS, { rows: ROWS }, { columns: COLUMNS, timestamp_unit: 'ms' }].map((body) =>
      utf8(JSON.stringify(body)),
    ),
    pieces: JSON_PIECES.map(utf8),
    read: (bytes) => readBody('json', bytes),
  })
})

test('write bodies in msgpack give rows, rejects or a Fault', () => {
  fuzz('msgpack', {
    seeds: [ROWS, { rows: ROWS }, { columns: COLUMNS, timestamp_unit: 'ms' }].map(pack),
    pieces: [
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xc1],
      [0xcf, 255, 255, 255, 255, 255, 255, 255, 255],
      [0xd9, 3, 0xff],
    ].map((bytes) => Uint8Array.from(bytes)),
    read: (bytes) => readBody('msgpack', bytes),
  })
})

function readBody(format: 'json' | 'msgpack', bytes: Uint8Array): number {
  const { chunk, timeUnit } = parseWriteBody(format, bytes)
  const names = directNames(VIEW)
  return entriesOf(chunk, timeUnit === '' ? names : { ...names, timeUnit })
}

test('lines of NDJSON give rows or rejects', () => {
  fuzz('ndjson', {
    seeds: [utf8(ROWS.map((row) => JSON.stringify(row)).join('\n'))],
    pieces: JSON_PIECES.map(utf8),
    read: (bytes) => {
      const records = parseLines(bytes)
      const place = { file: 'f', firstRow: 1, rows: records.length, fileBytesRead: 0 }
      return entriesOf({ kind: 'records', ...place, records }, batchNames(VIEW))
    },
  })
})

test('CSV gives rows or rejects', () => {
  const names = Object.keys(ROW)
  const cell = (value: unknown): string => {
    if (value === null) return ''
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `"${text.replaceAll('"', '""')}"`
  }
  const lines = ROWS.map((row) =>
    names.map((name) => cell((row as Record<string, unknown>)[name])).join(','),
  )
  fuzz('csv', {
    seeds: [utf8(`${lines.join('\r\n')}\n`), utf8(lines.join('\n'))],
    pieces: ['"', '""', ',', '\r', '\n', '\ufeff', '1e400', 'NaN'].map(utf8),
    read: (bytes) => {
      const cells = new CsvCells(bytes, true)
      if (!cells.read(1000, names.length)) return 0
      const columns = names.map((name, place) => ({
        name,
        column: { form: 'untyped', at: (row) => cells.text(row, place) } satisfies Column as Column,
      }))
      const unreadable = new Map([...cells.faults].map(([row, reason]) => [row, { reason }]))
      const place = { file: 'f', firstRow: 1, rows: cells.rows, fileBytesRead: 0 }
      return entriesOf({ kind: 'columns', ...place, columns, unreadable }, batchNames(VIEW))
    },
  })
})

describe('canary: the fuzz finds', () => {
  const seeds = [utf8(JSON.stringify(ROWS))]
  const pieces = JSON_PIECES.map(utf8)

  test('a decoder of bodies that lets a SyntaxError through', () => {
    const read = (bytes: Uint8Array): number => {
      JSON.parse(new TextDecoder().decode(bytes))
      return readBody('json', bytes)
    }
    expect(() => fuzz('canary, json', { seeds, pieces, read }, 20_000)).toThrow('escaped from')
  })

  test('a decoder of lines that loses a row which it can’t read', () => {
    const lines = [utf8(ROWS.map((row) => JSON.stringify(row)).join('\n'))]
    const read = (bytes: Uint8Array): number => {
      const records = parseLines(bytes)
      const kept = records.filter((record) => !(record instanceof UnreadableRow))
      const place = { file: 'f', firstRow: 1, rows: records.length, fileBytesRead: 0 }
      return entriesOf({ kind: 'records', ...place, records: kept }, batchNames(VIEW))
    }
    expect(() => fuzz('canary, ndjson', { seeds: lines, pieces, read }, 20_000)).toThrow(
      'escaped from',
    )
  })
})
