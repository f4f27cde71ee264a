import { afterAll, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { faultResponse } from '../../src/http/fault-response.ts'
import { listen } from '../../src/http/listen.ts'
import { readBody } from '../../src/http/read-body.ts'
import { RawSocket } from './raw-socket.ts'

const BOUNDS = { bytesMax: 1000, msMax: 200 }

/** What ended the reading of each body that was never answered. */
const ended: unknown[] = []

const listener = listen('127.0.0.1', 0, async (request) => {
  try {
    return new Response(await readBody(request, BOUNDS))
  } catch (thrown) {
    if (thrown instanceof Fault) return faultResponse(thrown)
    ended.push(thrown)
    return new Response(null, { status: 499 })
  }
})

afterAll(() => listener.drain(0))

const post = (body: Bun.BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(listener.url, { method: 'POST', body, headers })

/** Sent in chunks, without a declared length. */
const inChunks = (bytes: number): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < bytes; sent += 100) controller.enqueue(new Uint8Array(100))
      controller.close()
    },
  })

test('a body arrives whole, declared or in chunks', async () => {
  expect(await (await post('abc')).text()).toBe('abc')
  expect((await (await post(inChunks(900))).bytes()).length).toBe(900)
  expect(await (await fetch(listener.url, { method: 'POST' })).text()).toBe('')
})

test('a body beyond the bound is a 413 that says the bound', async () => {
  const reply = await post('x'.repeat(1001))
  expect(reply.status).toBe(413)
  expect(await reply.json()).toEqual({
    error: {
      code: 'too_large',
      message: 'the body is too large',
      where: 'body',
      allowed: 'at most 1000 bytes',
    },
  })
})

test('a body in chunks is refused when it passes the bound, before it ends', async () => {
  const socket = await RawSocket.open(listener.url)
  socket.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  socket.send(`7d0\r\n${'x'.repeat(2000)}\r\n`)
  expect((await socket.receive()).status).toBe(413)
  await socket.untilClosed()
})

test('a declared length beyond the bound is refused before its bytes are sent', async () => {
  const socket = await RawSocket.open(listener.url)
  socket.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n')
  expect((await socket.receive()).status).toBe(413)
  await socket.untilClosed()
})

test('a body that drips in is cut off at the bound of time', async () => {
  const socket = await RawSocket.open(listener.url)
  socket.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc')
  const reply = await socket.receive()
  expect(reply.status).toBe(408)
  expect(JSON.parse(reply.body).error.code).toBe('too_slow')
  await socket.untilClosed()
})

test('a compressed body is refused by name', async () => {
  const reply = await post(Bun.gzipSync('abc'), { 'content-encoding': 'gzip' })
  expect(reply.status).toBe(415)
  expect(await reply.json()).toMatchObject({ error: { code: 'unsupported_type' } })
})

test('a client that goes away ends the reading, and the server goes on', async () => {
  const socket = await RawSocket.open(listener.url)
  socket.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc')
  socket.close()
  while (ended.length === 0) await Bun.sleep(1)
  expect(String(ended[0])).toContain('AbortError')
  expect(await (await post('still here')).text()).toBe('still here')
})

test('the address that is taken is a fault, not a crash', () => {
  const port = Number(new URL(listener.url).port)
  expect(() => listen('127.0.0.1', port, () => new Response())).toThrow(Fault)
})
