/** Views with partial writes over DynamoDB: the item has one time, and keeps what is not said. */
import { expect, test } from 'bun:test'
import type { PlainValue } from '../../../src/catalog/catalog.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { encodeLayout, makeLayout } from '../../../src/row/layout.ts'
import { readValue } from '../../../src/row/row-reader.ts'
import { RowWriter } from '../../../src/row/row-writer.ts'
import type { DynamoStore } from './dynamo-store.ts'
import { FOUND, ReadBatch } from '../../../src/store/read-batch.ts'
import type { TableHandle } from '../../../src/store/store.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE, WriteBatchBuilder } from '../../../src/store/write-batch.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { KEY_BYTES, SAMPLE_SPEC, outcomeNames, writeSampleKey } from '../sample-table.ts'
import type { StoreOptions } from './dynamo-table.ts'
import { DynamoTables, clientOf, foreignItem, quickClock, textOf } from './dynamo-table.ts'
import type { Fate } from './faulty-calls.ts'
import { FaultyCalls, isWrite } from './faulty-calls.ts'

const LAYOUT = makeLayout(
  [
    { name: 'value', type: valueType('INT64') },
    { name: 'name', type: valueType('STRING') },
    { name: 'rate', type: valueType('FLOAT') },
  ],
  true,
)

type Values = Readonly<Record<string, PlainValue>>

/** Values of some features as of a time, or a delete. */
type Change = { readonly id: number; readonly timeUs: number; readonly values?: Values }

class PartialTable {
  readonly store: DynamoStore
  readonly #handle: TableHandle

  constructor(store: DynamoStore, handle: TableHandle) {
    this.store = store
    this.#handle = handle
  }

  static async open(tables: DynamoTables, options: Partial<StoreOptions>): Promise<PartialTable> {
    const store = tables.store(options)
    const spec = { ...SAMPLE_SPEC, layout: encodeLayout(LAYOUT) }
    return new PartialTable(store, await store.openTable(spec))
  }

  async write(changes: readonly Change[]): Promise<string[]> {
    const builder = new WriteBatchBuilder()
    for (const { id, timeUs, values } of changes) {
      writeSampleKey(builder.keys, builder.reserveKey(KEY_BYTES), id)
      const rowBytes = values === undefined ? 0 : putRow(builder, timeUs, values)
      builder.commit(rowBytes === 0 ? ENTRY_TOMBSTONE : ENTRY_ROW, timeUs, KEY_BYTES, rowBytes)
    }
    const { table, layout } = this.#handle
    return outcomeNames(await this.store.writeMany(builder.take(table, layout, 'direct')))
  }

