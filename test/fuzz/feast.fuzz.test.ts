/** Bodies of Feast's path, broken in every way: each gets a reply, none harms the next. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import type { FeastParts } from '../../src/codec/answer-feast.ts'
import { answerFeast } from '../../src/codec/answer-feast.ts'
import type { FeastReply } from '../../src/codec/feast-error.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { feastPlans } from '../../src/query/feast-plan.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { parseTranscript } from '../feast/transcript.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const FIXTURE = join(import.meta.dir, '../fixtures/feast/http-transcript.jsonl')
const BODIES = parseTranscript(await Bun.file(FIXTURE).text())
  .filter(({ request }) => request.path === '/get-online-features')
  .flatMap(({ request }) => (request.body === null ? [] : [request.body.slice(0, 600)]))

const PIECES = ['{', '}', '[', ']', '"', ',', ':', '\\', '\\u', 'null', 'true', '1e9', '-', '0']
const MORE_PIECES = [
  'NaN',
  '9'.repeat(30),
  '\u0000',
  'é',
  '😀',
  'entities',
  '__proto__',
  '@v1',
  '.5',
]

const catalog = smallCatalog([
  {
    name: 'driver_stats',
    keys: { driver_id: 'INT64' },
    features: { trips: 'INT64', cnt: 'INT32', nickname: 'STRING', conv_rate: 'FLOAT' },
  },
  { name: 'customer_profile', keys: { customer_id: 'STRING' }, features: { city: 'STRING' } },
  { name: 'zone_weather', keys: { zone_no: 'INT32' }, features: { temp: 'DOUBLE' } },
])
const store = new MemoryRows()
store.put(catalog.views[0]!, [1001], { trips: 2n ** 60n, nickname: 'é"\n' }, 0)

const newParts = (): FeastParts => ({
  catalog,
  plans: feastPlans(store),
  answerer: new Answerer(store, () => 0),
  enforceTtl: false,
})

const utf8 = new TextDecoder('utf-8', { fatal: true })

function send(body: Uint8Array, parts: FeastParts): FeastReply {
  const call = { body, contentType: 'application/json', deadlineMs: Infinity }
  const reply = answerFeast(call, parts)
  if (reply instanceof Promise) throw new Error('the store does not wait')
  return reply
}

function broken(random: SeededRandom): Uint8Array {
  let text = random.pick(BODIES)
  for (let count = random.below(5); count > 0; count--) {
    const at = random.below(text.length + 1)
    const cut = random.chance(0.5) ? random.below(8) : 0
    const piece = random.chance(0.7) ? random.pick([...PIECES, ...MORE_PIECES]) : ''
    text = text.slice(0, at) + piece + text.slice(at + cut)
  }
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > 0 && random.chance(0.1)) bytes[random.below(bytes.length)] = random.below(256)
  return random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

const STATUSES = [200, 400, 404, 413, 422, 500]
/** Long runs take long: not a promise about time. */
const TIMEOUT_MS = 24 * 3600 * 1000

const GOOD = new TextEncoder().encode(
  '{"features":["driver_stats:trips","driver_stats:nickname"],"entities":{"driver_id":[1001,1]}}',
)

test(
  'every broken body gets a reply, and the next good one its answer',
  () => {
    const random = new SeededRandom('feast bodies')
    const parts = newParts()
    const good = send(GOOD, parts)
    expect(good.status).toBe(200)
    const statuses = new Set<number>()
    for (let step = 0; step < stepsOf(3000); step++) {
      const reply = send(broken(random), parts)
      statuses.add(reply.status)
      JSON.parse(utf8.decode(reply.body))
      if (step % 100 === 0) expect(send(GOOD, parts)).toEqual(good)
    }
    for (const status of statuses) expect(STATUSES).toContain(status)
    expect(statuses.size).toBeGreaterThan(2)
  },
  TIMEOUT_MS,
)

test('canary: a store that fails in its own way is not taken for a refusal', () => {
  const failing = new MemoryRows()
  failing.readMany = () => {
    throw new RangeError('not a refusal')
  }
  const parts = { ...newParts(), answerer: new Answerer(failing, () => 0) }
  expect(() => send(GOOD, parts)).toThrow(RangeError)
})
