/** Answers that were waited for arrive whole, whoever reads them and however slowly. */
import { afterAll, expect, test } from 'bun:test'
import { laterResponse } from '../../src/http/later-response.ts'

const bodyOf = (bytes: number): Uint8Array => new Uint8Array(bytes).map((_byte, at) => at % 251)

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const bytes = Number(new URL(request.url).searchParams.get('bytes'))
    await new Promise((resolve) => setImmediate(resolve))
    return laterResponse(bodyOf(bytes), { status: 202, headers: { 'x-told': 'yes' } })
  },
})
const url = `http://127.0.0.1:${server.port}/`
afterAll(() => server.stop(true))

test('a body of any size, with its status and headers', async () => {
  for (const bytes of [0, 1, 1000, 70_000, 5_000_000]) {
    const reply = await fetch(`${url}?bytes=${bytes}`)
    expect([reply.status, reply.headers.get('x-told')]).toEqual([202, 'yes'])
    expect(reply.headers.get('content-length')).toBe(String(bytes))
    expect(Buffer.compare(await reply.bytes(), bodyOf(bytes))).toBe(0)
  }
})

test('a client that reads slowly gets all of it', async () => {
  const reply = await fetch(`${url}?bytes=8000000`)
  let bytes = 0
  for await (const piece of reply.body!) {
    bytes += piece.length
    if (bytes < 2_000_000) await Bun.sleep(1)
  }
  expect(bytes).toBe(8_000_000)
})

test('clients that go away in the middle leave nothing behind', async () => {
  for (let round = 0; round < 20; round++) {
    const leaving = new AbortController()
    const reply = await fetch(`${url}?bytes=4000000`, { signal: leaving.signal })
    leaving.abort()
    await reply.bytes().catch(() => undefined)
  }
  expect((await fetch(`${url}?bytes=3`)).status).toBe(202)
  while (server.pendingRequests > 0) await Bun.sleep(1)
})
