import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import { parseLines } from '../../src/ingest/ndjson-source.ts'
import { UnreadableRow } from '../../src/ingest/source.ts'
import { ingest, makeSource, makeView, openStore, readRows, temporaryFolder } from './ingest-rig.ts'

const lines = (...rows: readonly string[]) => parseLines(new TextEncoder().encode(rows.join('\n')))

describe('lines', () => {
  test('keep every digit of an integer, among lines that need no care', () => {
    expect(
      lines(
        '{"a":1,"b":0.12345678901234567}',
        '{"a":9007199254740993,"b":-9223372036854775808}',
        '{"a":1e3,"b":"9007199254740993"}',
        '{"a":[18446744073709551615]}',
      ),
    ).toEqual([
      { a: 1, b: 0.12345678901234567 },
      { a: 9007199254740993n, b: -9223372036854775808n },
      { a: 1000, b: '9007199254740993' },
      { a: [18446744073709551615n] },
    ])
  })

  test('that are no objects spoil themselves alone, and blank ones are none', () => {
    const rows = lines('{"a":1}', '', '[1]', ' \t\r', '{"a":', '7', '{"a":2} {"a":3}', '{"a":4}')
    expect(rows.filter((row) => !(row instanceof UnreadableRow))).toEqual([{ a: 1 }, { a: 4 }])
    expect(rows.map((row) => (row instanceof UnreadableRow ? row.reason : ''))).toEqual([
      '',
      'not a JSON object',
      'JSON does not go on with the end here, column 6 (byte 5)',
      'not a JSON object',
      'JSON does not go on with "{" here, column 9 (byte 8)',
      '',
    ])
  })

  test('that are not UTF-8 spoil themselves alone', () => {
    const bytes = Buffer.from('{"a":"?"}\n{"a":"é"}')
    bytes[bytes.indexOf('?')] = 0xc3
    expect(parseLines(bytes)).toEqual([new UnreadableRow('not UTF-8'), { a: 'é' }])
  })
})

const VIEW = makeView({
  keys: { id: 'INT64' },
  features: Object.fromEntries<ValueTypeName>([
    ['n', 'INT64'],
    ['x', 'DOUBLE'],
    ['constructor', 'STRING'], // what every object has from its prototype
  ]),
  changes: { batchSource: makeSource({ fieldMapping: new Map([['count', 'n']]) }) },
})

describe('an NDJSON file', () => {
  test('gives null for a key that is not there, whatever its name', async () => {
    const path = join(temporaryFolder(), 'rows.ndjson')
    writeFileSync(path, '{"id":1,"event_timestamp":"2026-01-01","count":5,"other":1}\n')
    const store = await openStore()
    expect(await ingest(store, VIEW, path)).toMatchObject({ read: 1, new: 1 })
    const row = readRows(store, VIEW).get('1')!
    expect(row['n']).toBe(5)
    expect(row['x']).toBe(null)
    expect(row['constructor']).toBe(null)
    await store.close()
  })

  test('is read the same packed, longer than a block, and without a last line break', async () => {
    const folder = temporaryFolder()
    const rows = 40_000
    const text = Array.from({ length: rows }, (_, id) =>
      JSON.stringify({ id, count: id * 3, x: id / 7, event_timestamp: '2026-01-01T00:00:00Z' }),
    ).join('\n')
    writeFileSync(join(folder, 'a.ndjson'), text)
    writeFileSync(join(folder, 'b.jsonl.gz'), Bun.gzipSync(new TextEncoder().encode(text)))
    const store = await openStore()
    expect(await ingest(store, VIEW, join(folder, 'a.ndjson'))).toMatchObject({ new: rows })
    expect(await ingest(store, VIEW, join(folder, 'b.jsonl.gz'))).toMatchObject({
      read: rows,
      unchanged: rows,
      touched: 0,
    })
    expect(readRows(store, VIEW).get('39999')).toMatchObject({ n: 119_997, x: 39_999 / 7 })
    await store.close()
  })

  test('that is cut short in its packing is refused', async () => {
    const path = join(temporaryFolder(), 'rows.ndjson.gz')
    writeFileSync(path, Bun.gzipSync(Buffer.from('{"id":1}\n'.repeat(1000))).subarray(0, 30))
    const store = await openStore()
    await expect(ingest(store, VIEW, path)).rejects.toMatchObject({
      code: 'source_invalid',
      where: path,
    })
    await store.close()
  })
})
