import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Counters } from '../../src/http/counters.ts'
import { EVENT, ROUTES, STATUSES } from '../../src/http/counters.ts'
import { RawSocket } from './raw-socket.ts'
import type { Served } from './served.ts'
import { openServed } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await openServed()
})
afterAll(() => served.close())

/** What salver_requests_in_flight is made of. */
function inFlight(counters: Counters): number {
  let answered = 0
  ROUTES.forEach((_route, at) =>
    STATUSES.forEach((_status, place) => (answered += counters.requests(at, place))),
  )
  return counters.events(EVENT.requestsStarted) - answered
}

const HEADS: readonly (readonly [string, string, string])[] = [
  ['no Host', '1.0', ''],
  ['an empty Host', '1.1', 'Host: \r\n'],
  ['a Host with a space', '1.1', 'Host: a b\r\n'],
  ['a Host with a path', '1.1', 'Host: a/b?c\r\n'],
  ['a Host with a port that is none', '1.1', 'Host: a:99999\r\n'],
]

const ROW = '{"user_id":7,"event_timestamp":"2026-01-01T00:00:00Z","count":1}'

for (const [what, version, host] of HEADS) {
  const ask = async (method: string, target: string, body = '') => {
    const socket = await RawSocket.open(served.side.url)
    const head = `${method} ${target} HTTP/${version}\r\n${host}`
    const about = `content-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n`
    socket.send(`${head}${body === '' ? '' : about}\r\n${body}`)
    const reply = await socket.receive()
    socket.close()
    return reply
  }

  test(`a request with ${what} is answered by its path, and counted as answered`, async () => {
    const before = inFlight(served.side.counters)
    expect((await ask('GET', '/health')).status).toBe(200)
    expect(JSON.parse((await ask('GET', '/ready?full=1')).body).ready).toBe(true)
    expect((await ask('GET', '/nope?a=/health')).status).toBe(404)
    expect((await ask('GET', '/v1/write')).status).toBe(405)
    expect((await ask('GET', '/health/?a=b')).headers.get('location')).toBe('/health?a=b')
    const written = await ask('POST', '/v1/write?view=clicks&dry_run=true', ROW)
    expect([written.status, JSON.parse(written.body).read]).toEqual([200, 1])
    expect((await ask('POST', '/v1/write?view=none', ROW)).status).toBe(404)
    expect(inFlight(served.side.counters)).toBe(before)
    expect(served.side.counters.events(EVENT.failuresUnexpected)).toBe(0)
  })
}
