/** Every item of the golden fixture becomes the row of its source, and every row Feast's item. */
import { expect, test } from 'bun:test'
import { openCatalog } from '../../../src/catalog/open-catalog.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { decodeValue, encodeValue } from '../../../src/row/composite.ts'
import { entityId } from '../../../src/row/entity-id.ts'
import { keyPrefix } from '../../../src/row/entity-key.ts'
import type { Layout } from '../../../src/row/layout.ts'
import { OUTCOME } from '../../../src/row/order-rule.ts'
import { readValue } from '../../../src/row/row-reader.ts'
import { viewLayout } from '../../../src/row/view-layout.ts'
import { BodyBytes } from '../../../src/store/dynamodb/body-bytes.ts'
import { ItemBody, writeUnits } from '../../../src/store/dynamodb/item-body.ts'
import { ItemScanner } from '../../../src/store/dynamodb/item-scanner.ts'
import { makeScanCounters } from '../../../src/store/dynamodb/scan-counters.ts'
import { ReadBatch } from '../../../src/store/read-batch.ts'
import type { TableSpec } from '../../../src/store/store.ts'
import { NO_UNITS } from '../../../src/store/write-batch.ts'
import { loadRows } from '../../feast/load-rows.ts'
import type { ItemJson } from './reference-items.ts'
import { referenceRow } from './reference-items.ts'

const FIXTURES = 'test/fixtures/feast'
const PROJECT = 'rideshare'

type Dump = {
  readonly tables: readonly { readonly TableName: string; readonly Items: readonly ItemJson[] }[]
  readonly foreign_items: readonly string[]
}
type Source = { readonly timeUs: number; readonly row: Uint8Array }

const catalog = await openCatalog(`${FIXTURES}/feature_repo`)
const dump = (await Bun.file(`${FIXTURES}/dynamodb-items.json`).json()) as Dump
const layouts: ReadonlyMap<string, Layout> = new Map(
  catalog.views.map((view) => [`${PROJECT}.${view.table}`, viewLayout(view)]),
)

/** The rows that a RowWriter makes of rows.jsonl, by table and entity_id. */
async function sourceRows(): Promise<ReadonlyMap<string, Source>> {
  const rows = new Map<string, Source>()
  let table: TableSpec
  const store = {
    openTable: async (spec: TableSpec) => ((table = spec), { table: 1, layout: 1 }),
    writeMany: async (batch: Parameters<Parameters<typeof loadRows>[1]['writeMany']>[0]) => {
      const { joinKeys } = catalog.views.find((view) => view.table === table.name)!
      const id = entityId(keyPrefix(joinKeys), batch.keys.subarray(0, batch.keyBytes[0]))
      const row = batch.rows.slice(0, batch.rowBytes[0])
      rows.set(`${PROJECT}.${table.name}/${id}`, { timeUs: batch.times[0]!, row })
      return { outcomes: Uint8Array.of(OUTCOME.new), bytesWritten: 0, ...NO_UNITS }
    },
  }
  await loadRows(catalog, store, await Bun.file(`${FIXTURES}/rows.jsonl`).text())
  return rows
}

const sources = await sourceRows()
const items = dump.tables.flatMap(({ TableName, Items }) =>
  Items.map(
    (item) => [`${TableName}/${String(item['entity_id']!['S'])}`, TableName, item] as const,
  ),
)

function scanned(layout: Layout, item: unknown) {
  const scanner = new ItemScanner(layout, makeScanCounters())
  const space = new ReadBatch(1, 1, 1)
  const bytes = new TextEncoder().encode(JSON.stringify(item))
  scanner.open(bytes)
  expect(scanner.scan(0, space)).toBe(bytes.length)
  const row = space.rows.slice(scanner.rowStart, scanner.rowStart + scanner.rowBytes)
  return { id: scanner.idText(), timeUs: scanner.timeUs, text: scanner.timeText(), row }
}

test('the fixture is there', () => {
  expect(sources.size).toBe(45)
  expect(items.length).toBe(sources.size + dump.foreign_items.length)
})

