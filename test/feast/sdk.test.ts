/**
 * Salver beside the real Feast SDK, over the same tables of the real DynamoDB Local: each reads what
 * the other writes, Feast's remote client reads through Salver, and both write at the same time.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { feastPython } from '../../scripts/parts/feast.ts'
import { PartMissing } from '../../scripts/parts/parts-folder.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { runSalver } from '../cli/run-salver.ts'
import { dynamodbLocal, itemsOf, TEST_CREDENTIALS, uniqueName } from '../parts/dynamodb.ts'
import { cleanUp, ServerProcess } from '../threads/server-process.ts'
import { apply, type Columns, type FeastRead, FeastSide, makeRepository } from './sdk/feast-side.ts'
import { toJson } from './sdk/to-json.ts'
import { comparable } from './transcript.ts'

const dynamo = await dynamodbLocal()
const python = await feastPython().catch((error: unknown) => {
  if (error instanceof PartMissing) return error
  throw error
})
const missing = [
  ...('skipped' in dynamo ? [dynamo.skipped] : []),
  ...(python instanceof PartMissing ? [python.message] : []),
].map((text) => text.split('\n')[0])
const reason = missing.length === 0 ? '' : ` (skipped: ${missing.join('; ')})`

const PROCESS_MS_MAX = 120_000

const TIME = '2026-08-20T10:00:00Z'
const LATER = '2026-08-20T10:00:00.250000Z'

const ACTIVITY: Columns = {
  user_id: ['u1', 'u2', 'ü 用户', ''],
  event_timestamp: [TIME, LATER, TIME, '2026-08-20T12:00:00+02:00'],
  // Beside a null Feast's own way, by a DataFrame, would round it.
  opened: [9007199254740993n, -1, 0, -9223372036854775808n],
  rank: [2147483647, -2147483648, 0, null],
  mean_dwell: [0.1, 3, -0.5, null],
  total_dwell: [1e300, 0.1, -1e-7, null],
  last_kind: ['open', '', 'größer 😀', null],
  is_active: [true, false, true, null],
  token: [{ bytes: 'AP8B' }, { bytes: 'AA==' }, { bytes: '/////w==' }, null],
  last_seen: [1787220000, 0, -1, 1],
  recent_kinds: [['a', ''], ['b'], ['c', 'd', 'e'], null],
  embedding: [[0.1, 0.2, -1], [1], [0.5, 1e30], null],
  recent_docs: [[1, -1], [9007199254740993n], [0], null],
}

const PAIRS: Columns = {
  user_id: ['u1', 'u1', 'u2'],
  doc_id: [1, -2, 9007199254740993n],
  event_timestamp: [TIME, TIME, LATER],
  views: [10, 20, 30],
  last_kind: ['x', 'y', null],
}

const POPULARITY: Columns = {
  doc_id: [1, 2, 3],
  event_timestamp: [TIME, LATER, TIME],
  views: [100, 200, 300],
  mean_dwell: [1.5, 0.1, null],
}

const LIVE: Columns = {
  doc_id: [1, 2],
  event_timestamp: [TIME, LATER],
  seq: [1, 2],
  writer: ['a', 'b'],
}

/** What both sides are asked; the store and the client are the case's. */
type Asked = Omit<FeastRead, 'store'>

const ASKED: readonly (readonly [string, Asked])[] = [
  [
    'features of one view',
    {
      rows: ['u1', 'u2', 'ü 用户', '', 'nobody'].map((user_id) => ({ user_id })),
      full: false,
      features: Object.keys(ACTIVITY)
        .slice(2)
        .map((name) => `user_activity:${name}`),
    },
  ],
  [
    'a composite key',
    {
      rows: [
        { user_id: 'u1', doc_id: 1 },
        { user_id: 'u1', doc_id: -2 },
        { user_id: 'u2', doc_id: 1 },
      ],
      full: true,
      features: ['user_doc:views', 'user_doc:last_kind', 'doc_popularity:views'],
    },
  ],
  [
    'a feature service by its name',
    {
      rows: [
        { user_id: 'u1', doc_id: 1 },
        { user_id: 'u2', doc_id: 2 },
      ],
      full: false,
      service: 'plain',
    },
  ],
  [
    'renamed projections, a mapped key and a view without a key',
    {
      rows: [
        { user_id: 'u1', doc_id: 1, seen_doc_id: 2 },
        { user_id: 'u1', doc_id: 3, seen_doc_id: 4 },
      ],
      full: true,
      service: 'ranking',
    },
  ],
  [
    'a view that is pushed to',
    {
      rows: [{ doc_id: 1 }, { doc_id: 2 }, { doc_id: 3 }],
      full: false,
      features: ['doc_live:seq'],
    },
  ],
]

