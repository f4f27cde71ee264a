import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, argvOf, exampleFolder, runSalver, startSalver } from './run-salver.ts'

const folder = exampleFolder()
const run = (line: string, env: Record<string, string> = {}) =>
  runSalver(argvOf(`salver ${line}`), { cwd: folder, env })

const INGEST = 'ingest batch --catalog features.yaml --data data --view driver_stats'

beforeAll(async () => {
  expect(await run(`${INGEST} --source drivers.ndjson`)).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('store', () => {
  test('stats tells rows and tables', async () => {
    const { out } = await run('store stats --data data --json')
    expect(JSON.parse(out)).toMatchObject({
      rows: 3,
      tables: [{ name: 'driver_stats', key_signature: 'driver_id:INT64', rows: 3 }],
    })
  })

  test('verify finds nothing in what was written, after compaction too', async () => {
    const told = { ok: true, damages: [], rows: 3 }
    expect(JSON.parse((await run('store verify --data data --json')).out)).toMatchObject(told)
    expect(await run('store compact --data data')).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse((await run('store verify --data data --json')).out)).toMatchObject(told)
  })

  test('drop says what it would drop, what was meant, and drops when told to', async () => {
    expect((await run('store drop --data data --table driver_stat')).err).toContain(
      "'driver_stats'",
    )
    const asked = await run('store drop --data data --table driver_stats')
    expect(asked.out).toContain('3 rows; give --yes')
    expect(JSON.parse((await run('store stats --data data --json')).out)).toMatchObject({ rows: 3 })
    const done = await run('store drop --data data --table driver_stats --yes')
    expect(done).toMatchObject({ code: 0, out: 'dropped driver_stats(driver_id:INT64): 3 rows\n' })
    expect(JSON.parse((await run('store stats --data data --json')).out)).toMatchObject({
      rows: 0,
      tables: [],
    })
  })

  test('verify names the file and the offset of a flipped byte, and exits 1', async () => {
    const later = '{"driver_id": 4, "event_timestamp": "2026-03-02T10:00:00Z", "trips": 1}'
    writeFileSync(join(folder, 'later.ndjson'), later)
    // A whole group behind the flipped one tells damage from a tail that a power cut tore.
    for (const source of ['drivers.ndjson', 'later.ndjson']) {
      const ingest = `${INGEST.replace('--data data', '--data flipped')} --source ${source}`
      expect(await run(ingest)).toMatchObject({ code: 0 })
    }
    const data = join(folder, 'flipped')
    const name = readdirSync(data).find((file) => file.endsWith('.seg')) ?? ''
    const bytes = readFileSync(join(data, name))
    const row = bytes.indexOf(Buffer.from('e903', 'hex'))
    bytes[row] = 0
    writeFileSync(join(data, name), bytes)
    const ran = await run('store verify --data flipped')
    expect(ran.code).toBe(1)
    expect(ran.out).toMatch(new RegExp(`damaged: ${name} at \\d+: `))
  })

  test('a store that a server has open is refused, and the way round it is told', async () => {
    const line = 'salver serve --catalog features.yaml --data data --port 0'
    const server = await startSalver(argvOf(line), { cwd: folder })
    await addressOf(server)
    const ran = await run('store stats --data data')
    server.kill('SIGTERM')
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('--server')
    expect(await server.exited).toBe(0)
  })
})
