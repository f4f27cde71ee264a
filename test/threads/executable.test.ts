import { afterAll, expect, test } from 'bun:test'
import { DEFINITIONS } from '../http/served.ts'
import { cleanUp, makeFolder, ServerProcess } from './server-process.ts'

afterAll(cleanUp)

test('the executable holds its writer thread: what it is sent, it writes and reads', async () => {
  const server = await ServerProcess.start({ folder: makeFolder(DEFINITIONS), compiled: true })
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(server.url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  const row = { item_id: 'a', event_timestamp: '2026-01-01T00:00:00Z', euros: 1.5 }
  const written = await post('/v1/write?view=price', [row])
  expect(await written.json()).toMatchObject({ outcomes: ['new'] })
  const read = await post('/v1/features', {
    features: ['price:euros'],
    entities: { item_id: ['a', 'b'] },
  })
  expect(await read.json()).toMatchObject({ blocks: [{ features: { euros: [1.5, null] } }] })
  server.signal('SIGTERM')
  expect(await server.ended()).toBe(0)
})