describe.skipIf(reason !== '')(`beside the Feast SDK${reason}`, () => {
  afterAll(cleanUp, PROCESS_MS_MAX)

  describe('what Feast writes', () => {
    const sides = startSides()

    beforeAll(async () => {
      const { feast } = sides
      await feast.ask({ do: 'write', view: 'user_activity', columns: ACTIVITY })
      await feast.ask({ do: 'write', view: 'user_doc', columns: PAIRS })
      await feast.ask({ do: 'write', view: 'doc_popularity', columns: POPULARITY })
      await feast.ask({ do: 'push', source: 'doc_events', columns: LIVE })
    }, PROCESS_MS_MAX)

    test.each(ASKED)('Salver reads as Feast does: %s', async (_, asked) => {
      const feasts = comparable(await sides.feast.read({ store: 'applied', ...asked }))
      expect(comparable(await askSalver(sides.server, asked))).toEqual(feasts)
    })

    test('is there, digit for digit', async () => {
      const text = await askSalver(sides.server, {
        rows: [{ user_id: 'u1' }],
        full: false,
        features: ['user_activity:opened', 'user_activity:token', 'user_activity:total_dwell'],
      })
      const columns = valuesOf(text)
      expect(columns).toMatchObject({
        opened: ['integer 9007199254740993'],
        token: ['AP8B'],
        total_dwell: ['float 1e+300'],
      })
    })

    test.each(ASKED)("Feast's remote client reads through Salver: %s", async (_, asked) => {
      await sides.feast.ask({ do: 'remote', url: sides.server.url })
      const direct = await sides.feast.read({ store: 'applied', ...asked })
      const through = await sides.feast.read({ store: 'remote', ...asked })
      // The client drops the event times.
      expect(cellsOf(through)).toEqual(cellsOf(direct))
    })
  })

  describe('what Salver writes', () => {
    const sides = startSides()

    beforeAll(async () => {
      const { repository, feast } = sides
      const file = (name: string): string => join(repository, name)
      await Bun.write(file('activity.ndjson'), ndjson(ACTIVITY))
      await ingest(repository, 'user_activity', file('activity.ndjson'))
      await feast.ask({ do: 'parquet', path: file('pairs.parquet'), columns: PAIRS })
      await ingest(repository, 'user_doc', file('pairs.parquet'))
      await feast.ask({ do: 'parquet', path: file('popular.parquet'), columns: POPULARITY })
      await ingest(repository, 'doc_popularity', file('popular.parquet'))
      await Bun.write(file('totals.ndjson'), ndjson({ event_timestamp: [TIME], users: [42] }))
      await ingest(repository, 'totals', file('totals.ndjson'))
      await Bun.write(file('live.ndjson'), ndjson(LIVE))
      await ingest(repository, 'doc_live', file('live.ndjson'))
    }, PROCESS_MS_MAX)

    test.each(ASKED)('Feast reads in process as Salver does: %s', async (_, asked) => {
      const feasts = await sides.feast.read({ store: 'applied', ...asked })
      expect(comparable(await askSalver(sides.server, asked))).toEqual(comparable(feasts))
    })

    test('Feast has every value', async () => {
      const [, asked] = ASKED[0]!
      const { user_id: users, ...columns } = valuesOf(
        await sides.feast.read({ store: 'applied', ...asked }),
      )
      expect(users).toEqual(['u1', 'u2', 'ü 用户', '', 'nobody'])
      const { mean_dwell, embedding, token, ...exact } = columns
      for (const [name, values] of Object.entries(exact)) {
        expect([name, values]).toEqual([
          name,
          [...(shown(ACTIVITY[name], name) as unknown[]), null],
        ])
      }
      expect(token).toEqual(['AP8B', 'AA==', '/////w==', null, null])
      expect(mean_dwell?.[0]).toBe(`float ${Math.fround(0.1)}`)
      expect(embedding?.[1]).toEqual(['float 1'])
    })

    test('is the very item that Feast would have written', async () => {
      const { repository, feast, project, url } = sides
      const tables = ['user_activity', 'user_doc', 'doc_popularity'].map((it) => `${project}.${it}`)
      const ours = await Promise.all(tables.map((table) => itemsOf(url, table)))
      await feast.ask({ do: 'write', view: 'user_activity', columns: ACTIVITY })
      await feast.ask({ do: 'write', view: 'user_doc', columns: PAIRS })
      await feast.ask({ do: 'write', view: 'doc_popularity', columns: POPULARITY })
      const feasts = await Promise.all(tables.map((table) => itemsOf(url, table)))
      expect(ours).toEqual(feasts)
      // And so there is nothing to write.
      const again = await ingest(repository, 'user_activity', join(repository, 'activity.ndjson'))
      expect(again).toMatchObject({ read: 4, unchanged: 4, written: 0 })
    })
  })

  test(
    'versions of a view are read from the tables that Feast writes for them',
    async () => {
      if ('skipped' in dynamo || python instanceof PartMissing) return
      const place = { project: uniqueName('sdk'), dynamoUrl: dynamo.url }
      const repository = makeRepository({ ...place, definitions: 'versions.py' })
      const feast = await writeVersions(python, repository)
      const server = await serve(repository)
      const rows = ['a', 'b', 'c'].map((user_id) => ({ user_id }))
      for (const features of [
        ['clicks:count', 'clicks:label'],
        ['clicks@v0:count'],
        ['clicks@v1:count', 'clicks@v1:label'],
        ['clicks@latest:count'],
        ['clicks@v0:count', 'clicks@v1:count'],
      ]) {
        const asked = { rows, full: true, features }
        const feasts = await feast.read({ store: 'applied', ...asked })
        expect(comparable(await askSalver(server, asked))).toEqual(comparable(feasts))
      }
      await feast.end()
      rmSync(repository, { recursive: true })
    },
    PROCESS_MS_MAX,
  )

  describe('both at once', () => {
    const sides = startSides()

    test(
      'a newer row is never lost to an older one of Salver, however they meet',
      async () => {
        const random = new SeededRandom('sdk: both write')
        const rounds = stepsOf(5)
        for (let round = 0; round < rounds; round++) await meet(sides, random, round)
      },
      PROCESS_MS_MAX,
    )
  })
})

