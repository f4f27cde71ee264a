/** The faults that other tests rely on, against a small server that says what it was asked. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { FaultProxy } from './fault-proxy.ts'
import { MODE, startFaultProxy } from './fault-proxy.ts'

type Asked = {
  readonly target: string | null
  readonly path: string
  readonly body: string
}

type Sent = { readonly status: number; readonly type: string | null; readonly text: string }

let asked: Asked[] = []
let server: ReturnType<typeof startEcho>
let proxy: FaultProxy

/** Answers with what it was asked; a batch is answered as if all of it was done. */
function startEcho() {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const body = await request.text()
      const target = request.headers.get('x-amz-target')
      asked.push({ target, path: new URL(request.url).pathname, body })
      const text = target?.includes('Batch') === true ? JSON.stringify({ done: true }) : body
      return new Response(text, { headers: { 'x-amz-crc32': '1', 'content-type': 'echo' } })
    },
  })
}

beforeEach(() => {
  asked = []
  server = startEcho()
  proxy = startFaultProxy(server.url.href)
})

afterEach(async () => {
  proxy.stop()
  await server.stop(true)
})

async function call(operation: string, body: string, signal?: AbortSignal): Promise<Sent> {
  const response = await fetch(proxy.url, {
    method: 'POST',
    body,
    headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
    ...(signal !== undefined && { signal }),
  })
  const { status, headers } = response
  return { status, type: headers.get('content-type'), text: await response.text() }
}

/** What became of a call: its status, or the code of the connection's error. */
const outcome = (operation = 'GetItem', body = 'x'): Promise<number | string> =>
  call(operation, body).then(
    ({ status }) => status,
    (error: { readonly code?: string }) => error.code ?? 'error',
  )

const type = (text: string): unknown => JSON.parse(text).__type

test('a call passes with its name, path and body, and comes back with its headers', async () => {
  const sent = await call('GetItem', '{"a":1}')
  expect(sent).toEqual({ status: 200, type: 'echo', text: '{"a":1}' })
  expect(asked).toEqual([{ target: 'DynamoDB_20120810.GetItem', path: '/', body: '{"a":1}' }])
})

test('bodies of megabytes pass whole, many at once', async () => {
  const bodies = Array.from({ length: 8 }, (_, at) => String(at).repeat(3_000_000))
  const sent = await Promise.all(bodies.map((body) => call('GetItem', body)))
  expect(sent.map(({ text }) => text === bodies[Number(text[0])])).toEqual(Array(8).fill(true))
})

test('calls are counted by their operation, in every mode', async () => {
  for (const mode of [MODE.pass, MODE.errors(), MODE.cut, MODE.reset, MODE.garbage]) {
    proxy.mode = mode
    await outcome('GetItem')
  }
  await outcome('PutItem')
  expect([proxy.calls('GetItem'), proxy.calls('PutItem'), proxy.calls('Scan')]).toEqual([5, 1, 0])
  expect(proxy.calls()).toBe(6)
})

