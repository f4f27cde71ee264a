/** The client against a real server, and against servers that are not what they should be. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Server } from 'bun'
import { Packr } from 'msgpackr'
import { ClientError } from '../../src/client/client-error.ts'
import { SalverClient } from '../../src/client/salver-client.ts'
import { readFeaturesYaml } from '../../src/catalog/read-features-yaml.ts'
import type { Served } from '../http/served.ts'
import { DEFINITIONS, openServed } from '../http/served.ts'

let served: Served
const stubs: Server<undefined>[] = []

beforeAll(async () => {
  served = await openServed()
  const rows = [
    { user_id: 1, count: 7, rate: 0.25, label: 'ann', event_timestamp: '2026-01-01T00:00:00Z' },
    {
      user_id: 2n ** 53n + 1n,
      count: 8,
      rate: null,
      label: null,
      event_timestamp: '2026-01-01T00:00:01Z',
    },
  ]
  const reply = await fetch(`${served.side.url}/v1/write?view=clicks`, {
    method: 'POST',
    headers: { 'content-type': 'application/msgpack' },
    body: new Uint8Array(new Packr({ useRecords: false }).pack(rows)),
  })
  expect(reply.status).toBe(200)
})

afterAll(async () => {
  for (const stub of stubs) await stub.stop(true)
  await served.close()
})

/** A server that answers every request with `answer`, and its address. */
function stub(answer: (body: string) => Response | Promise<Response>): string {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => answer(await request.text()),
  })
  stubs.push(server)
  return server.url.href
}

/** A server in front of the real one that notes what is asked. */
function noting(asked: string[]): string {
  return stub((body) => {
    asked.push(body)
    const headers = { 'content-type': 'application/json', accept: 'application/vnd.salver' }
    return fetch(`${served.side.url}/v1/features`, { method: 'POST', headers, body })
  })
}

