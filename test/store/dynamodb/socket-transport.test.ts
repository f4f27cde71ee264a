import { afterEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpTransport } from '../../../src/store/dynamodb/http-transport.ts'
import { fetchTransport } from '../../../src/store/dynamodb/fetch-transport.ts'
import { SocketTransport } from '../../../src/store/dynamodb/socket-transport.ts'

const TLS = join(import.meta.dir, '../../fixtures/tls')
const pem = (name: string): string => readFileSync(join(TLS, name), 'utf8')
const CA = pem('ca.pem')

const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

/** A real HTTP server; over TLS with the certificate of that name. */
function serve(fetch: (request: Request) => Response | Promise<Response>, certificate = ''): URL {
  const tls = certificate && { key: pem(`${certificate}.key`), cert: pem(`${certificate}.pem`) }
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch, ...(tls ? { tls } : {}) })
  stops.push(() => void server.stop(true))
  return new URL(`${certificate ? 'https://localhost' : 'http://127.0.0.1'}:${server.port}/`)
}

type Peer = { readonly data: (socket: Bun.Socket<undefined>, piece: Uint8Array) => void }

/** A server that speaks bytes, to say what no real one would. */
function listen({ data }: Peer): URL & { opened: number } {
  const server = Bun.listen({
    port: 0,
    hostname: '127.0.0.1',
    socket: { open: () => void url.opened++, data },
  })
  stops.push(() => server.stop(true))
  const url = Object.assign(new URL(`http://127.0.0.1:${server.port}/`), { opened: 0 })
  return url
}

const NEVER = new AbortController().signal
const BODY = new TextEncoder().encode('{"k":1}')
const post = (
  transport: HttpTransport,
  body: Uint8Array = BODY,
  signal = NEVER,
  msMax = Infinity,
) =>
  transport.post({ 'content-type': 'application/json', 'x-amz-target': 'T' }, body, msMax, signal)

const echo = async (request: Request): Promise<Response> =>
  new Response(await request.bytes(), { status: 201, headers: { 'x-target': '1' } })

test.each([
  ['own connections', (url: URL) => new SocketTransport(url)],
  ['fetch', (url: URL) => fetchTransport(url)],
])('over %s a request arrives whole and its reply comes back, small and large', async (_, make) => {
  const transport = make(serve(echo))
  for (const bytes of [0, 1, 1000, 100_000, 3_000_000]) {
    const body = new Uint8Array(bytes).map((_byte, at) => at % 251)
    const reply = await post(transport, body)
    expect(reply.status).toBe(201)
    expect(Buffer.compare(reply.body, body)).toBe(0)
  }
})

test('many requests at once each get their own reply, and connections are used again', async () => {
  let seen = 0
  const url = serve((request) => {
    seen++
    return echo(request)
  })
  const transport = new SocketTransport(url)
  const bodyOf = (id: number): Uint8Array => new TextEncoder().encode(`${id}`.repeat(500))
  for (let round = 0; round < 3; round++) {
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, id) => post(transport, bodyOf(id))),
    )
    replies.forEach(({ body }, id) => expect(Buffer.compare(body, bodyOf(id))).toBe(0))
  }
  expect(seen).toBe(120)
})

test('a reply that is held is not changed by the next one on its connection', async () => {
  const transport = new SocketTransport(serve(echo))
  const first = await post(transport, new Uint8Array(50_000).fill(1))
  await post(transport, new Uint8Array(50_000).fill(2))
  expect(first.body.every((byte) => byte === 1)).toBe(true)
})

test('connections are kept: ten requests, one connection', async () => {
  const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const url = listen({ data: (socket) => void socket.write(reply) })
  const transport = new SocketTransport(url)
  for (let round = 0; round < 10; round++) expect((await post(transport)).status).toBe(200)
  expect(url.opened).toBe(1)
})

test('a connection that the server closes is replaced, one that speaks out of turn is closed', async () => {
  const url = listen({
    data: (socket, piece) => {
      const isStray = new TextDecoder().decode(piece).includes('stray')
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n`
      socket.write(isStray ? `${head}\r\nokHTTP/1.1` : `${head}Connection: close\r\n\r\nok`)
      if (!isStray) socket.end()
    },
  })
  const transport = new SocketTransport(url)
  expect((await post(transport)).status).toBe(200)
  await expect(post(transport, new TextEncoder().encode('stray'))).rejects.toThrow('after the end')
  expect((await post(transport)).status).toBe(200)
  expect(url.opened).toBe(3)
})

test('a reply that is cut, and no reply, reject at once', async () => {
  const url = listen({
    data: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
      socket.flush()
      socket.end()
    },
  })
  await expect(post(new SocketTransport(url))).rejects.toThrow('closed')
  const silent = listen({ data: (socket) => void socket.end() })
  await expect(post(new SocketTransport(silent))).rejects.toThrow('closed')
  await expect(post(new SocketTransport(new URL('http://127.0.0.1:1/')))).rejects.toThrow()
})

test('a request that is given up ends its connection, whenever that is', async () => {
  const url = listen({ data: () => {} })
  const transport = new SocketTransport(url)
  for (const when of ['before', 'opening', 'waiting']) {
    const giving = new AbortController()
    if (when === 'before') giving.abort()
    const asked = post(transport, BODY, giving.signal)
    if (when === 'waiting') while (url.opened < 2) await Bun.sleep(1)
    giving.abort()
    await expect(asked).rejects.toThrow()
  }
})

test('a request past its time ends its connection, and the next one has its own', async () => {
  const url = listen({ data: () => {} })
  const transport = new SocketTransport(url)
  for (let round = 0; round < 3; round++) {
    await expect(post(transport, BODY, NEVER, 20)).rejects.toThrow('given up')
  }
  expect(url.opened).toBe(3)
})

test('over TLS only a server that shows whose it is gets a request', async () => {
  let seen = 0
  const count = async (request: Request): Promise<Response> => {
    seen++
    return echo(request)
  }
  const known = serve(count, 'localhost')
  expect((await post(new SocketTransport(known, CA))).status).toBe(201)
  const large = new Uint8Array(2_000_000).fill(7)
  expect((await post(new SocketTransport(known, CA), large)).body.length).toBe(2_000_000)
  seen = 0
  await expect(post(new SocketTransport(known))).rejects.toThrow('not trusted')
  const impostor = serve(count, 'elsewhere')
  await expect(post(new SocketTransport(impostor, CA))).rejects.toThrow('not trusted')
  expect(seen).toBe(0)
})
