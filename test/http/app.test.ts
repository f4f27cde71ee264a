import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Packr } from 'msgpackr'
import { Fault } from '../../src/base/fault.ts'
import { ENTITIES_PER_REQUEST_MAX, FEATURES_PER_REQUEST_MAX } from '../../src/base/limits.ts'
import { EVENT, STATUSES } from '../../src/http/counters.ts'
import type { RowReader } from '../../src/store/store.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { RawSocket } from './raw-socket.ts'
import type { Served } from './served.ts'
import { openServed } from './served.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const MSGPACK_TYPE = { 'content-type': 'application/msgpack' }
const packr = new Packr({ useRecords: false })

let served: Served
beforeAll(async () => {
  served = await openServed()
})
afterAll(() => served.close())

const post = (path: string, body: string | Uint8Array, headers = JSON_TYPE as object) =>
  fetch(served.side.url + path, { method: 'POST', body, headers: { ...headers } })

const read = (request: unknown, headers: object = JSON_TYPE) =>
  post('/v1/features', JSON.stringify(request), headers)

const RATE = { features: ['clicks:rate'], entities: { user_id: [1] } }

async function errorOf(reply: Response): Promise<{ code: string; where?: string }> {
  const { error } = (await reply.json()) as { error: { code: string; where?: string } }
  return error
}

describe('routes', () => {
  test('health is 200 and empty, also for HEAD', async () => {
    for (const method of ['GET', 'HEAD']) {
      const reply = await fetch(`${served.side.url}/health`, { method })
      expect(reply.status).toBe(200)
      expect(await reply.text()).toBe('')
    }
  })

  test('ready tells reasons and warnings', async () => {
    const reply = await fetch(`${served.side.url}/ready`)
    expect(reply.status).toBe(200)
    expect(await reply.json()).toEqual({ ready: true, reasons: [], warnings: [] })
  })

  test('the catalog is told with its digest', async () => {
    const told = (await (await fetch(`${served.side.url}/v1/catalog`)).json()) as {
      digest: string
    }
    expect(told.digest).toBe(served.catalog.digest)
  })

  test('an unknown path is a 404, as Feast says it outside of the native paths', async () => {
    const feast = await fetch(`${served.side.url}/nope`)
    expect([feast.status, await feast.json()]).toEqual([404, { detail: 'Not Found' }])
    const native = await fetch(`${served.side.url}/v1/nope`)
    expect([native.status, (await errorOf(native)).code]).toEqual([404, 'not_found'])
  })

  test('a wrong method is a 405 that names the right one', async () => {
    const feast = await fetch(`${served.side.url}/get-online-features`)
    expect([feast.status, await feast.json()]).toEqual([405, { detail: 'Method Not Allowed' }])
    const native = await fetch(`${served.side.url}/v1/features`, { method: 'PUT' })
    expect(native.status).toBe(405)
    expect(native.headers.get('allow')).toBe('POST')
  })

  test('a slash too many is sent on, as Feast does', async () => {
    const url = `${served.side.url}/get-online-features/?a=b`
    const reply = await fetch(url, { method: 'POST', redirect: 'manual' })
    expect(reply.status).toBe(307)
    expect(reply.headers.get('location')).toBe('/get-online-features?a=b')
  })
})

