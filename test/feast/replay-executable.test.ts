/** Feast's recorded answers over a real socket: its own repository folder, served by the executable. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { cleanUp, makeFolder, ServerProcess } from '../threads/server-process.ts'
import { loadRows } from './load-rows.ts'
import { comparable, parseTranscript } from './transcript.ts'

const FIXTURES = join(import.meta.dir, '../fixtures/feast')
const REPOSITORY = join(FIXTURES, 'feature_repo')
const transcript = parseTranscript(await Bun.file(join(FIXTURES, 'http-transcript.jsonl')).text())
const firstWrite = transcript.findIndex(({ area }) => area === 'write')
const reads = transcript
  .slice(0, firstWrite)
  .filter(({ area, tag }) => area === 'read' && tag === 'must')

let server: ServerProcess

beforeAll(async () => {
  const folder = makeFolder('')
  const store = await openEmbeddedStore({ dir: join(folder, 'data'), durability: 'process' })
  const rows = await Bun.file(join(FIXTURES, 'rows.jsonl')).text()
  await loadRows(await openCatalog(REPOSITORY), store, rows)
  await store.close()
  server = await ServerProcess.start({ folder, catalog: REPOSITORY, compiled: true })
})

afterAll(cleanUp)

test('what can not be served is named at start, with the reason', () => {
  expect(server.log).toContain('trip_score')
})

test('the recording has reads before its first write', () => {
  expect(reads.length).toBeGreaterThan(40)
})

test.each(reads.map((exchange) => [`${exchange.n} ${exchange.name}`, exchange] as const))(
  '%s',
  async (_, { request, response, sets }) => {
    const reply = await fetch(server.url + request.path, {
      method: request.method,
      headers: request.content_type === null ? {} : { 'content-type': request.content_type },
      body: request.body,
    })
    expect({ status: reply.status, body: comparable(await reply.text(), sets) }).toEqual({
      status: response.status,
      body: comparable(response.body, sets),
    })
    expect(reply.headers.get('content-type')).toBe(response.headers['content-type'] ?? null)
  },
)
