/** A call ends when its time is over or nobody wants it, whatever it waits for. */
import { afterEach, expect, test } from 'bun:test'
import type { Credentials } from '../../../src/store/dynamodb/credentials.ts'
import { DynamoHttpClient } from '../../../src/store/dynamodb/http-client.ts'
import { SocketTransport } from '../../../src/store/dynamodb/socket-transport.ts'

const BODY = new TextEncoder().encode('{}')
const KEYS: Credentials = {
  accessKeyId: 'K',
  secretAccessKey: 'S',
  sessionToken: '',
  expiresMs: Infinity,
}
const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

test('credentials that never come hold no call past its time, and are a failure of the store', async () => {
  const client = new DynamoHttpClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'r',
    credentials: () => new Promise(() => {}),
  })
  await expect(client.call('BatchGetItem', BODY, 20)).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'no answer in time',
  })
  const gone = new AbortController()
  const call = client.call('BatchGetItem', BODY, Infinity, gone.signal)
  gone.abort()
  await expect(call).rejects.toMatchObject({ kind: 'unavailable' })
  expect(client.tally).toMatchObject({ unavailable: 1, abandoned: 1 })
})

test('credentials that were refused are asked for anew, by force, and the call may be tried again', async () => {
  const asked: boolean[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ headers }) =>
      headers.get('authorization')?.includes('Credential=K1/')
        ? Response.json({})
        : Response.json({ __type: 'x#ExpiredTokenException', message: 'old' }, { status: 400 }),
  })
  stops.push(() => void server.stop(true))
  const client = new DynamoHttpClient({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'r',
    credentials: async (mustBeNew) => {
      asked.push(mustBeNew)
      return { ...KEYS, accessKeyId: mustBeNew ? 'K1' : 'K0' }
    },
  })
  await expect(client.call('BatchGetItem', BODY, 1000)).rejects.toMatchObject({
    kind: 'unavailable',
    exception: 'ExpiredTokenException',
  })
  await client.call('BatchGetItem', BODY, 1000)
  await client.call('BatchGetItem', BODY, 1000)
  expect(asked).toEqual([false, true])
})

test("a store's text is a line of bounded length, whatever it holds", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () =>
      Response.json(
        { __type: 'x#AccessDenied', message: `no\nFAKE LINE${'y'.repeat(100_000)}` },
        { status: 400 },
      ),
  })
  stops.push(() => void server.stop(true))
  const client = new DynamoHttpClient({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'r',
    credentials: async () => KEYS,
  })
  await expect(client.call('BatchGetItem', BODY, 1000)).rejects.toMatchObject({
    kind: 'refused',
    message: 'AccessDenied: no …',
  })
})

test('a server that takes connections and never speaks TLS does not gather them', async () => {
  let open = 0
  const server = Bun.listen({
    port: 0,
    hostname: '127.0.0.1',
    socket: { open: () => void open++, close: () => void open--, data: () => {} },
  })
  stops.push(() => server.stop(true))
  const transport = new SocketTransport(new URL(`https://127.0.0.1:${server.port}/`), undefined, 50)
  const asks = Array.from({ length: 20 }, () => {
    const giving = new AbortController()
    const asked = transport.post({}, BODY, Infinity, giving.signal)
    setTimeout(() => giving.abort(), 5)
    return asked
  })
  expect((await Promise.allSettled(asks)).every(({ status }) => status === 'rejected')).toBe(true)
  expect(open).toBeGreaterThan(0)
  while (open > 0) await Bun.sleep(5)
})
