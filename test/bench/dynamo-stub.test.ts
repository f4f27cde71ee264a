/** The stub of DynamoDB that the bench reads from: what it says is true. */
import { afterAll, expect, test } from 'bun:test'
import { crc32 } from 'node:zlib'
import {
  STUB_ROWS,
  STUB_TABLE,
  stubEntityId,
  stubItem,
} from '../../bench/dynamo-stub/stub-items.ts'
import { StubServer } from '../../bench/dynamo-stub/stub-server.ts'
import { makeRandom } from '../../bench/random.ts'

const ROWS = 500
const stub = new StubServer(ROWS)
afterAll(() => stub.close())

type Body = {
  readonly Responses: { readonly [table: string]: { readonly entity_id: { readonly S: string } }[] }
  readonly UnprocessedKeys: object
}

/** As Feast asks: names that could be taken for keys stand behind them. */
const FEATURES = Array.from({ length: 50 }, (_, at) => at)

const requestOf = (ids: readonly string[], spaces?: number): string =>
  JSON.stringify(
    {
      RequestItems: {
        [STUB_TABLE]: {
          Keys: ids.map((id) => ({ entity_id: { S: id } })),
          ConsistentRead: false,
          ProjectionExpression: FEATURES.map((at) => `#vals.#feat${at}`).join(', '),
          ExpressionAttributeNames: Object.fromEntries(
            FEATURES.map((at) => [`#feat${at}`, `f${at}`]),
          ),
        },
      },
    },
    undefined,
    spaces,
  )

const call = (body: string, operation = 'BatchGetItem'): Promise<Response> =>
  fetch(`http://127.0.0.1:${stub.port}`, {
    method: 'POST',
    headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
    body,
  })

test('holds each key that was asked for once, and no item for one that is not there', async () => {
  const random = makeRandom(7)
  for (let round = 0; round < 50; round++) {
    const asked = new Set<number>()
    const count = 1 + Math.floor(random() * 100)
    while (asked.size < count) asked.add(Math.floor(random() * ROWS * 1.2))
    const reply = await call(requestOf([...asked].map(stubEntityId), round % 3))
    const body = (await reply.json()) as Body
    const expected = [...asked].filter((id) => id < ROWS)
    expect(body.UnprocessedKeys).toEqual({})
    expect(body.Responses[STUB_TABLE]).toEqual(expected.map((id) => JSON.parse(stubItem(id))))
  }
})

test('is about as large as DynamoDB makes it', async () => {
  const ids = Array.from({ length: 100 }, (_, id) => stubEntityId(id))
  const { length } = await (await call(requestOf(ids))).text()
  expect(length).toBeGreaterThan(115_000)
  expect(length).toBeLessThan(130_000)
})

test('says its checksum, whole or refused', async () => {
  for (const count of [1, 7, 100, 101]) {
    const ids = Array.from({ length: count }, (_, id) => stubEntityId(id))
    const reply = await call(requestOf(ids))
    expect(Number(reply.headers.get('x-amz-crc32'))).toBe(crc32(await reply.bytes()))
  }
})

test('is refused where DynamoDB refuses: a key twice, too many, another table', async () => {
  const ids = Array.from({ length: 101 }, (_, id) => stubEntityId(id))
  const refused = [
    requestOf([ids[0]!, ids[1]!, ids[0]!]),
    requestOf(ids),
    requestOf([]),
    requestOf(ids.slice(0, 2)).replace(STUB_TABLE, 'another'),
  ]
  for (const body of refused) expect((await call(body)).status).toBe(400)
  expect((await call(requestOf(ids.slice(0, 100)))).status).toBe(200)
})

test('comes no sooner than the delay, and calls of the tail do not hold up the others', async () => {
  stub.delay = { delayMs: 5, tailShare: 0.2, tailMs: 40 }
  const before = stub.counts
  const startedMs = performance.now()
  const doneMs: number[] = []
  const order: number[] = []
  const ids = Array.from({ length: 60 }, (_, id) => id)
  await Promise.all(
    ids.map(async (id) => {
      await (await call(requestOf([stubEntityId(id)]))).bytes()
      doneMs.push(performance.now() - startedMs)
      order.push(id)
    }),
  )
  stub.delay = { delayMs: 0, tailShare: 0, tailMs: 0 }
  expect(Math.min(...doneMs)).toBeGreaterThanOrEqual(5)
  expect(Math.max(...doneMs)).toBeGreaterThanOrEqual(40)
  expect(order).not.toEqual(ids)
  expect(stub.counts.calls - before.calls).toBe(60)
  expect(stub.counts.keys - before.keys).toBe(60)
})

test('counts a call for keys that are under way already', async () => {
  stub.delay = { delayMs: 5, tailShare: 0, tailMs: 0 }
  const { repeats } = stub.counts
  const body = requestOf([stubEntityId(1), stubEntityId(2)])
  await Promise.all([call(body), call(body), call(requestOf([stubEntityId(3)]))])
  await call(body)
  stub.delay = { delayMs: 0, tailShare: 0, tailMs: 0 }
  expect(stub.counts.repeats - repeats).toBe(1)
})

test('answers GetItem with the same item, and writes with nothing', async () => {
  const key = { TableName: STUB_TABLE, Key: { entity_id: { S: stubEntityId(3) } } }
  const found = await (await call(JSON.stringify(key), 'GetItem')).json()
  expect(found).toEqual({ Item: JSON.parse(stubItem(3)) })
  const absent = { ...key, Key: { entity_id: { S: stubEntityId(STUB_ROWS) } } }
  expect(await (await call(JSON.stringify(absent), 'GetItem')).json()).toEqual({})
  expect(await (await call('{}', 'PutItem')).json()).toEqual({})
  expect((await call('{}', 'Nonsense')).status).toBe(400)
})