/** The same view applied twice: Feast keeps the rows of each version in a table of its own. */
async function writeVersions(python: string, repository: string): Promise<FeastSide> {
  const rows = { user_id: ['a', 'b'], event_timestamp: [TIME, LATER] }
  await apply(python, repository, { VERSION: 'first' })
  const first = new FeastSide(python, repository)
  await first.ask({ do: 'write', view: 'clicks', columns: { ...rows, count: [1, 2] } })
  await first.end()
  await apply(python, repository, { VERSION: 'later' })
  const later = new FeastSide(python, repository)
  const columns = { ...rows, count: [3, 4], label: ['x', null] }
  await later.ask({ do: 'write', view: 'clicks', columns })
  return later
}

type Sides = {
  readonly project: string
  /** DynamoDB's. */
  readonly url: string
  readonly repository: string
  readonly feast: FeastSide
  readonly server: ServerProcess
}

/** A project of its own for the tests of one `describe`, with both programs started. */
function startSides(): Sides {
  const sides = {} as { -readonly [Name in keyof Sides]: Sides[Name] } // filled before the tests
  beforeAll(async () => {
    if ('skipped' in dynamo || python instanceof PartMissing) return
    sides.url = dynamo.url
    sides.project = uniqueName('sdk')
    const place = { project: sides.project, dynamoUrl: dynamo.url }
    sides.repository = makeRepository({ ...place, definitions: 'definitions.py' })
    await apply(python, sides.repository)
    sides.feast = new FeastSide(python, sides.repository)
    sides.server = await serve(sides.repository)
  }, PROCESS_MS_MAX)
  afterAll(async () => {
    await sides.feast.end()
    rmSync(sides.repository, { recursive: true })
  })
  return sides
}

const serve = (repository: string): Promise<ServerProcess> =>
  ServerProcess.start({
    ...{ folder: repository, catalog: repository, embedded: false, compiled: true },
    environment: TEST_CREDENTIALS,
  })

/** Feast's own request, as any client would send it. */
async function askSalver({ url }: ServerProcess, { rows, full, ...asked }: Asked): Promise<string> {
  const names = Object.keys(rows[0] ?? {})
  const entities = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]))
  const { service, features } = asked
  const wanted = service === undefined ? { features } : { feature_service: service }
  const reply = await fetch(`${url}/get-online-features`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: toJson({ ...wanted, entities, full_feature_names: full }),
  })
  const text = await reply.text()
  expect(reply.status, text).toBe(200)
  return text
}

