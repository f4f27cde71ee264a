/**
 * Feast's recorded answers over Feast's own items in the real DynamoDB Local: in process for every
 * line that reads, and over a real socket from the executable for those and for what is not served.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import type { FeastParts } from '../../src/codec/answer-feast.ts'
import { answerFeast } from '../../src/codec/answer-feast.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { feastPlans } from '../../src/query/feast-plan.ts'
import { Coalescer } from '../../src/store/coalesce/coalescer.ts'
import { openDynamoClient } from '../../src/store/dynamodb/dynamo-endpoint.ts'
import { parseDynamoOptions } from '../../src/store/dynamodb/dynamo-options.ts'
import { DynamoReader } from '../../src/store/dynamodb/dynamo-reader.ts'
import {
  describeWithDynamo,
  TEST_CREDENTIALS,
  uniqueName,
  useTestCredentials,
} from '../parts/dynamodb.ts'
import { cleanUp, ServerProcess } from '../threads/server-process.ts'
import { DEVIATIONS, FOREIGN_DEVIATIONS, NOT_SERVED } from './deviations.ts'
import { loadFeastItems } from './feast-items.ts'
import type { Exchange } from './transcript.ts'
import { comparable, parseTranscript } from './transcript.ts'

const FIXTURES = join(import.meta.dir, '../fixtures/feast')
const transcript = parseTranscript(await Bun.file(join(FIXTURES, 'http-transcript.jsonl')).text())
const AREAS = ['read', 'convert', 'error', 'validation', 'foreign-items', 'wide']
const reads = transcript.filter(
  ({ area, request }) => AREAS.includes(area) && request.path === '/get-online-features',
)
/** Of what Feast's server does beside: as recorded, or told that it is not served. */
const OTHER_AREAS = ['misc', 'materialize', 'on-demand', 'on-demand-error']
const others = transcript.filter(({ area }) => OTHER_AREAS.includes(area))
const musts = reads.filter(({ tag }) => tag === 'must')
const deviations = [...DEVIATIONS, ...FOREIGN_DEVIATIONS]

type Reply = { readonly status: number; readonly contentType: string; readonly text: string }

/** Feast's configuration as in the recording, with tables named after this test. */
async function makeRepository(url: string, prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'salver-replay-'))
  const lines = [
    'project: rideshare',
    'provider: local',
    `registry: ${join(FIXTURES, 'registry.db')}`,
    'online_store:',
    '  type: dynamodb',
    '  region: us-east-1',
    `  endpoint_url: ${url}`,
    `  table_name_template: "${prefix}.{table_name}"`,
  ]
  await Bun.write(join(folder, 'feature_store.yaml'), `${lines.join('\n')}\n`)
  return folder
}

await describeWithDynamo('Feast’s answers over DynamoDB', (url) => {
  useTestCredentials()
  const prefix = uniqueName('replay')
  let folder: string

  beforeAll(async () => {
    folder = await makeRepository(url, prefix)
    await loadFeastItems(url, (view) => `${prefix}.${view}`)
  })
  afterAll(() => rm(folder, { recursive: true }))

  describe('in process', () => {
    let parts: FeastParts
    let coalescer: Coalescer

    beforeAll(async () => {
      const catalog = await openCatalog(folder)
      const options = parseDynamoOptions(catalog.onlineStore!, catalog.project)
      const calls = await openDynamoClient(options)
      const { tableName, consistentReads, batchSize: callKeysMax } = options
      const reader = new DynamoReader({ calls, tableName, consistentReads, callKeysMax })
      coalescer = new Coalescer(reader, {})
      parts = {
        catalog,
        plans: feastPlans(coalescer),
        answerer: new Answerer(coalescer, () => Date.now() * 1000),
        enforceTtl: false,
      }
    })
    afterAll(() => coalescer.close())

    replay(async ({ request }) => {
      const body = new TextEncoder().encode(request.body ?? '')
      const contentType = request.content_type ?? ''
      const reply = await answerFeast({ body, contentType, deadlineMs: Infinity }, parts)
      const text = new TextDecoder().decode(reply.body)
      return { status: reply.status, contentType: reply.contentType, text }
    })
  })

  describe('over a real socket', () => {
    let server: ServerProcess

    beforeAll(async () => {
      server = await ServerProcess.start({
        ...{ folder, catalog: folder, embedded: false, compiled: true },
        environment: TEST_CREDENTIALS,
      })
    }, 120_000)
    afterAll(cleanUp)

    async function ask({ request }: Exchange): Promise<Reply> {
      const reply = await fetch(server.url + request.path, {
        method: request.method,
        headers: request.content_type === null ? {} : { 'content-type': request.content_type },
        body: request.body,
        redirect: 'manual',
      })
      const contentType = reply.headers.get('content-type') ?? ''
      return { status: reply.status, contentType, text: await reply.text() }
    }

    replay(ask)

    test.each(others.map((exchange) => [named(exchange), exchange] as const))(
      '%s',
      async (_, exchange) => {
        const reply = await ask(exchange)
        const refused = NOT_SERVED.find(({ n }) => n === exchange.n)
        if (refused === undefined) return expectRecorded(exchange, reply)
        expect(reply).toMatchObject({
          status: refused.status,
          text: expect.stringContaining(refused.says),
        })
      },
    )
  })
})

/** Every line that reads: as recorded, or as our list of deviations says. */
function replay(ask: (exchange: Exchange) => Promise<Reply>): void {
  test.each(musts.map((exchange) => [named(exchange), exchange] as const))(
    '%s',
    async (_, exchange) => expectRecorded(exchange, await ask(exchange)),
  )

  test.each(deviations.map((deviation) => [deviation.n, deviation.why, deviation] as const))(
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
    expect(deviations.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(others)
  })
}

const named = ({ area, n, name }: Exchange): string => `${area} ${n} ${name}`

function expectRecorded({ response, sets }: Exchange, reply: Reply): void {
  expect({ status: reply.status, body: comparable(reply.text, sets) }).toEqual({
    status: response.status,
    body: comparable(response.body, sets),
  })
  expect(reply.contentType).toBe(response.headers['content-type'] ?? '')
}
