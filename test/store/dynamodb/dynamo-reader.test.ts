import { expect, test } from 'bun:test'
import { LAYOUTS_MAX, REFUSED_TABLE_MS } from '../../../src/base/limits.ts'
import { utf8Decoder } from '../../../src/base/utf8.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { entityId } from '../../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../../src/row/entity-key.ts'
import type { Layout } from '../../../src/row/layout.ts'
import { encodeLayout, makeLayout } from '../../../src/row/layout.ts'
import { readValue } from '../../../src/row/row-reader.ts'
import type { DynamoCalls } from '../../../src/store/dynamodb/dynamo-client.ts'
import { DynamoFailure } from '../../../src/store/dynamodb/dynamo-failure.ts'
import { DynamoReader } from '../../../src/store/dynamodb/dynamo-reader.ts'
import { FAILED, FOUND, MISSING, PENDING, ReadBatch } from '../../../src/store/read-batch.ts'

const JOIN_KEYS = [{ name: 'driver_id', type: 'INT64' }] as const
const SIGNATURE = 'driver_id:INT64'

type Asked = {
  readonly Keys: readonly { readonly entity_id: { readonly S: string } }[]
  readonly ConsistentRead: boolean
  readonly ProjectionExpression?: string
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
}
type Answer = (tables: Readonly<Record<string, Asked>>) => unknown

/** A store as the client shows it: bytes in, bytes out. */
class AnsweringCalls implements DynamoCalls {
  readonly asked: Readonly<Record<string, Asked>>[] = []
  readonly msMax: number[] = []
  answer: Answer = (tables) => ({ Responses: itemsOf(tables), UnprocessedKeys: {} })

  async call(operation: string, body: Uint8Array, msMax: number): Promise<Uint8Array> {
    expect(operation).toBe('BatchGetItem')
    const { RequestItems: tables } = JSON.parse(utf8Decoder.decode(body)) // a body of ours
    this.asked.push(tables)
    this.msMax.push(msMax)
    await Promise.resolve()
    return new TextEncoder().encode(JSON.stringify(this.answer(tables)))
  }
}

/** An item for each key: `clicks` is 7, `table` the table's name. */
const itemsOf = (tables: Readonly<Record<string, Asked>>): Record<string, unknown[]> =>
  Object.fromEntries(
    Object.entries(tables).map(([name, { Keys }]) => [name, Keys.map((key) => item(key, name))]),
  )

const item = (key: object, table: string): object => ({
  ...key,
  event_ts: { S: '2026-08-20 10:00:00+00:00' },
  values: { M: { clicks: { B: 'IAc=' }, table: { B: textValue(table) } } },
})

const textValue = (text: string): string =>
  Buffer.concat([Buffer.of(0x12, text.length), Buffer.from(text)]).toString('base64')

const LAYOUT = makeLayout(
  [
    { name: 'clicks', type: valueType('INT64') },
    { name: 'table', type: valueType('STRING') },
  ],
  false,
)

const use = (layout: Layout = LAYOUT, features?: Uint32Array) => ({
  layout,
  features,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
})

function opened(callKeysMax = 100, consistentReads = false) {
  const calls = new AnsweringCalls()
  const clock = { nowMs: 1000 }
  const reader = new DynamoReader(
    { calls, tableName: (name) => `ride.${name}`, consistentReads, callKeysMax },
    () => clock.nowMs,
  )
  return { calls, clock, reader }
}

/** A batch of keys, each a table's number and a driver. */
function batchOf(keys: readonly (readonly [table: number, driver: number])[]): ReadBatch {
  const batch = new ReadBatch(1, 1, 1)
  const writer = makeKeyWriter(JOIN_KEYS)
  for (const [table, driver] of keys) {
    const start = batch.reserveKey(1024)
    batch.commitKey(table, writer.write([driver], batch.keys, start))
  }
  return batch
}

const SIGNAL = new AbortController().signal

const statesOf = (batch: ReadBatch): number[] => [...batch.states.subarray(0, batch.count)]

function valueAt(batch: ReadBatch, place: number, position: number, layout: Layout = LAYOUT) {
  return readValue(layout, batch.rows, batch.rowStarts[place]!, batch.rowBytes[place]!, position)
}