async function failure(query: Promise<unknown>): Promise<ClientError> {
  try {
    await query
  } catch (error) {
    if (error instanceof ClientError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const QUERY = { features: ['clicks:rate', 'clicks:count'], entities: { user_id: [1, 2] } } as const

describe('against a real server', () => {
  test('values, statuses and times are read in the asked order', async () => {
    const client = new SalverClient({ url: `${served.side.url}/`, deadlineMs: 5000 })
    const reply = await client.features({
      features: ['clicks:label', 'clicks:count', 'clicks:rate'],
      entities: { user_id: [1, 2n ** 53n + 1n, 3] },
      statuses: true,
      eventTimes: true,
      fill: 'default',
    })
    expect([reply.rows, reply.lateCells]).toEqual([3, 0])
    const clicks = reply.block('clicks')
    expect(clicks.features).toEqual(['label', 'count', 'rate'])
    expect(clicks.column('label')).toEqual(['ann', null, null])
    expect(clicks.column('count')).toEqual([7, 8, null])
    expect(clicks.column('rate')).toEqual([0.25, 0.5, 0.5])
    expect([0, 1, 2].map((row) => clicks.status(row, 'rate'))).toEqual([
      'PRESENT',
      'DEFAULTED',
      'DEFAULTED',
    ])
    expect([0, 1, 2].map((row) => clicks.status(row, 'label'))).toEqual([
      'PRESENT',
      'NULL',
      'NOT_FOUND',
    ])
    expect([0, 1, 2].map((row) => clicks.rowState(row))).toEqual([
      'PRESENT',
      'PRESENT',
      'NOT_FOUND',
    ])
    expect(clicks.eventTimeUs(0)).toBe(Date.parse('2026-01-01T00:00:00Z') * 1000)
    expect(clicks.eventTimeUs(2)).toBeNaN()
  })

  test('a service mixes blocks, and one value stands for every row', async () => {
    const client = new SalverClient({ url: served.side.url })
    const reply = await client.features({
      featureService: 'ranking',
      entities: { user_id: 1, item_id: ['a', 'b'] },
    })
    expect(reply.blocks.map(({ view, broadcast }) => [view, broadcast])).toEqual([
      ['clicks', true],
      ['price', false],
    ])
    expect(reply.block('clicks').value(1, 'count')).toBe(7)
    expect(reply.block('price').column('euros')).toEqual([null, null])
  })

  test('a matrix is a view on the reply', async () => {
    const client = new SalverClient({ url: served.side.url })
    const query = {
      features: ['clicks:rate'],
      entities: { user_id: [1, 3] },
      block: 'matrix',
    } as const
    const block = (await client.features(query)).block('clicks')
    const matrix = block.matrix()
    expect(matrix).toBeInstanceOf(Float32Array)
    expect(Array.from(matrix, Number)).toEqual([0.25, NaN])
    expect(block.status(0, 'rate')).toBeUndefined()
    expect(matrix.buffer).toBe(block.matrix().buffer)
    const rows = await client.features({ ...query, block: 'rows' })
    expect(() => rows.block('clicks').matrix()).toThrow('not asked for with block: matrix')
  })

  test('the schema comes once, and again when the definitions have changed', async () => {
    const asked: string[] = []
    const client = new SalverClient({ url: noting(asked) })
    for (let round = 0; round < 3; round++) {
      const reply = await client.features(QUERY)
      expect(reply.block('clicks').value(0, 'count')).toBe(7)
    }
    const schemas = () => asked.splice(0).map((body) => Reflect.get(JSON.parse(body), 'schema'))
    expect(schemas()).toEqual(['include', 'omit', 'omit'])
    const changed = DEFINITIONS.replace(
      '- { name: count',
      '- { name: a, type: Bool }\n      - { name: count',
    )
    served.side.swapCatalog(readFeaturesYaml(changed, { file: 'features.yaml', folder: '.' }))
    const reply = await client.features(QUERY)
    served.side.swapCatalog(served.catalog)
    expect(reply.block('clicks').value(0, 'count')).toBe(7)
    expect(schemas()).toEqual(['omit', 'include'])
  })

  test("a fault of the server's is told whole", async () => {
    const client = new SalverClient({ url: served.side.url })
    const error = await failure(client.features({ ...QUERY, features: ['clicks:ratio'] }))
    expect(error.code).toBe('refused')
    expect(error.message).toContain('ratio')
    expect(error.fault).toEqual({
      status: 404,
      code: 'unknown_feature',
      where: 'features[0]',
      allowed: 'count, rate, label',
    })
  })

  test('what is not in a reply is an error that names it', async () => {
    const reply = await new SalverClient({ url: served.side.url }).features(QUERY)
    const block = reply.block('clicks')
    for (const wrong of [
      () => reply.block('price'),
      () => block.value(0, 'label'),
      () => block.value(0, 2),
      () => block.value(2, 'rate'),
      () => block.value(-1, 'rate'),
      () => block.value(0.5, 'rate'),
    ]) {
      expect(wrong).toThrow(ClientError)
    }
  })
})

describe('a query that can not be sent', () => {
  test.each([[NaN], [Infinity], [null], [undefined]])('with the key %p', async (value) => {
    const client = new SalverClient({ url: 'http://127.0.0.1:9' })
    // A caller without types may give anything.
    const entities = { user_id: [value as number] }
    expect((await failure(client.features({ features: ['a:b'], entities }))).code).toBe(
      'invalid_query',
    )
  })
})

describe('against a broken server', () => {
  const ask = (url: string, patienceMs = 5000) =>
    failure(new SalverClient({ url, patienceMs }).features(QUERY))

  test('bytes that are no reply are a corrupt reply', async () => {
    expect((await ask(stub(() => new Response('hello')))).code).toBe('corrupt_reply')
  })

  test("a proxy's error page is told by its status and text", async () => {
    const error = await ask(stub(() => new Response('<h1>Bad gateway</h1>', { status: 502 })))
    expect([error.code, error.fault?.status, error.fault?.code]).toEqual(['refused', 502, ''])
    expect(error.message).toContain('Bad gateway')
  })

  test('nobody at the address is unreachable', async () => {
    const address = stub(() => new Response())
    await stubs.pop()!.stop(true)
    expect((await ask(address)).code).toBe('unreachable')
  })

  test('a reply that breaks off is unreachable', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n'
    const breaking = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket) {
          socket.write(`${head}SLVR`)
          socket.end()
        },
      },
    })
    const error = await ask(`http://127.0.0.1:${breaking.port}`)
    breaking.stop(true)
    expect(error.code).toBe('unreachable')
  })

  test('a server that never answers is timed out', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>()
    const error = await ask(
      stub(() => promise),
      20,
    )
    resolve(new Response())
    expect(error.code).toBe('timed_out')
  })

  test('a server that never gives the schema is told of once, not asked for ever', async () => {
    const asked: string[] = []
    const address = noting(asked)
    const stripping = stub(async (body) =>
      fetch(address, { method: 'POST', body: body.replace('include', 'omit') }),
    )
    expect((await ask(stripping)).code).toBe('schema_needed')
    expect(asked).toHaveLength(1)
  })
})
