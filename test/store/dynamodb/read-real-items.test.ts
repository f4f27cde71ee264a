/** The reader on the real DynamoDB Local: what it says of requests and replies that we only believe. */
import { beforeAll, expect, test } from 'bun:test'
import { utf8Decoder } from '../../../src/base/utf8.ts'
import type { JoinKey } from '../../../src/catalog/catalog.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { entityId } from '../../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../../src/row/entity-key.ts'
import type { Layout } from '../../../src/row/layout.ts'
import { makeLayout } from '../../../src/row/layout.ts'
import { readValue } from '../../../src/row/row-reader.ts'
import { RowWriter } from '../../../src/row/row-writer.ts'
import { BodyBytes } from '../../../src/store/dynamodb/body-bytes.ts'
import { DynamoReader } from '../../../src/store/dynamodb/dynamo-reader.ts'
import { ItemBody } from '../../../src/store/dynamodb/item-body.ts'
import { FAILED, FOUND, MISSING, ReadBatch } from '../../../src/store/read-batch.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { createFeastTable, describeWithDynamo, rawCall, uniqueName } from '../../parts/dynamodb.ts'
import { clientOf } from './dynamo-table.ts'
import { randomFeatures, randomValue } from '../../row/random-value.ts'

const JOIN_KEYS: readonly JoinKey[] = [
  { name: 'ort:é', type: 'STRING' },
  { name: 'zone', type: 'INT64' },
]
const SIGNATURE = 'ort:é:STRING,zone:INT64'
const KEYS = Array.from({ length: 100 }, (_, place) => [`key ${place} é`, place] as const)

const SIGNAL = new AbortController().signal

const use = (layout: Layout, features?: Uint32Array) => ({
  layout,
  features,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
})

function keyOf(place: number): Uint8Array {
  const key = new Uint8Array(1024)
  return key.subarray(0, makeKeyWriter(JOIN_KEYS).write([...KEYS[place]!], key, 0))
}

function batchOf(table: number): ReadBatch {
  const batch = new ReadBatch(1, 1, 1)
  KEYS.forEach((_, place) => {
    const key = keyOf(place)
    const start = batch.reserveKey(1024)
    batch.keys.set(key, start)
    batch.commitKey(table, key.length)
  })
  return batch
}

await describeWithDynamo('reading the real DynamoDB Local', (url) => {
  const random = new SeededRandom('real items')
  const features = randomFeatures(random, 30).map(({ type }, place) => ({
    name: `${random.pick(['é', 'a.b', '#x', 'sp ace', '用', '"q"', 'back\\slash'])}${place}`,
    type,
  }))
  const layout = makeLayout(features, false)
  const name = uniqueName('read')
  const rows: (Uint8Array | undefined)[] = []
  const reader = new DynamoReader({
    calls: clientOf(url),
    tableName: (table) => table,
    consistentReads: true,
    callKeysMax: 100,
  })

  /** Every row but each tenth, by PutItem with the bytes that we write. */
  beforeAll(async () => {
    await createFeastTable(url, name)
    const body = new ItemBody(layout)
    for (let place = 0; place < KEYS.length; place++) {
      rows.push(place % 10 === 9 ? undefined : randomRow())
      const row = rows[place]
      if (row === undefined) continue
      const out = new BodyBytes()
      body.appendItem(out, entityId(keyPrefix(JOIN_KEYS), keyOf(place)), place, row, 0)
      await rawCall(url, 'PutItem', {
        TableName: name,
        Item: JSON.parse(utf8Decoder.decode(out.view())) as unknown,
      })
    }
  })

  function randomRow(): Uint8Array {
    const writer = new RowWriter(layout)
    writer.begin(0)
    features.forEach(({ type }, position) => {
      if (random.chance(0.8))
        writer.set(position, random.chance(0.2) ? null : randomValue(random, type))
    })
    const row = new Uint8Array(writer.byteLength)
    writer.finish(row, 0)
    return row
  }

  test('what was put comes back, and what was not is missing', async () => {
    const batch = batchOf(reader.tableNumber(name, SIGNATURE, use(layout)))
    expect(await reader.callMany(batch, 10_000, SIGNAL)).toBe('answered')
    rows.forEach((row, place) => {
      expect(batch.states[place]).toBe(row === undefined ? MISSING : FOUND)
      if (row === undefined) return
      expect(batch.times[place]).toBe(place)
      const start = batch.rowStarts[place]!
      const read = batch.rows.subarray(start, start + batch.rowBytes[place]!)
      expect(Buffer.compare(read, row)).toBe(0)
    })
  })

  test('a projection gives what it asks for, whatever the names are', async () => {
    const asked = Uint32Array.from(features.keys()).filter((position) => position % 2 === 0)
    const batch = batchOf(reader.tableNumber(name, SIGNATURE, use(layout, asked)))
    expect(await reader.callMany(batch, 10_000, SIGNAL)).toBe('answered')
    rows.forEach((row, place) => {
      if (row === undefined) return expect(batch.states[place]).toBe(MISSING)
      features.forEach((_, position) => {
        const start = batch.rowStarts[place]!
        const value = readValue(layout, batch.rows, start, batch.rowBytes[place]!, position)
        const wanted = readValue(layout, row, 0, row.length, position)
        expect(value).toEqual(position % 2 === 0 ? wanted : undefined)
      })
    })
  })

  test('an expression as long as it may be is accepted', async () => {
    const many = Array.from({ length: 1200 }, (_, place) => ({
      name: `feature ${place}`,
      type: valueType('FLOAT'),
    }))
    const wide = makeLayout(many, false)
    for (let count = 440; count <= 600; count += 8) {
      const asked = Uint32Array.from({ length: count }, (_, position) => 2 * position)
      const batch = batchOf(reader.tableNumber(name, SIGNATURE, use(wide, asked)))
      expect(await reader.callMany(batch, 10_000, SIGNAL)).toBe('answered')
      expect(batch.states[0]).toBe(FOUND)
    }
    expect([...reader.problems]).toEqual([])
  }, 30_000)

  test('a table that is not there fails alone, by its name', async () => {
    const there = batchOf(reader.tableNumber(name, SIGNATURE, use(layout)))
    const batch = batchOf(reader.tableNumber('nobody.made_it', SIGNATURE, use(layout)))
    for (let place = 50; place < 100; place++) batch.tables[place] = there.tables[place]!
    expect(await reader.callMany(batch, 10_000, SIGNAL)).toBe('answered')
    expect([...batch.states.subarray(0, 50)]).toEqual(Array(50).fill(FAILED))
    expect(batch.states[50]).toBe(FOUND)
    expect(reader.problems.get('nobody.made_it')).toStartWith('ResourceNotFoundException')
  })
})