describe('writing', () => {
  test('a row that was acknowledged is read by the next request, in every format', async () => {
    const at = '2026-01-01T00:00:00Z'
    const rows = [{ user_id: 11, event_timestamp: at, count: 7, rate: 0.25, label: 'a' }]
    const bodies: [string | Uint8Array, string][] = [
      [JSON.stringify(rows), 'application/json'],
      [`${JSON.stringify({ ...rows[0], user_id: 12 })}\n`, 'application/x-ndjson'],
      [packr.pack([{ ...rows[0], user_id: 13 }]), 'application/msgpack'],
    ]
    for (const [body, type] of bodies) {
      const reply = await post('/v1/write?view=clicks', body, { 'content-type': type })
      expect(reply.status).toBe(200)
      expect(await reply.json()).toMatchObject({ read: 1, counts: { new: 1 }, outcomes: ['new'] })
    }
    const answer = await read({ features: ['clicks:count'], entities: { user_id: [11, 12, 13] } })
    const { blocks } = (await answer.json()) as { blocks: { features: { count: number[] } }[] }
    expect(blocks[0]!.features.count).toEqual([7, 7, 7])
  })

  test('a bad row is rejected by its place, and the good ones beside it are written', async () => {
    const at = '2026-01-01T00:00:00Z'
    const rows = [
      { user_id: 21, event_timestamp: at, count: 1, rate: 0, label: '' },
      { user_id: 'x', event_timestamp: at, count: 1, rate: 0, label: '' },
    ]
    const reply = await post('/v1/write?view=clicks', JSON.stringify(rows))
    expect(reply.status).toBe(200)
    const told = (await reply.json()) as { outcomes: string[]; rejected: { index: number }[] }
    expect(told.outcomes).toEqual(['new', 'rejected'])
    expect(told.rejected).toMatchObject([{ index: 1, column: 'user_id' }])
  })

  test('a dry run tells what would happen, and nothing happens', async () => {
    const at = '2026-01-01T00:00:00Z'
    const body = JSON.stringify([
      { user_id: 31, event_timestamp: at, count: 1, rate: 0, label: '' },
    ])
    for (const _again of [1, 2]) {
      const reply = await post('/v1/write?view=clicks&dry_run=true', body)
      expect(await reply.json()).toMatchObject({ counts: { new: 1 }, bytes_written: 0 })
    }
  })

  test('an unknown view is a 404, a body that is no rows a 4xx', async () => {
    expect((await post('/v1/write?view=nope', '[]')).status).toBe(404)
    for (const body of ['', '{', '5', '"x"']) {
      const reply = await post('/v1/write?view=clicks', body)
      expect(reply.status).toBe(400)
      expect((await errorOf(reply)).code).toMatch(/malformed|invalid_request/)
    }
    const reply = await post('/v1/write?view=clicks', '[1]')
    expect(await reply.json()).toMatchObject({ counts: { rejected: 1 }, rejected: [{ index: 0 }] })
  })
})

describe('reading', () => {
  test('bodies that are not requests get a 4xx with a code, and the server goes on', async () => {
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '5',
      '{"features":["clicks:rate"]}',
      '{"features":[],"entities":{"user_id":[1]}}',
      '{"features":["clicks"],"entities":{"user_id":[1]}}',
      '{"features":["clicks:rate"],"entities":{"user_id":[1],"user_id":[2]}}',
      '{"features":["clicks:rate"],"entities":{"user_id":{}}}',
      '{"features":["clicks:rate"],"entities":{"user_id":["x"]}}',
      '{"features":["clicks:rate"],"entities":{"user_id":[null]}}',
      '{"features":["clicks:rate"],"entities":{"user_id":[1e400]}}',
      '{"features":["clicks:rate"],"entities":{"user_id":[1]},"fill":"zero"}',
      '{"features":["clicks:rate"],"entities":{"user_id":[1]},"surprise":1}',
      '{"feature_service":"nope","entities":{"user_id":[1]}}',
      `${'['.repeat(100_000)}`,
      '\ufeff{}',
      Uint8Array.of(0xff, 0xfe, 0x00),
      '{"features":["clicks:rate"],"entities":{"user_id":[1]}}trailing',
    ]
    for (const body of bodies) {
      for (const headers of [JSON_TYPE, MSGPACK_TYPE]) {
        const reply = await post('/v1/features', body, headers)
        expect(reply.status).toBeGreaterThanOrEqual(400)
        expect(reply.status).toBeLessThan(500)
        expect((await errorOf(reply)).code).toMatch(/^[a-z_]+$/)
      }
      expect((await read(RATE)).status).toBe(200)
    }
  })

  test('bodies with bytes changed at random are answered, and no exception is unexpected', async () => {
    const random = new SeededRandom('bodies with bytes changed')
    const request = { ...RATE, entities: { user_id: [1, 2, 3] }, fill: 'nan', statuses: true }
    const feast = { features: ['clicks:rate'], entities: { user_id: [1, 'x', null] } }
    const row = {
      user_id: 9e5,
      event_timestamp: '2026-01-01T00:00:00Z',
      count: 1,
      rate: 0,
      label: '',
    }
    const columns = { columns: { user_id: [9e5], event_timestamp: [1], count: [1] } }
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
    const whole = [
      [text(request), 'application/json', '/v1/features'],
      [packr.pack(request), 'application/msgpack', '/v1/features'],
      [text(feast), 'application/json', '/get-online-features'],
      [text([row, row]), 'application/json', '/v1/write?view=clicks'],
      [text(columns), 'application/json', '/v1/write?view=clicks'],
      [text(row), 'application/x-ndjson', '/v1/write?view=clicks'],
      [packr.pack([row]), 'application/msgpack', '/v1/write?view=clicks'],
    ] as const
    for (let step = 0; step < stepsOf(700); step++) {
      const [bytes, type, path] = random.pick(whole)
      const changed = Uint8Array.from(bytes.subarray(0, bytes.length - random.below(4)))
      for (const at of random.list(4, () => random.below(changed.length))) {
        changed[at] = random.below(256)
      }
      const { status } = await post(path, changed, { 'content-type': type })
      // What Feast's server can't answer is a 500 there, and so it is here.
      if (path !== '/get-online-features') expect(status).toBeLessThan(500)
    }
    expect(served.side.counters.events(EVENT.failuresUnexpected)).toBe(0)
    expect(served.log).toEqual([])
  })

  test('the three formats are chosen by Accept, and another is refused', async () => {
    for (const type of ['application/json', 'application/msgpack', 'application/vnd.salver']) {
      const reply = await read(RATE, { ...JSON_TYPE, accept: type })
      expect(reply.headers.get('content-type')).toBe(type)
    }
    expect((await read(RATE, { ...JSON_TYPE, accept: 'text/csv' })).status).toBe(415)
    expect((await post('/v1/features', 'x', { 'content-type': 'text/csv' })).status).toBe(415)
  })

  test('a deadline that is none is a 400, and a passed one is not an error', async () => {
    const headers = { ...JSON_TYPE, 'x-salver-deadline-ms': 'soon' }
    const refused = await read(RATE, headers)
    expect([refused.status, (await errorOf(refused)).where]).toEqual([
      400,
      'header x-salver-deadline-ms',
    ])
    expect((await read(RATE, { ...headers, 'x-salver-deadline-ms': '0.0001' })).status).toBe(200)
  })

  test('requests sent at once over one connection are answered in their order', async () => {
    const socket = await RawSocket.open(served.side.url)
    const requests = [0, 1, 2, 3].map((id) => {
      const body = JSON.stringify({ ...RATE, entities: { user_id: Array(id + 1).fill(id) } })
      const head = `POST /v1/features HTTP/1.1\r\nHost: x\r\nContent-Type: application/json`
      return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    })
    socket.send(requests.join(''))
    for (const rows of [1, 2, 3, 4]) {
      const reply = await socket.receive()
      expect([reply.status, JSON.parse(reply.body).rows]).toEqual([200, rows])
    }
    socket.close()
  })

  test('every connection reads what it has just written, beside all others', async () => {
    const at = '2026-01-01T00:00:00Z'
    const run = async (user: number): Promise<void> => {
      for (let count = 1; count <= 20; count++) {
        const time = new Date(Date.parse(at) + count * 1000).toISOString()
        const row = { user_id: user, event_timestamp: time, count, rate: 0, label: `${count}` }
        const written = await post('/v1/write?view=clicks', JSON.stringify([row]))
        expect(written.status).toBe(200)
        const answer = await read({
          features: ['clicks:count', 'clicks:label'],
          entities: { user_id: [user] },
        })
        const told = (await answer.json()) as { blocks: { features: object }[] }
        expect(told.blocks[0]!.features).toEqual({ count: [count], label: [`${count}`] })
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, place) => run(1000 + place)))
  })
})