  /** Values of features by name, and the row's time. */
  async read(id: number): Promise<readonly [Values, number] | undefined> {
    const batch = new ReadBatch(1, 16, 64)
    writeSampleKey(batch.keys, batch.reserveKey(KEY_BYTES), id)
    batch.commitKey(this.#handle.table, KEY_BYTES)
    await this.store.readMany(batch, Infinity)
    if (batch.states[0] !== FOUND) return undefined
    const [start, bytes] = [batch.rowStarts[0]!, batch.rowBytes[0]!]
    const values = LAYOUT.features.flatMap(({ name }, position) => {
      const value = readValue(LAYOUT, batch.rows, start, bytes, position)
      return value === undefined ? [] : [[name, value] as const]
    })
    return [Object.fromEntries(values), batch.times[0]!]
  }
}

function putRow(builder: WriteBatchBuilder, timeUs: number, values: Values): number {
  const writer = new RowWriter(LAYOUT)
  writer.begin(timeUs)
  LAYOUT.features.forEach(({ name }, position) => {
    if (name in values) writer.set(position, values[name]!)
  })
  return writer.finish(builder.rows, builder.reserveRow(writer.byteLength))
}

await describeWithDynamo('partial rows in DynamoDB', (url) => {
  async function open(
    options: Partial<StoreOptions> = {},
  ): Promise<{ tables: DynamoTables; calls: FaultyCalls; table: PartialTable }> {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const table = await PartialTable.open(tables, { calls, ...options })
    return { tables, calls, table }
  }

  test('features that are not said keep what they were, and the row has one time', async () => {
    const { table, calls } = await open()
    const outcomes = [
      ...(await table.write([{ id: 1, timeUs: 10, values: { value: 1, name: 'ann' } }])),
      ...(await table.write([{ id: 1, timeUs: 20, values: { rate: 0.5 } }])),
      ...(await table.write([{ id: 1, timeUs: 15, values: { value: 2 } }])),
      ...(await table.write([{ id: 1, timeUs: 20, values: { rate: 0.5 } }])),
      ...(await table.write([{ id: 1, timeUs: 30, values: { name: 'ann' } }])),
      ...(await table.write([{ id: 1, timeUs: 30, values: { name: null } }])),
    ]
    expect(outcomes).toEqual(['new', 'changed', 'older', 'unchanged', 'refreshed', 'changed'])
    expect(await table.read(1)).toEqual([{ value: 1, name: null, rate: 0.5 }, 30])
    expect([calls.count('PutItem'), calls.count('UpdateItem')]).toEqual([1, 3])
    await table.store.close()
  })

  test('a row that says everything is put whole', async () => {
    const { table, calls } = await open()
    await table.write([{ id: 1, timeUs: 10, values: { value: 1 } }])
    const whole = { value: 1, name: 'a', rate: 1 }
    expect(await table.write([{ id: 1, timeUs: 20, values: whole }])).toEqual(['changed'])
    expect([calls.count('PutItem'), calls.count('UpdateItem')]).toEqual([2, 0])
    await table.store.close()
  })

  test('parts of one key in one batch are one write', async () => {
    const { table, calls } = await open()
    await table.write([{ id: 1, timeUs: 5, values: { rate: 1 } }])
    const outcomes = await table.write([
      { id: 1, timeUs: 10, values: { value: 1 } },
      { id: 1, timeUs: 11, values: { name: 'bob' } },
      { id: 1, timeUs: 12, values: { value: 1 } },
      { id: 1, timeUs: 12, values: { value: 1 } },
      { id: 2, timeUs: 1, values: { value: 1 } },
      { id: 2, timeUs: 2 },
      { id: 2, timeUs: 3, values: { name: 'x' } },
    ])
    expect(outcomes).toEqual([
      'changed',
      'changed',
      'touched',
      'unchanged',
      'new',
      'deleted',
      'new',
    ])
    expect(await table.read(1)).toEqual([{ value: 1, name: 'bob', rate: 1 }, 12])
    expect(await table.read(2)).toEqual([{ name: 'x' }, 3])
    expect(calls.made.filter(isWrite)).toHaveLength(3)
    await table.store.close()
  })

  test('an item of another form is updated: an unreadable time, features of others', async () => {
    const { tables, table } = await open()
    await tables.putForeign(1, 'NaT', 7n)
    expect(await table.write([{ id: 1, timeUs: 10, values: { name: 'ann' } }])).toEqual(['changed'])
    expect(await table.read(1)).toEqual([{ value: 7, name: 'ann' }, 10])
    // The other's `blob`, which this view does not have, is still there.
    expect(Object.keys(Object((await tables.item(1))?.['values']).M).toSorted()).toEqual([
      'blob',
      'name',
      'value',
    ])
    await table.store.close()
  })

  test('an item without values is put whole', async () => {
    const { tables, table } = await open()
    await clientOf(url).call(
      'PutItem',
      new TextEncoder().encode(
        JSON.stringify({
          TableName: tables.name('sample'),
          Item: { ...foreignItem(1, textOf(5), 1n), values: undefined },
        }),
      ),
      10_000,
    )
    expect(await table.write([{ id: 1, timeUs: 10, values: { name: 'ann' } }])).toEqual(['changed'])
    expect(await table.read(1)).toEqual([{ name: 'ann' }, 10])
    await table.store.close()
  })

  test('a part that met another writer is merged with what that one put', async () => {
    const { tables, calls, table } = await open()
    await table.write([{ id: 1, timeUs: 10, values: { value: 1, name: 'ann' } }])
    let puts = 0
    calls.fate = async ({ operation }): Promise<Fate> => {
      if (isWrite(operation) && puts++ === 0) await tables.putForeign(1, textOf(15), 9n)
      return 'done'
    }
    expect(await table.write([{ id: 1, timeUs: 20, values: { rate: 2 } }])).toEqual(['changed'])
    expect(await table.read(1)).toEqual([{ value: 9, rate: 2 }, 20])
    await table.store.close()
  })

  test('a part whose answer was lost is told as what it did', async () => {
    const { calls, table } = await open({ clock: quickClock() })
    await table.write([{ id: 1, timeUs: 10, values: { value: 1, name: 'ann' } }])
    let lost = 0
    calls.fate = ({ operation }) => (isWrite(operation) && lost++ === 0 ? 'lost' : 'done')
    const change = { id: 1, timeUs: 20, values: { rate: 2 } }
    expect(await table.write([change])).toEqual(['changed'])
    expect(await table.write([change])).toEqual(['unchanged'])
    expect(await table.read(1)).toEqual([{ value: 1, name: 'ann', rate: 2 }, 20])
    await table.store.close()
  })

  test('a part of very many features is an update as far as DynamoDB takes it, then put whole', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const wide = makeLayout(
      Array.from({ length: 1300 }, (_, position) => ({
        name: `feature_${position}`,
        type: valueType('INT64'),
      })),
      true,
    )
    const store = tables.store({ calls })
    const handle = await store.openTable({ ...SAMPLE_SPEC, layout: encodeLayout(wide) })
    const write = async (timeUs: number, from: number, count: number): Promise<string[]> => {
      const builder = new WriteBatchBuilder()
      writeSampleKey(builder.keys, builder.reserveKey(KEY_BYTES), 1)
      const writer = new RowWriter(wide)
      writer.begin(timeUs)
      for (let place = 0; place < count; place++) writer.set(from + place, timeUs)
      const rowBytes = writer.finish(builder.rows, builder.reserveRow(writer.byteLength))
      builder.commit(ENTRY_ROW, timeUs, KEY_BYTES, rowBytes)
      return outcomeNames(await store.writeMany(builder.take(handle.table, handle.layout, 'batch')))
    }
    expect(await write(1, 0, 600)).toEqual(['new'])
    expect(await write(2, 1100, 200)).toEqual(['changed'])
    expect([calls.count('PutItem'), calls.count('UpdateItem')]).toEqual([1, 1])
    expect(await write(3, 500, 300)).toEqual(['changed'])
    expect([calls.count('PutItem'), calls.count('UpdateItem')]).toEqual([2, 1])
    expect(Object.keys(Object((await tables.item(1))?.['values']).M)).toHaveLength(1000)
    await store.close()
  })

  test('a table that is said to be empty is read all the same: parts are merged with it', async () => {
    const { table } = await open({ assumeEmpty: true })
    await table.write([{ id: 1, timeUs: 10, values: { value: 1 } }])
    expect(await table.write([{ id: 1, timeUs: 20, values: { name: 'b' } }])).toEqual(['changed'])
    expect(await table.read(1)).toEqual([{ value: 1, name: 'b' }, 20])
    await table.store.close()
  })
})