const idOf = (driver: number): string => {
  const key = new Uint8Array(1024)
  const bytes = makeKeyWriter(JOIN_KEYS).write([driver], key, 0)
  return entityId(keyPrefix(JOIN_KEYS), key.subarray(0, bytes))
}

const refused = (exception = 'ResourceNotFoundException'): DynamoFailure =>
  new DynamoFailure('refused', exception, `${exception}: no such table`, new Uint8Array(0))

test("one call asks for the keys of all tables, by Feast's ids and names", async () => {
  const { calls, reader } = opened(100, true)
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const live = reader.tableNumber('live', SIGNATURE, use())
  const batch = batchOf([
    [stats, 1001],
    [live, 1001],
    [stats, 1002],
  ])
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  const key = (driver: number) => ({ entity_id: { S: idOf(driver) } })
  expect(calls.asked).toEqual([
    {
      'ride.stats': { Keys: [key(1001), key(1002)], ConsistentRead: true },
      'ride.live': { Keys: [key(1001)], ConsistentRead: true },
    },
  ])
  expect(calls.msMax).toEqual([50])
  expect(statesOf(batch)).toEqual([FOUND, FOUND, FOUND])
  expect([0, 1, 2].map((place) => valueAt(batch, place, 1))).toEqual([
    'ride.stats',
    'ride.live',
    'ride.stats',
  ])
  expect([...batch.times.subarray(0, 3)]).toEqual(Array(3).fill(1787220000_000_000))
  expect([...batch.asOfMs.subarray(0, 3)]).toEqual([1000, 1000, 1000])
  expect(reader.layoutBytes(batch.layouts[0]!)).toEqual(encodeLayout(LAYOUT))
  expect(reader.counters).toMatchObject({ storeCalls: 1, storeKeysAsked: 3, batchesSplit: 0 })
})

test('a key without an item is missing, and an item that nobody asked for is passed over', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  calls.answer = () => ({
    Responses: {
      'ride.stats': [
        item({ entity_id: { S: idOf(9) } }, 'x'),
        item({ entity_id: { S: idOf(2) } }, 'x'),
        item({ entity_id: { S: 'short' } }, 'x'),
        item({}, 'x'),
      ],
      'ride.other': [item({ entity_id: { S: idOf(1) } }, 'x')],
    },
  })
  const batch = batchOf([
    [stats, 1],
    [stats, 2],
    [0, 3],
  ])
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  expect(statesOf(batch)).toEqual([MISSING, FOUND, MISSING])
  expect(reader.counters.itemsUnasked).toBe(3)
  expect(batch.rowsUsed).toBe(batch.rowBytes[1]!)
})

test('keys that the store left out stay pending', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  calls.answer = ({ 'ride.stats': asked }) => ({
    UnprocessedKeys: { 'ride.stats': { Keys: asked!.Keys.slice(1, 2) } },
    Responses: { 'ride.stats': [item(asked!.Keys[0]!, 'x')] },
  })
  const batch = batchOf([
    [stats, 1],
    [stats, 2],
    [stats, 3],
  ])
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  expect(statesOf(batch)).toEqual([FOUND, PENDING, MISSING])
  expect(reader.counters.keysUnprocessed).toBe(1)
})

test('a batch without a key to ask for makes no call', async () => {
  const { calls, reader } = opened()
  const batch = batchOf([[0, 1]])
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  expect(await reader.callMany(batchOf([]), 50, SIGNAL)).toBe('answered')
  expect(statesOf(batch)).toEqual([MISSING])
  expect(calls.asked).toEqual([])
})

test('a table is read in two ways, and a key asked for twice, by more calls than one', async () => {
  const { calls, reader } = opened()
  const other = makeLayout([{ name: 'clicks', type: valueType('DOUBLE') }], false)
  const now = reader.tableNumber('stats', SIGNATURE, use())
  const then = reader.tableNumber('stats', SIGNATURE, use(other))
  expect(then).not.toBe(now)
  const batch = batchOf([
    [now, 1],
    [then, 1],
    [now, 1],
    [now, 2],
  ])
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  const keysAsked = calls.asked.map(({ 'ride.stats': asked }) => asked!.Keys.length)
  expect(keysAsked).toEqual([2, 1, 1])
  expect(statesOf(batch)).toEqual([FOUND, FOUND, FOUND, FOUND])
  expect(valueAt(batch, 0, 0)).toBe(7)
  expect(valueAt(batch, 1, 0, other)).toBeUndefined()
  expect(reader.layoutBytes(batch.layouts[1]!)).toEqual(encodeLayout(other))
  expect(reader.counters.batchesSplit).toBe(1)
})

