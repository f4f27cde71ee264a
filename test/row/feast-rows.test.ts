/** Every row of the golden fixture: its key, id and values as Feast wrote them to DynamoDB. */
import { expect, test } from 'bun:test'
import { eventTsText, parseTimeText } from '../../src/base/time-text.ts'
import type { JoinKey, PlainValue } from '../../src/catalog/catalog.ts'
import { DUMMY_JOIN_KEY } from '../../src/catalog/catalog.ts'
import type { KeyTypeName, ValueTypeName } from '../../src/catalog/value-type.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { decodeValue, encodeValue } from '../../src/row/composite.ts'
import { entityId } from '../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../src/row/entity-key.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { coerceKey, coerceValue } from '../../src/row/value.ts'

type TypedText = { readonly type: string; readonly value: unknown }
type FixtureRow = {
  readonly view: string
  readonly table: string
  readonly keys: { readonly [name: string]: TypedText }
  readonly event_timestamp: string
  readonly values: { readonly [name: string]: TypedText }
  readonly entity_key_hex: string
  readonly entity_id: string
}
type FixtureItem = {
  readonly entity_id: { readonly S: string }
  readonly event_ts: { readonly S: string }
  readonly values?: { readonly M: { readonly [name: string]: { readonly B: string } } }
}

const folder = new URL('../fixtures/feast/', import.meta.url)
const lines = (await Bun.file(new URL('rows.jsonl', folder)).text()).trim().split('\n')
const rows = lines.map((line) => JSON.parse(line) as FixtureRow) // the fixture's README says so
const dump = (await Bun.file(new URL('dynamodb-items.json', folder)).json()) as {
  tables: { TableName: string; Items: FixtureItem[] }[]
}
const items = new Map(
  dump.tables.flatMap(({ TableName, Items }) =>
    Items.map((item) => [`${TableName}/${item.entity_id.S}`, item] as const),
  ),
)

const SPECIAL: { readonly [text: string]: string } = {
  nan: 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
}

/** The fixture gives numbers as texts: inside, what a JSON client would send. */
function fromText(type: ValueTypeName, value: unknown): unknown {
  if (value === null) return null
  if (Array.isArray(value)) return value.map((element) => fromText(elementOf(type), element))
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, fromText('MAP', inner)]),
    )
  }
  if (typeof value !== 'string') return value
  if (type === 'DOUBLE' || type === 'FLOAT') return SPECIAL[value] ?? Number(value)
  // Of what lies in maps the fixture tells no types: texts of digits were numbers.
  return (type === 'MAP' || type === 'VALUE_LIST') && /^-?[\d.]+$/.test(value)
    ? Number(value)
    : value
}

const elementOf = (type: ValueTypeName): ValueTypeName => valueType(type).element || type

const joinKeysOf = (row: FixtureRow): JoinKey[] =>
  Object.entries(row.keys)
    .filter(([name]) => name !== DUMMY_JOIN_KEY)
    .map(([name, { type }]) => ({ name, type: type as KeyTypeName })) // key types only
    .sort((a, b) => (a.name < b.name ? -1 : 1))

/** Entries of a map stand in no fixed order in Feast's bytes: ours are canonical. */
function canonical(bytes: Uint8Array): Uint8Array {
  const { type, value } = decodeValue(bytes)
  return type === 'NULL' ? new Uint8Array(0) : encodeValue(valueType(type), value)
}

test('the fixture is there', () => {
  expect(rows.length).toBe(45)
  expect(items.size).toBeGreaterThan(45)
})

for (const row of rows) {
  const id = `${row.view} ${Object.values(row.keys).map(({ value }) => String(value))}`
  test(`Feast's key, id, time and values of ${id}`, () => {
    const joinKeys = joinKeysOf(row)
    const values = joinKeys.map((key) => coerceKey(key, row.keys[key.name]!.value))
    const target = new Uint8Array(1024)
    const key = target.slice(0, makeKeyWriter(joinKeys).write(values, target, 0))
    expect(Buffer.concat([keyPrefix(joinKeys), key]).toString('hex')).toBe(row.entity_key_hex)
    expect(entityId(keyPrefix(joinKeys), key)).toBe(row.entity_id)

    const item = items.get(`${row.table}/${row.entity_id}`)!
    const timeUs = parseTimeText(row.event_timestamp)
    expect(parseTimeText(item.event_ts.S)).toBe(timeUs)
    expect(parseTimeText(eventTsText(timeUs))).toBe(timeUs)
    expectValues(row, item)
  })
}

function expectValues(row: FixtureRow, item: FixtureItem): void {
  const features = Object.entries(row.values).map(([name, { type }], position) => ({
    name,
    position,
    type: valueType(type as ValueTypeName), // the fixture's types are Feast's
    defaultValue: undefined,
    nestedType: name === 'grid' ? 'Array(Array(INT64))' : '',
  }))
  const layout = makeLayout(features, false)
  const writer = new RowWriter(layout)
  writer.begin(0)
  const plain = features.map((feature): PlainValue =>
    coerceValue(feature, fromText(feature.type.name, row.values[feature.name]!.value)),
  )
  plain.forEach((value, position) => writer.set(position, value))
  const bytes = new Uint8Array(writer.byteLength)
  writer.finish(bytes, 0)
  for (const { name, position, type } of features) {
    // Feast's DataFrame path takes empty bytes (not empty texts, not those in lists) for null.
    const isLost = type.name === 'BYTES' && row.values[name]!.value === ''
    const stored = readValue(layout, bytes, 0, bytes.length, position)
    if (isLost)
      expect([name, item.values!.M[name]!.B, stored]).toEqual([name, '', new Uint8Array(0)])
    if (isLost) continue
    const theirs = Uint8Array.from(Buffer.from(item.values!.M[name]!.B, 'base64'))
    expect([name, encodeValue(type, stored!)]).toEqual([name, canonical(theirs)])
    if (type.shape !== 'map') expect([name, encodeValue(type, stored!)]).toEqual([name, theirs])
  }
}
