/** The executable over DynamoDB, from definitions to replies, as its user runs it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf, runSalver, startSalver } from '../cli/run-salver.ts'
import { createFeastTable, describeWithDynamo, itemsOf } from '../parts/dynamodb.ts'
import type { RepoView } from '../parts/feast-repo.ts'
import { makeFeastRepo } from '../parts/feast-repo.ts'

const PROJECT = 'serve_test'
const TIME = '2026-03-01T10:00:00.25Z'
const env = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }

const wideNames = Array.from({ length: 300 }, (_, at) => `feature_with_a_long_name_${at}`)

const VIEWS: readonly RepoView[] = [
  {
    name: 'stats',
    keys: { driver: 'INT64' },
    features: { trips: 'INT64', rating: 'FLOAT' },
    version: 2,
    history: [
      { version: 1, features: { trips: 'INT32' } },
      { version: 2, features: { trips: 'INT64', rating: 'FLOAT' } },
    ],
  },
  {
    name: 'pairs',
    keys: { driver: 'INT64', zone: 'STRING' },
    features: { seen: 'INT64', tags: 'STRING_LIST' },
  },
  { name: 'totals', keys: {}, features: { drivers: 'INT64' } },
  {
    name: 'wide',
    keys: { driver: 'INT64' },
    features: Object.fromEntries(wideNames.map((name) => [name, 'INT64' as const])),
    tags: { 'salver.wide': 'true' },
  },
  { name: 'absent', keys: { driver: 'INT64' }, features: { f: 'INT64' } },
]

const SERVICES = [
  {
    spec: {
      name: 'renamed',
      project: PROJECT,
      features: [
        {
          featureViewName: 'pairs',
          featureViewNameAlias: 'meetings',
          featureColumns: [{ name: 'seen' }],
          joinKeyMap: { driver: 'who' },
        },
      ],
    },
  },
]

await describeWithDynamo('salver over DynamoDB', (url) => {
  const folder = mkdtempSync(join(tmpdir(), 'salver-dynamo-'))
  const repo = join(folder, 'repo')
  let server: Awaited<ReturnType<typeof startSalver>>
  let address = ''

  beforeAll(async () => {
    await makeFeastRepo(repo, { project: PROJECT, endpoint: url, views: VIEWS, services: SERVICES })
    const tables = ['stats_v2', 'stats_v1', 'pairs', 'totals', 'wide']
    await Promise.all(tables.map((table) => createFeastTable(url, `${PROJECT}.${table}`)))
    server = await startSalver(['serve', '--catalog', repo, '--port', '0'], { cwd: folder, env })
    address = await addressOf(server)
  })

  afterAll(async () => {
    server.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    rmSync(folder, { recursive: true })
  })

  const post = (path: string, body: unknown, headers = {}) =>
    fetch(`${address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  const ask = async (features: readonly string[], entities: object) => {
    const reply = await post('/v1/features', { features, entities, statuses: true })
    return ((await reply.json()) as { blocks: any[] }).blocks
  }

  const write = async (view: string, ...rows: object[]) => {
    const lines = rows.map((row) => ({ event_timestamp: TIME, ...row }))
    const reply = await post(`/v1/write?view=${view}`, lines)
    return reply.json()
  }

  test('what is written over HTTP is read by the next request, under every name of the view', async () => {
    expect(
      await write('pairs', { driver: 1, zone: 'a:b', seen: 7, tags: ['x', ''] }),
    ).toMatchObject({
      counts: { new: 1 },
    })
    const [block] = await ask(['pairs:seen', 'pairs:tags'], { driver: [1, 2], zone: ['a:b'] })
    expect(block.features).toEqual({ seen: [7, null], tags: [['x', ''], null] })
    const reply = await post('/get-online-features', {
      feature_service: 'renamed',
      full_feature_names: true,
      entities: { who: [1], zone: ['a:b'] },
    })
    expect(await reply.json()).toMatchObject({
      metadata: { feature_names: ['who', 'zone', 'meetings__seen'] },
      results: [{}, {}, { values: [7], statuses: ['PRESENT'] }],
    })
  })

  test('content that did not change is not put again, a late row is dropped', async () => {
    const row = { driver: 5, zone: 'z', seen: 1, tags: null }
    expect(await write('pairs', row)).toMatchObject({ counts: { new: 1 } })
    expect(await write('pairs', row)).toMatchObject({ counts: { unchanged: 1 } })
    const late = { ...row, seen: 2, event_timestamp: '2026-02-01T00:00:00Z' }
    expect(await write('pairs', late)).toMatchObject({ counts: { older: 1 } })
    const [block] = await ask(['pairs:seen'], { driver: [5], zone: ['z'] })
    expect(block.features).toEqual({ seen: [1] })
  })

  test('each version of a view is read from its own table, and the current one is written', async () => {
    await write('stats', { driver: 3, trips: 12, rating: 4.5 })
    await expect(itemsOf(url, `${PROJECT}.stats_v2`)).resolves.toHaveProperty('size', 1)
    await expect(itemsOf(url, `${PROJECT}.stats_v1`)).resolves.toHaveProperty('size', 0)
    const both = await ask(['stats:trips', 'stats@v2:rating', 'stats@v1:trips'], { driver: [3] })
    expect(both.map((block: { features: object }) => block.features)).toEqual([
      { trips: [12] },
      { rating: [4.5] },
      { trips: [null] },
    ])
  })

  test('an entityless view has one row for all', async () => {
    await write('totals', { drivers: 99 })
    const [block] = await ask(['totals:drivers'], {})
    expect(block.features).toEqual({ drivers: [99] })
  })

  test('a wide view is read by the few features that are asked for, and by all of them', async () => {
    const values = Object.fromEntries(wideNames.map((name, at) => [name, at]))
    await write('wide', { driver: 8, ...values })
    const few = await ask([`wide:${wideNames[299]}`, `wide:${wideNames[0]}`], { driver: [8] })
    expect(few[0].features).toEqual({ [wideNames[299]!]: [299], [wideNames[0]!]: [0] })
    const all = await ask(
      wideNames.map((name) => `wide:${name}`),
      { driver: [8] },
    )
    expect(all[0].features[wideNames[150]!]).toEqual([150])
  })

  test('a table that is missing spoils no other view: its cells are LATE, and /ready names it', async () => {
    await write('pairs', { driver: 9, zone: 'q', seen: 3, tags: [] })
    const entities = { driver: [9], zone: ['q'] }
    const blocks = await ask(['absent:f', 'pairs:seen'], entities)
    expect(blocks[0].statuses).toEqual({ f: ['LATE'] })
    expect(blocks[1].features).toEqual({ seen: [3] })
    const { ready, warnings } = await await until(readiness, ({ warnings }) => warnings.length > 0)
    expect(ready).toBe(true)
    expect(warnings.join()).toContain(`table ${PROJECT}.absent: ResourceNotFoundException`)
    const refused = await post('/v1/write?view=absent', [
      { driver: 1, event_timestamp: TIME, f: 1 },
    ])
    expect(refused.status).toBe(503)
    expect(JSON.stringify(await refused.json())).toContain('salver tables create')
  })

  const readiness = async (): Promise<{ ready: boolean; warnings: string[] }> =>
    (await fetch(`${address}/ready`)).json() as Promise<{ ready: boolean; warnings: string[] }>

  test('the metrics tell what was asked of DynamoDB', async () => {
    const text = await (await fetch(`${address}/metrics`)).text()
    expect(text).toMatch(/salver_remote_events_total\{event="answered"\} [1-9]/)
    expect(text).not.toContain('salver_store_disk_bytes')
  })

  test('files are ingested and looked up without a server', async () => {
    const rows = [1, 2, 3].map((driver) => ({
      driver,
      event_timestamp: TIME,
      trips: driver * 10,
      rating: 1,
    }))
    const lines = rows.map((row) => JSON.stringify(row)).join('\n')
    await Bun.write(join(folder, 'stats.ndjson'), lines)
    const ingest = ['ingest', 'batch', '--catalog', repo, '--view', 'stats', '--json']
    const source = ['--source', join(folder, 'stats.ndjson')]
    const dry = await runSalver([...ingest, ...source, '--dry-run'], { cwd: folder, env })
    expect(JSON.parse(dry.out)).toMatchObject({ read: 3, written: 0, new: 2, changed: 1 })
    const first = await runSalver([...ingest, ...source], { cwd: folder, env })
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(first.out)).toMatchObject({ new: 2, changed: 1, write_units: 3 })
    const again = await runSalver([...ingest, ...source], { cwd: folder, env })
    expect(JSON.parse(again.out)).toMatchObject({ unchanged: 3, written: 0, write_units_saved: 3 })
    const lookup = ['lookup', '--catalog', repo, '--feature', 'stats:trips', '--entity', 'driver=2']
    expect(await runSalver(lookup, { cwd: folder, env })).toMatchObject({ code: 0, err: '' })
    expect((await runSalver(lookup, { cwd: folder, env })).out).toContain('20')
  })

  test('a look-up with the store away says why the values are LATE, and fails', async () => {
    const away = join(folder, 'away')
    await makeFeastRepo(away, { project: PROJECT, endpoint: 'http://127.0.0.1:1', views: VIEWS })
    const lookup = ['lookup', '--catalog', away, '--feature', 'pairs:seen']
    const entities = ['--entity', 'driver=1', '--entity', 'zone=a']
    const ran = await runSalver([...lookup, ...entities], { cwd: folder, env })
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('LATE')
    expect(ran.err).toContain('DynamoDB')
  })

  test('without credentials nothing is served, and the fault says where they are looked for', async () => {
    const nobody = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' }
    const argv = ['serve', '--catalog', repo, '--port', '0']
    const ran = await runSalver(argv, { cwd: folder, env: nobody })
    expect(ran.code).toBe(2)
    expect(ran.err).toContain('no AWS credentials were found')
  })

  test('a slip in the store options is told before anything is opened', async () => {
    const slip = join(folder, 'slip')
    await makeFeastRepo(slip, {
      project: PROJECT,
      endpoint: url,
      views: VIEWS,
      options: 'batchsize: 5',
    })
    const ran = await runSalver(['serve', '--catalog', slip, '--port', '0'], { cwd: folder, env })
    expect(ran.code).not.toBe(0)
    expect(ran.err).toContain('online_store.batchsize is unknown (did you mean "batch_size"?)')
  })
})

async function until<T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look()
    if (isSo(found)) return found
    await Bun.sleep(5)
  }
}