test('a call never holds more keys than it may', async () => {
  const { calls, reader } = opened(2)
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const live = reader.tableNumber('live', SIGNATURE, use())
  const batch = batchOf(
    [1, 2, 3].flatMap((driver) => [[stats, driver] as const, [live, driver] as const]),
  )
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  const counts = calls.asked.map((tables) =>
    Object.values(tables).reduce((sum, { Keys }) => sum + Keys.length, 0),
  )
  expect(counts).toEqual([2, 2, 2])
  expect(statesOf(batch)).toEqual(Array(6).fill(FOUND))
})

test('the same use of a table has the same number', () => {
  const { reader } = opened()
  const first = reader.tableNumber('stats', SIGNATURE, use())
  const sameLayout = makeLayout(LAYOUT.features, false)
  expect(reader.tableNumber('stats', SIGNATURE, use(sameLayout))).toBe(first)
  const wide = reader.tableNumber('stats', SIGNATURE, use(LAYOUT, Uint32Array.of(1, 0)))
  expect(reader.tableNumber('stats', SIGNATURE, use(LAYOUT, Uint32Array.of(0, 1)))).toBe(wide)
  expect(wide).not.toBe(first)
  expect(() => reader.layoutBytes(LAYOUTS_MAX)).toThrow('there is no layout')
})

test('of a wide view only what is looked at is asked for', async () => {
  const { calls, reader } = opened()
  const table = reader.tableNumber('stats', SIGNATURE, use(LAYOUT, Uint32Array.of(1)))
  await reader.callMany(batchOf([[table, 1]]), 50, SIGNAL)
  const { ProjectionExpression, ExpressionAttributeNames } = calls.asked[0]!['ride.stats']!
  const names = ExpressionAttributeNames ?? {}
  const paths = ProjectionExpression!
    .split(',')
    .map((path) => path.split('.').map((name) => names[name]))
  expect(paths).toEqual([['entity_id'], ['event_ts'], ['values', 'table']])
})

test('an expression that DynamoDB would find too long reads the whole item', async () => {
  const { calls, reader } = opened()
  const features = Array.from({ length: 700 }, (_, place) => ({
    name: `f${place}`,
    type: valueType('INT64'),
  }))
  const layout = makeLayout(features, false)
  const many = (count: number) =>
    reader.tableNumber(
      'stats',
      SIGNATURE,
      use(
        layout,
        Uint32Array.from({ length: count }, (_, at) => at),
      ),
    )
  for (const count of [400, 500, 600, 700]) {
    await reader.callMany(batchOf([[many(count), 1]]), 50, SIGNAL)
  }
  const lengths = calls.asked.map(({ 'ride.stats': asked }) => asked!.ProjectionExpression?.length)
  expect(lengths.every((length) => length === undefined || length <= 4096)).toBe(true)
  expect(lengths.map((length) => length === undefined)).toEqual([false, false, true, true])
})