describe('bounds', () => {
  test('more entities or features than a request may have is a 413 that says the bound', async () => {
    const ids = Array.from({ length: ENTITIES_PER_REQUEST_MAX + 1 }, (_, id) => id)
    const many = await read({ ...RATE, entities: { user_id: ids } })
    expect([many.status, (await errorOf(many)).code]).toEqual([413, 'too_large'])
    const features = Array.from({ length: FEATURES_PER_REQUEST_MAX + 1 }, () => 'clicks:rate')
    expect((await read({ ...RATE, features })).status).toBe(413)
  })

  test('a body beyond the bound is a 413 on every route', async () => {
    for (const path of ['/v1/features', '/get-online-features', '/v1/write?view=clicks']) {
      const socket = await RawSocket.open(served.side.url)
      const type = 'Content-Type: application/json'
      socket.send(`POST ${path} HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 99999999\r\n\r\n`)
      expect((await socket.receive()).status).toBe(413)
    }
  })

  test('more requests at once than allowed are shed, while probes are answered', async () => {
    const busy = await openServed({ requestsInFlightMax: 2 })
    const held = await Promise.all([1, 2].map(() => RawSocket.open(busy.side.url)))
    const head = 'POST /v1/features HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n'
    for (const socket of held) socket.send(head)
    while (busy.side.counters.events(EVENT.requestsStarted) < 2) await Bun.sleep(1)
    const shed = await fetch(`${busy.side.url}/v1/features`, { method: 'POST', body: '{}' })
    expect(shed.status).toBe(503)
    expect(shed.headers.get('retry-after')).toBe('1')
    expect((await errorOf(shed)).code).toBe('overloaded')
    expect((await fetch(`${busy.side.url}/health`)).status).toBe(200)
    for (const socket of held) socket.close()
    while ((await fetch(`${busy.side.url}/v1/catalog`)).status !== 200) await Bun.sleep(1)
    await busy.close()
  })

  test('a body that stalls is cut off, and a client that goes away is no failure', async () => {
    const hasty = await openServed({ bodyMsMax: 100 })
    const stalled = await RawSocket.open(hasty.side.url)
    const head = 'POST /v1/features HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'
    stalled.send(head)
    expect((await stalled.receive()).status).toBe(408)
    const gone = await RawSocket.open(hasty.side.url)
    gone.send(head)
    gone.close()
    const { counters } = hasty.side
    while (counters.requests(1, STATUSES.indexOf(499)) === 0) await Bun.sleep(1)
    expect(counters.events(EVENT.failuresUnexpected)).toBe(0)
    expect(hasty.log).toEqual([])
    await hasty.close()
  })
})