for (const [name, table, item] of items) {
  const layout = layouts.get(table)!
  const source = sources.get(name)

  test(`the item ${name} reads as the plain way does`, () => {
    const { id, timeUs, text, row } = scanned(layout, item)
    const expected: unknown = referenceRow(layout, item)
    expect({ id, timeUs, row } as unknown).toEqual(expected)
    expect(text).toBe(item['event_ts']!['S'] as string)
  })

  if (source === undefined) {
    test(`${name} is foreign`, () => expect(dump.foreign_items).toContain(name))
    continue
  }
  test(`the item ${name} is the row of its source`, () => {
    const { timeUs, row } = scanned(layout, item)
    expect(timeUs).toBe(source.timeUs)
    expect(Buffer.compare(row, source.row)).toBe(0)
  })

  test(`the row of ${name} is Feast's item`, () => {
    const id = name.split('/')[1]!
    const out = new BodyBytes()
    new ItemBody(layout).appendItem(out, id, source.timeUs, source.row, 0)
    const written = JSON.parse(new TextDecoder().decode(out.view())) as ItemJson
    expect(plain(written)).toEqual(plain(item))
  })
}

/** Maps have no order in Feast's bytes: those of Values that hold one are compared in ours. */
function plain(item: ItemJson): unknown {
  const values = item['values']!['M'] as { readonly [name: string]: { readonly B: string } }
  const entries = Object.entries(values).map(([name, { B }]) => [name, canonical(B)])
  return { ...item, values: Object.fromEntries(entries) }
}

function canonical(binary: string): string {
  const { type, value } = decodeValue(Uint8Array.fromBase64(binary))
  if (type === 'NULL') return binary
  const { heapForm, shape } = valueType(type)
  const hasMap = heapForm === 'message' && shape !== 'set'
  return hasMap ? encodeValue(valueType(type), value).toBase64() : binary
}

const view = catalog.views.find(({ table }) => table === 'driver_stats')!

/** `foreign_items`: what others have put into the table of driver_stats. */
function foreign(id: string) {
  const layout = viewLayout(view)
  const [, , item] = items.find(([name]) => name.endsWith(id))!
  const { row, timeUs } = scanned(layout, item)
  const value = (name: string) =>
    readValue(layout, row, 0, row.length, view.features.find((one) => one.name === name)!.position)
  return { value, timeUs }
}

test('an item without some features has them absent, and a NaN as it is stored', () => {
  const { value } = foreign('1f113ab786a922ff2cd4f30ef26e5b92')
  expect([value('acc_rate'), value('conv_rate'), value('trips')]).toEqual([NaN, NaN, 1])
  expect(value('nickname')).toBeUndefined()
})

test('an item without values has every feature absent', () => {
  const { value, timeUs } = foreign('27d0de77861bd1734cdcf0faa4b1ea86')
  expect(view.features.map(({ name }) => value(name)).every((each) => each === undefined)).toBe(
    true,
  )
  expect(timeUs).toBe(1787220000_000_000)
})

test('an item with a missing event time has its values, and no time', () => {
  const { value, timeUs } = foreign('6d758c5001c17e2cca230a47f782996a')
  expect(value('trips')).toBe(7)
  expect(timeUs).toBeNaN()
})

test('a null_val is null, and a time without an offset is UTC', () => {
  const { value, timeUs } = foreign('b9479c5d63e90da0be7726f7df98e77a')
  expect([value('cnt'), value('nickname'), value('trips')]).toEqual([7, null, null])
  expect(timeUs).toBe(1787220000_120_000)
})

test('an item has the bytes that DynamoDB counts', () => {
  const layout = layouts.get(`${PROJECT}.driver_busy`)!
  const [name] = items.find(([, table]) => table === `${PROJECT}.driver_busy`)!
  const { timeUs, row } = sources.get(name)!
  const value = 2 // a tag and a varint of one byte
  const names = 'entity_id'.length + 'event_ts'.length + 'values'.length + 'busy'.length
  const bytes = names + 32 + '2026-08-20 10:00:00+00:00'.length + 3 + 1 + value
  expect(new ItemBody(layout).itemBytes(timeUs, row, 0)).toBe(bytes)
  expect([writeUnits(0), writeUnits(1024), writeUnits(1025)]).toEqual([1, 1, 2])
})