test('a table that is refused does not spoil the others, and is asked again after a while', async () => {
  const { calls, clock, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const gone = reader.tableNumber('gone', SIGNATURE, use())
  let isGone = true
  calls.answer = (tables) => {
    if (isGone && 'ride.gone' in tables) throw refused()
    return { Responses: itemsOf(tables) }
  }
  const keys = [
    [stats, 1],
    [gone, 1],
    [stats, 2],
  ] as const
  const first = batchOf(keys)
  expect(await reader.callMany(first, 50, SIGNAL)).toBe('answered')
  expect(statesOf(first)).toEqual([FOUND, FAILED, FOUND])
  expect(calls.asked.map((tables) => Object.keys(tables))).toEqual([
    ['ride.stats', 'ride.gone'],
    ['ride.stats'],
    ['ride.gone'],
  ])
  expect([...reader.problems]).toEqual([['ride.gone', 'ResourceNotFoundException: no such table']])

  const second = batchOf(keys)
  clock.nowMs += REFUSED_TABLE_MS - 1
  await reader.callMany(second, 50, SIGNAL)
  expect(statesOf(second)).toEqual([FOUND, FAILED, FOUND])
  expect(calls.asked.slice(3).map((tables) => Object.keys(tables))).toEqual([['ride.stats']])

  isGone = false
  clock.nowMs += 1
  const third = batchOf(keys)
  await reader.callMany(third, 50, SIGNAL)
  expect(statesOf(third)).toEqual([FOUND, FOUND, FOUND])
  expect(reader.problems.size).toBe(0)
  expect(reader.counters).toMatchObject({ storeCallsRefused: 2, keysRefused: 2 })
})

test('of tables asked alone one that is throttled stays pending', async () => {
  const { calls, reader } = opened()
  const tables = ['a', 'b', 'c'].map((name) => reader.tableNumber(name, SIGNATURE, use()))
  calls.answer = (asked) => {
    if (Object.keys(asked).length > 1 || 'ride.a' in asked) throw refused()
    if ('ride.b' in asked) throw new DynamoFailure('throttled', '', 'slower', new Uint8Array(0))
    return { Responses: itemsOf(asked) }
  }
  const batch = batchOf(tables.map((table) => [table, 1] as const))
  expect(await reader.callMany(batch, 50, SIGNAL)).toBe('answered')
  expect(statesOf(batch)).toEqual([FAILED, PENDING, FOUND])
})

test('a call that fails says how, and leaves every key pending', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const outcome = async (thrown: unknown) => {
    calls.answer = () => {
      throw thrown
    }
    const batch = batchOf([[stats, 1]])
    const result = await reader.callMany(batch, 50, SIGNAL)
    expect(statesOf(batch)).toEqual([PENDING])
    return result
  }
  const failure = (kind: 'throttled' | 'unavailable') =>
    new DynamoFailure(kind, '', 'no', new Uint8Array(0))
  expect(await outcome(failure('throttled'))).toBe('throttled')
  expect(await outcome(failure('unavailable'))).toBe('unavailable')
  expect(reader.problems.size).toBe(0)
  expect(await outcome(new TypeError('a fault of our own'))).toBe('unavailable')
  expect(reader.problems.get('ride.stats')).toBe('TypeError: a fault of our own')
  expect(reader.counters).toMatchObject({ storeCallsThrottled: 1, storeCallsUnavailable: 2 })
})

test('a reply that is no reply is unavailable, and shows nothing', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const replies = [{}, [], 'x', { Responses: [] }, { Responses: { 'ride.stats': {} } }]
  for (const reply of replies) {
    calls.answer = () => reply
    const batch = batchOf([[stats, 1]])
    expect(await reader.callMany(batch, 50, SIGNAL)).toBe('unavailable')
    expect(statesOf(batch)).toEqual([PENDING])
    expect(batch.rowsUsed).toBe(0)
  }
  expect(reader.counters.repliesMalformed).toBe(replies.length)
})

test('a writer gets the stored text of each time', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const texts = ['2026-08-20 12:00:00+02:00', 'NaT', undefined]
  calls.answer = ({ 'ride.stats': asked }) => ({
    Responses: {
      'ride.stats': asked!.Keys.map((key, place) =>
        texts[place] === undefined ? key : { ...key, event_ts: { S: texts[place] } },
      ),
    },
  })
  const batch = batchOf([1, 2, 3].map((driver) => [stats, driver] as const))
  const found: (string | undefined)[] = []
  await reader.callMany(batch, 50, SIGNAL, found)
  expect(found).toEqual(texts)
  expect(statesOf(batch)).toEqual([FOUND, FOUND, FOUND])
  expect([...batch.times.subarray(0, 3)]).toEqual([1787220000_000_000, 0, 0])
  expect(reader.counters.timesUnreadable).toBe(2)
})

test('calls under way at once do not get into each other', async () => {
  const { calls, reader } = opened()
  const stats = reader.tableNumber('stats', SIGNATURE, use())
  const batches = Array.from({ length: 20 }, (_, first) =>
    batchOf(Array.from({ length: 5 }, (_, place) => [stats, 100 * first + place] as const)),
  )
  const results = await Promise.all(batches.map((batch) => reader.callMany(batch, 50, SIGNAL)))
  expect(results).toEqual(Array(20).fill('answered'))
  expect(calls.asked.length).toBe(20)
  for (const batch of batches) expect(statesOf(batch)).toEqual(Array(5).fill(FOUND))
})
