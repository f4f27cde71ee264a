/** Writes the fixture's source rows (rows.jsonl) through a row writer into any store. */
import { parseTimeText } from '../../src/base/time-text.ts'
import type { Catalog, FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import { makeKeyWriter } from '../../src/row/entity-key.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { coerceKey, coerceValue } from '../../src/row/value.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import { KEY_BYTES_MAX } from '../../src/base/limits.ts'
import type { RowWriter as StoreWriter } from '../../src/store/store.ts'
import { tableSpecOf } from '../../src/store/view-table.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../src/store/write-batch.ts'

type TypedText = { readonly type: string; readonly value: unknown }
type SourceRow = {
  readonly view: string
  readonly keys: Readonly<Record<string, TypedText>>
  readonly event_timestamp: string
  readonly values: Readonly<Record<string, TypedText>>
}

export async function loadRows(catalog: Catalog, store: StoreWriter, lines: string): Promise<void> {
  for (const line of lines.trim().split('\n')) {
    const row = JSON.parse(line) as SourceRow // the fixture's README says so
    const view = catalog.viewsByName.get(row.view)
    if (view === undefined) throw new Error(`no view ${row.view}`)
    await writeRow(store, view, row)
  }
}

async function writeRow(store: StoreWriter, view: FeatureView, source: SourceRow): Promise<void> {
  const layout = viewLayout(view)
  const handle = await store.openTable(tableSpecOf(view))
  const timeUs = parseTimeText(source.event_timestamp)
  const writer = new RowWriter(layout)
  writer.begin(timeUs)
  for (const feature of view.features) {
    const value = source.values[feature.name]
    if (value === undefined) throw new Error(`no ${feature.name} in a row of ${view.name}`)
    writer.set(feature.position, coerceValue(feature, storedValue(value)))
  }
  const key = view.joinKeys.map((joinKey): PlainValue => {
    return coerceKey(joinKey, source.keys[joinKey.name]?.value)
  })
  const batch = new WriteBatchBuilder()
  const keyStart = batch.reserveKey(KEY_BYTES_MAX)
  const keyBytes = makeKeyWriter(view.joinKeys).write(key, batch.keys, keyStart)
  const rowStart = batch.reserveRow(writer.byteLength)
  const rowBytes = writer.finish(batch.rows, rowStart)
  batch.commit(ENTRY_ROW, timeUs, keyBytes, rowBytes)
  await store.writeMany(batch.take(handle.table, handle.layout, 'direct'))
}

/** Feast's own writer made a null of empty bytes: so the recorded items say. */
const storedValue = ({ type, value }: TypedText): unknown =>
  type === 'BYTES' && value === '' ? null : fromText(type, value)

/** Numbers stand as text in the fixture, in maps and nested lists too. */
function fromText(type: string, value: unknown): unknown {
  if (Array.isArray(value)) {
    const element = type.replace(/_(LIST|SET)$/, '')
    return value.map((each: unknown) => fromText(element, each))
  }
  if (typeof value === 'string') return scalarFromText(type, value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fromText('', each)]))
}

const IS_UNTYPED = new Set(['', 'MAP', 'VALUE'])
const FLOATS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity }

function scalarFromText(type: string, text: string): unknown {
  if (type === 'FLOAT' || type === 'DOUBLE') return FLOATS[text] ?? Number(text)
  if (!IS_UNTYPED.has(type)) return text
  if (/^-?\d+$/.test(text)) return Number(text)
  return /^-?\d+\.\d+$/.test(text) ? Number(text) : text
}
