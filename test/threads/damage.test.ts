import { afterAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFINITIONS } from '../http/served.ts'
import { cleanUp, makeFolder, ServerProcess } from './server-process.ts'

afterAll(cleanUp)

const LABEL = 'a label that no other bytes of the store hold'
const HEADERS = { 'content-type': 'application/json' }

const post = (url: string, path: string, body: unknown): Promise<Response> =>
  fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers: HEADERS })

/** One bit of the row's body, in the segment that holds it. */
function flipBit(dataDir: string): void {
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const bytes = readFileSync(file)
    const at = bytes.indexOf(LABEL)
    if (at === -1) continue
    bytes[at]! ^= 1
    writeFileSync(file, bytes)
    return
  }
  throw new Error(
    `no segment holds the row: ${readdirSync(dataDir, { recursive: true }).join(', ')}`,
  )
}

async function untilWarned(url: string): Promise<readonly string[]> {
  for (;;) {
    const { warnings } = (await (await fetch(`${url}/ready`)).json()) as { warnings: string[] }
    if (warnings.length > 0) return warnings
    await Bun.sleep(20)
  }
}

for (const flags of [[], ['--read-only']]) {
  test(`damage met while serving${flags.map((flag) => ` ${flag}`).join('')} is logged, warned of and counted`, async () => {
    const folder = makeFolder(DEFINITIONS)
    const first = await ServerProcess.start({ folder })
    const row = {
      user_id: 1,
      event_timestamp: '2026-01-01T00:00:00Z',
      count: 1,
      rate: 0.5,
      label: LABEL,
    }
    const written = await post(first.url, '/v1/write?view=clicks', [row])
    expect(((await written.json()) as { counts: { new: number } }).counts.new).toBe(1)
    first.signal('SIGTERM')
    expect(await first.ended()).toBe(0)
    flipBit(join(folder, 'data'))

    const server = await ServerProcess.start({ folder, flags })
    const asked = { features: ['clicks:label'], entities: { user_id: [1] }, statuses: true }
    const reply = await post(server.url, '/v1/features', asked)
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('"LATE"')])
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toContain('salver_row_reads_total{outcome="unreadable"} 1')
    expect(metrics).toContain('salver_row_reads_total{outcome="late"} 0')
    expect((await untilWarned(server.url)).join()).toContain('run salver store verify')
    await server.untilLogged('run salver store verify')
    // The idle check of a store that writes meets it too.
    if (flags.length === 0) await server.untilLogged('damage in 1 segment')
    server.signal('SIGTERM')
    await server.ended()
  })
}
