/** Feast's recorded answers, replayed on an embedded store with the rows of the fixture. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { readRegistry } from '../../src/catalog/read-registry.ts'
import type { FeastParts } from '../../src/codec/answer-feast.ts'
import { answerFeast } from '../../src/codec/answer-feast.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { feastPlans } from '../../src/query/feast-plan.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { DEVIATIONS } from './deviations.ts'
import { loadRows } from './load-rows.ts'
import type { Exchange } from './transcript.ts'
import { comparable, parseTranscript } from './transcript.ts'

const FIXTURES = join(import.meta.dir, '../fixtures/feast')
const fixture = (name: string) => Bun.file(join(FIXTURES, name))
const transcript = parseTranscript(await fixture('http-transcript.jsonl').text())
const AREAS = ['read', 'convert', 'error', 'validation', 'wide']
const reads = transcript.filter(
  ({ area, request }) => AREAS.includes(area) && request.path === '/get-online-features',
)

let folder: string
let store: EmbeddedStore
let parts: FeastParts

beforeAll(async () => {
  const catalog: Catalog = readRegistry(await fixture('registry.db').bytes(), {
    project: 'rideshare',
    origin: 'registry.db',
    folder: FIXTURES,
    versioning: false,
    servesMaterializing: false,
    onlineStore: undefined,
  })
  folder = await mkdtemp(join(tmpdir(), 'salver-replay-'))
  store = await openEmbeddedStore({ dir: folder, durability: 'process' })
  await loadRows(catalog, store, await fixture('rows.jsonl').text())
  parts = {
    catalog,
    plans: feastPlans(store),
    answerer: new Answerer(store, () => Date.now() * 1000),
    enforceTtl: false,
  }
})

afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

async function ask({ request }: Exchange) {
  const body = new TextEncoder().encode(request.body ?? '')
  const contentType = request.content_type ?? ''
  const reply = await answerFeast({ body, contentType, deadlineMs: Infinity }, parts)
  return { ...reply, text: new TextDecoder().decode(reply.body) }
}

for (const area of AREAS) {
  describe(`${area}: answers as Feast does`, () => {
    const musts = reads.filter((exchange) => exchange.area === area && exchange.tag === 'must')
    test.each(musts.map((exchange) => [`${exchange.n} ${exchange.name}`, exchange] as const))(
      '%s',
      async (_, exchange) => {
        const { status, contentType, text } = await ask(exchange)
        const { sets, response } = exchange
        expect({ status, body: comparable(text, sets) }).toEqual({
          status: response.status,
          body: comparable(response.body, sets),
        })
        expect(contentType).toBe(response.headers['content-type'] ?? '')
      },
    )
  })
}
describe('where Feast is wrong, or only its status counts', () => {
  test.each(DEVIATIONS.map((deviation) => [deviation.n, deviation.why, deviation] as const))(
    '%d: %s',
    async (n, _, { status, body }) => {
      const exchange = reads.find((each) => each.n === n)
      if (exchange === undefined) throw new Error(`no exchange ${n}`)
      const reply = await ask(exchange)
      expect(reply.status).toBe(status)
      if (exchange.tag === 'lenient') expect(status).toBe(exchange.response.status)
      if (body === 'recorded') {
        expect(comparable(reply.text)).toEqual(comparable(exchange.response.body))
      } else if ('text' in body) expect(reply.text).toBe(body.text)
      else expect(JSON.parse(reply.text).results).toHaveLength(body.columns)
    },
  )

  test('no such answer is left out', () => {
    const others = reads.filter(({ tag }) => tag !== 'must').map(({ n }) => n)
    expect(DEVIATIONS.map(({ n }) => n)).toEqual(others)
  })
})