describe('a mode', () => {
  test('slow: waits before the store is asked', async () => {
    proxy.mode = MODE.slow(30)
    const startedMs = performance.now()
    expect(await outcome()).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(29)
  })

  test('throttle: refuses a share of the calls, evenly, and asks for the rest', async () => {
    proxy.mode = MODE.throttle(0.25)
    const statuses: (number | string)[] = []
    for (let at = 0; at < 8; at++) statuses.push(await outcome())
    expect(statuses).toEqual([200, 200, 200, 400, 200, 200, 200, 400])
    expect(asked.length).toBe(6)
    expect(proxy.faults('throttle')).toBe(2)
    proxy.mode = MODE.throttle()
    const { text } = await call('GetItem', 'x')
    expect(type(text)).toBe(
      'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    )
  })

  test('errors: answers 500', async () => {
    proxy.mode = MODE.errors()
    const { status, text } = await call('GetItem', 'x')
    expect([status, type(text)]).toEqual([
      500,
      'com.amazonaws.dynamodb.v20120810#InternalServerError',
    ])
    expect(asked).toEqual([])
  })

  test('refuse: nothing listens, until it does on the same port', async () => {
    expect(await outcome()).toBe(200)
    for (let round = 0; round < 3; round++) {
      proxy.mode = MODE.refuse
      expect(await outcome()).toBe('ECONNREFUSED')
      proxy.mode = MODE.pass
      expect(await outcome()).toBe(200)
    }
  })

  test('hang: takes a call and never answers it, not even later', async () => {
    proxy.mode = MODE.hang
    const ending = new AbortController()
    let ended = false
    const hung = call('GetItem', 'hung', ending.signal).finally(() => (ended = true))
    hung.catch(() => {})
    while (proxy.calls() === 0) await Bun.sleep(1)
    proxy.mode = MODE.pass
    expect(await outcome()).toBe(200)
    expect(ended).toBeFalse()
    ending.abort()
    expect(hung).rejects.toThrow()
    await hung.catch(() => {})
    expect(asked.map(({ body }) => body)).toEqual(['x'])
  })

  test('reset: breaks the connection and does nothing', async () => {
    proxy.mode = MODE.reset
    expect(await outcome('PutItem')).toBeString()
    expect(asked).toEqual([])
  })

  test('cut: does what is asked and ends in the middle of the reply', async () => {
    proxy.mode = MODE.cut
    expect(await outcome('PutItem', 'y'.repeat(100_000))).toBeString()
    expect(asked.length).toBeGreaterThan(0)
    proxy.mode = MODE.pass
    expect(await outcome()).toBe(200)
  })

  test('garbage: answers 200 with what is not JSON', async () => {
    proxy.mode = MODE.garbage
    const { status, text } = await call('GetItem', 'x')
    expect(status).toBe(200)
    expect(() => JSON.parse(text)).toThrow()
    expect(asked).toEqual([])
  })

  test('a call that waits is answered as its mode was when it came', async () => {
    proxy.mode = MODE.slow(20)
    const slow = outcome()
    while (proxy.calls() === 0) await Bun.sleep(1)
    proxy.mode = MODE.errors()
    expect([await outcome(), await slow]).toEqual([500, 200])
  })
})

describe('unprocessed', () => {
  const key = (id: number) => ({ entity_id: { S: `${id}` } })
  const answerOf = async (operation: string, body: unknown): Promise<unknown> =>
    JSON.parse((await call(operation, JSON.stringify(body))).text)

  test('leaves out a share of the keys, with what was said of their table', async () => {
    proxy.mode = MODE.unprocessed(0.5)
    const part = { ConsistentRead: true, ProjectionExpression: 'a' }
    const reply = await answerOf('BatchGetItem', {
      RequestItems: {
        one: { ...part, Keys: [key(1), key(2), key(3)] },
        two: { Keys: [key(4)] },
      },
      ReturnConsumedCapacity: 'NONE',
    })
    expect(JSON.parse(asked[0]!.body)).toEqual({
      RequestItems: { one: { ...part, Keys: [key(1), key(3)] } },
      ReturnConsumedCapacity: 'NONE',
    })
    expect(reply).toEqual({
      done: true,
      UnprocessedKeys: { one: { ...part, Keys: [key(2)] }, two: { Keys: [key(4)] } },
    })
    expect(proxy.faults('unprocessed')).toBe(2)
  })

  test('leaves out a share of the writes, and does not do them', async () => {
    proxy.mode = MODE.unprocessed(0.5)
    const put = (id: number) => ({ PutRequest: { Item: key(id) } })
    const reply = await answerOf('BatchWriteItem', {
      RequestItems: { one: [put(1), put(2), put(3)] },
    })
    expect(JSON.parse(asked[0]!.body)).toEqual({ RequestItems: { one: [put(1), put(3)] } })
    expect(reply).toEqual({ done: true, UnprocessedItems: { one: [put(2)] } })
  })

  test('all: the store is not asked', async () => {
    proxy.mode = MODE.unprocessed(1)
    const keys = { one: { Keys: [key(1), key(2)] } }
    expect(await answerOf('BatchGetItem', { RequestItems: keys })).toEqual({
      Responses: {},
      UnprocessedKeys: keys,
    })
    expect(asked).toEqual([])
  })

  test('other operations pass', async () => {
    proxy.mode = MODE.unprocessed(1)
    expect(await answerOf('GetItem', { Key: key(1) })).toEqual({ Key: key(1) })
  })
})

test('a store that is not there breaks the connection, and is asked again when it is', async () => {
  const { port } = server
  await server.stop(true)
  expect(await outcome()).toBeString()
  server = Bun.serve({ port: port!, hostname: '127.0.0.1', fetch: () => new Response('back') })
  expect(await outcome()).toBe(200)
})

test('it ends with calls under way', async () => {
  const calls: Promise<number | string>[] = []
  for (const mode of [MODE.hang, MODE.slow(60_000)]) {
    proxy.mode = mode
    calls.push(outcome())
    while (proxy.calls() < calls.length) await Bun.sleep(1)
  }
  proxy.stop()
  for (const ended of await Promise.all(calls)) expect(ended).toBeString()
})