describe('who may write', () => {
  const body = JSON.stringify([
    { user_id: 1, event_timestamp: '2026-01-01T00:00:00Z', count: 1, rate: 0, label: '' },
  ])
  const write = (url: string, headers: object = {}) =>
    fetch(`${url}/v1/write?view=clicks`, {
      method: 'POST',
      body,
      headers: { ...JSON_TYPE, ...headers },
    })

  test('with a token set, its bearer; reading needs none', async () => {
    const guarded = await openServed({ token: 's3cret' })
    const { url } = guarded.side
    const refused = await write(url)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    expect((await errorOf(refused)).code).toBe('unauthorized')
    expect((await write(url, { authorization: 'Bearer other' })).status).toBe(401)
    expect((await write(url, { authorization: 'Bearer s3cret' })).status).toBe(200)
    const reading = { method: 'POST', body: JSON.stringify(RATE), headers: JSON_TYPE }
    expect((await fetch(`${url}/v1/features`, reading)).status).toBe(200)
    await guarded.close()
  })

  test('on a read-only server, nobody', async () => {
    const sealed = await openServed({ readOnly: true, token: 's3cret' })
    const refused = await write(sealed.side.url, { authorization: 'Bearer s3cret' })
    expect([refused.status, (await errorOf(refused)).code]).toEqual([403, 'read_only'])
    await sealed.close()
  })
})

test('an unexpected exception is a 500 with an id that the log knows, and the server goes on', async () => {
  const broken = await openServed()
  const { side, catalog, store } = broken
  const failing: RowReader = {
    tableNumber: (name, signature, use) => store.reader.tableNumber(name, signature, use),
    layoutBytes: (layout) => store.reader.layoutBytes(layout),
    readMany: () => {
      throw new Error('a wire is loose')
    },
  }
  side.open(catalog, failing, store)
  const ask = () =>
    fetch(`${side.url}/v1/features`, {
      method: 'POST',
      body: JSON.stringify(RATE),
      headers: JSON_TYPE,
    })
  const reply = await ask()
  expect(reply.status).toBe(500)
  const { error } = (await reply.json()) as { error: { code: string; message: string } }
  expect(error.code).toBe('internal')
  const id = error.message.split(' ').at(-1)!
  expect(broken.log[0]).toContain(id)
  expect(broken.log[0]).toContain('a wire is loose')
  expect(side.counters.events(EVENT.failuresUnexpected)).toBe(1)
  side.open(catalog, store.reader, store)
  expect((await ask()).status).toBe(200)
  await broken.close()
})

test('a full disk is a 507 that says so and a warning, and reads go on', async () => {
  const full = await openServed()
  const { side, catalog, store } = full
  const { url } = side
  const write = () =>
    fetch(`${url}/v1/write?view=price`, {
      method: 'POST',
      body: JSON.stringify([{ item_id: 'a', event_timestamp: '2026-01-01T00:00:00Z', euros: 1 }]),
      headers: JSON_TYPE,
    })
  const warnings = async () =>
    ((await (await fetch(`${url}/ready`)).json()) as { warnings: string[] }).warnings
  side.open(catalog, store.reader, {
    write: async () => {
      throw new Fault('disk_full', 'no room on the disk')
    },
  })
  const refused = await write()
  expect([refused.status, (await errorOf(refused)).code]).toEqual([507, 'disk_full'])
  expect(await warnings()).toEqual(['writes fail: disk_full: no room on the disk'])
  const reading = { method: 'POST', body: JSON.stringify(RATE), headers: JSON_TYPE }
  expect((await fetch(`${url}/v1/features`, reading)).status).toBe(200)
  side.open(catalog, store.reader, store)
  expect((await write()).status).toBe(200)
  expect(await warnings()).toEqual([])
  await full.close()
})