type Cells = Readonly<Record<string, { readonly values: unknown[]; readonly statuses: unknown[] }>>

function cellsOf(text: string): Cells {
  const { columns } = comparable(text) as {
    columns: { name: string; values: unknown[]; statuses: unknown[] }[]
  }
  return Object.fromEntries(
    columns.map(({ name, values, statuses }) => [name, { values, statuses }]),
  )
}

const valuesOf = (text: string): Record<string, unknown[]> =>
  Object.fromEntries(Object.entries(cellsOf(text)).map(([name, { values }]) => [name, values]))

const FLOATS: readonly string[] = ['mean_dwell', 'total_dwell', 'embedding']

/** A cell as `comparable` shows it. */
function shown(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => shown(each, name))
  if (typeof value === 'bigint') return `integer ${value}`
  if (typeof value !== 'number') return value
  return FLOATS.includes(name) ? `float ${value}` : `integer ${value}`
}

function ndjson(columns: Columns): string {
  const names = Object.keys(columns)
  const [first = []] = Object.values(columns)
  const cell = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value
  return first
    .map((_, row) => toJson(Object.fromEntries(names.map((it) => [it, cell(columns[it]?.[row])]))))
    .map((line) => `${line}\n`)
    .join('')
}

async function ingest(repository: string, view: string, source: string): Promise<unknown> {
  const argv = ['ingest', 'batch', '--catalog', repository, '--view', view, '--source', source]
  const { code, out, err } = await runSalver([...argv, '--json'], {
    cwd: repository,
    env: TEST_CREDENTIALS,
  })
  expect(code, err).toBe(0)
  return JSON.parse(out)
}

const KEYS = 200
/** Those of which Feast has the newest row. */
const KEYS_NEWEST = 60
/** Feast's rows of one call: few, so that its calls are spread over Salver's run. */
const FEAST_ROWS = 3

/**
 * Feast's older rows are there. Then at the same time Salver writes rows that are newer and, in another
 * process, rows that are between the two, and Feast writes the newest of some keys. Feast overwrites
 * without looking; as it writes nothing that is older, each key must end with its newest row.
 */
async function meet(sides: Sides, random: SeededRandom, round: number): Promise<void> {
  const at = (seconds: number): string =>
    new Date(Date.UTC(2026, 0, 1, 0, round, seconds)).toISOString()
  const keys = Array.from({ length: KEYS }, (_, key) => key)
  const rowsAt = (seconds: number, writer: string, ids: readonly number[]): Columns => ({
    doc_id: ids,
    event_timestamp: ids.map(() => at(seconds)),
    seq: ids.map(() => round),
    writer: ids.map(() => writer),
  })
  const feastWrites = (seconds: number, writer: string, ids: readonly number[]) =>
    sides.feast.ask({ do: 'write', view: 'doc_live', columns: rowsAt(seconds, writer, ids) })
  const salverWrites = async (seconds: number, writer: string): Promise<unknown> => {
    const file = join(sides.repository, `${writer}-${round}.ndjson`)
    await Bun.write(file, ndjson(rowsAt(seconds, writer, random.shuffled(keys))))
    return ingest(sides.repository, 'doc_live', file)
  }

  await feastWrites(0, 'feast, old', keys)
  const newest = random.shuffled(keys).slice(0, KEYS_NEWEST)
  const running = [salverWrites(20, 'salver'), salverWrites(10, 'salver, late')]
  for (let start = 0; start < newest.length; start += FEAST_ROWS) {
    await feastWrites(30, 'feast, new', newest.slice(start, start + FEAST_ROWS))
  }
  await Promise.all(running)

  const expected = new Map(keys.map((key) => [key, 'salver']))
  for (const key of newest) expected.set(key, 'feast, new')
  const text = await askSalver(sides.server, {
    rows: keys.map((doc_id) => ({ doc_id })),
    full: false,
    features: ['doc_live:writer', 'doc_live:seq'],
  })
  const { writer, seq } = valuesOf(text)
  expect(new Map(keys.map((key) => [key, writer?.[key]]))).toEqual(expected)
  expect(new Set(seq)).toEqual(new Set([`integer ${round}`]))
}
