import { describe, expect, test } from 'bun:test'
import type { Catalog, FeatureService } from '../../src/catalog/catalog.ts'
import { answerFeast } from '../../src/codec/answer-feast.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { feastPlans } from '../../src/query/feast-plan.ts'
import { FAILED, PENDING } from '../../src/store/read-batch.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const projection = { versionTag: -1, features: [0] }
const service = (name: string, projections: FeatureService['projections']): FeatureService => ({
  name,
  projections,
  precomputed: false,
  onDemand: [],
})

const catalog = smallCatalog(
  [
    {
      name: 'user',
      keys: { user_id: 'INT64' },
      features: { age: 'INT32', ratio: 'DOUBLE' },
      changes: { ttlUs: 1000 },
    },
    { name: 'narrow', keys: { user_id: 'INT32' }, features: { size: 'INT32' } },
    { name: 'pair', keys: { user_id: 'INT64', doc_id: 'STRING' }, features: { clicks: 'INT64' } },
    { name: 'raw', keys: { digest: 'BYTES' }, features: { kind: 'STRING' } },
  ],
  [
    service('both', [
      { ...projection, view: 0, alias: '', joinKeyMap: new Map() },
      { ...projection, view: 0, alias: 'friend', joinKeyMap: new Map([['user_id', 'friend_id']]) },
    ]),
    { ...service('scored', []), onDemand: ['score'] },
  ],
  [{ kind: 'on_demand_feature_view', name: 'score', reason: 'it needs Python' }],
)

const [user, narrow, pair] = catalog.views
const SECOND = 1_000_000

function filledStore(): MemoryRows {
  const rows = new MemoryRows()
  rows.put(user!, [1], { age: 30, ratio: 0.5 }, SECOND)
  rows.put(user!, [2], { age: 40 }, SECOND + 500)
  rows.put(narrow!, [1], { size: 7 }, SECOND)
  rows.put(pair!, ['a', 1], { clicks: 9 }, SECOND)
  return rows
}

type Setting = {
  readonly rows?: MemoryRows
  readonly enforceTtl?: boolean
  readonly served?: Catalog
}

async function askRaw(body: Uint8Array | string, setting: Setting = {}) {
  const { rows = filledStore(), enforceTtl = false, served = catalog } = setting
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const reply = await answerFeast(
    { body: bytes, contentType: 'application/json', deadlineMs: Infinity },
    {
      catalog: served,
      plans: feastPlans(rows),
      answerer: new Answerer(rows, () => SECOND + 1250),
      enforceTtl,
    },
  )
  return { ...reply, text: new TextDecoder().decode(reply.body) }
}

type Ask = {
  readonly features?: readonly string[]
  readonly feature_service?: string
  readonly entities: unknown
  readonly full_feature_names?: boolean
}
type Columns = Record<string, { values: unknown[]; statuses: string[]; event_timestamps: string[] }>

async function ask(asked: Ask, setting: Setting = {}) {
  const reply = await askRaw(JSON.stringify(asked), setting)
  expect([reply.status, reply.contentType]).toEqual([200, 'application/json'])
  const { results, metadata } = JSON.parse(reply.text)
  const names: string[] = metadata.feature_names
  const columns: Columns = Object.fromEntries(names.map((name, place) => [name, results[place]]))
  return { names, columns, lateCells: reply.lateCells }
}

describe("on Feast's path", () => {
  test('columns stand in the asked order, join keys first', async () => {
    const { names } = await ask({
      features: ['user:ratio', 'narrow:size', 'user:age'],
      entities: { user_id: [1] },
    })
    expect(names).toEqual(['user_id', 'ratio', 'size', 'age'])
  })

  test('a row past its ttl is served, unless the ttl is enforced', async () => {
    const asked = { features: ['user:age'], entities: { user_id: [1, 2, 3] } }
    const times = ['1970-01-01T00:00:01Z', '1970-01-01T00:00:01.000500Z', '1970-01-01T00:00:00Z']
    expect((await ask(asked)).columns['age']).toEqual({
      values: [30, 40, null],
      statuses: ['PRESENT', 'PRESENT', 'NOT_FOUND'],
      event_timestamps: times,
    })
    expect((await ask(asked, { enforceTtl: true })).columns['age']).toEqual({
      values: [null, 40, null],
      statuses: ['OUTSIDE_MAX_AGE', 'PRESENT', 'NOT_FOUND'],
      event_timestamps: times,
    })
  })

  test('a feature that a row does not have is NOT_FOUND, with the time of the row', async () => {
    const { columns } = await ask({
      features: ['user:age', 'user:ratio'],
      entities: { user_id: [1, 2] },
    })
    expect(columns['age']!.statuses).toEqual(['PRESENT', 'PRESENT'])
    expect(columns['ratio']).toEqual({
      values: [0.5, null],
      statuses: ['PRESENT', 'NOT_FOUND'],
      event_timestamps: ['1970-01-01T00:00:01Z', '1970-01-01T00:00:01.000500Z'],
    })
  })

  test('what is late is NOT_FOUND, and counted', async () => {
    const rows = filledStore()
    rows.states.set(0, PENDING).set(1, FAILED)
    const { columns, lateCells } = await ask(
      { features: ['user:age', 'user:ratio'], entities: { user_id: [1, 2, 1] } },
      { rows },
    )
    expect(columns['age']!.statuses).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
    expect(lateCells).toBe(6)
  })

  test('a store that waits answers the same', async () => {
    const rows = filledStore()
    const asked = { features: ['user:age'], entities: { user_id: [1, 2, 3] } }
    const atOnce = await ask(asked, { rows })
    rows.gate = Promise.resolve()
    expect(await ask(asked, { rows })).toEqual(atOnce)
  })

  test('views that disagree about the type of a key each get their own', async () => {
    const { columns } = await ask({
      features: ['user:age', 'narrow:size'],
      entities: { user_id: ['1', 1.9] },
    })
    expect(columns['user_id']!.values).toEqual([1, 1])
    expect(columns['age']!.values).toEqual([30, 30])
    expect(columns['size']!.values).toEqual([7, 7])
  })

  test('of an alias and the original key the alias counts', async () => {
    const { names, columns } = await ask({
      feature_service: 'both',
      entities: { friend_id: [2], user_id: [1] },
      full_feature_names: true,
    })
    expect(names).toEqual(['friend_id', 'user_id', 'user__age', 'friend__age'])
    expect([columns['user__age']!.values, columns['friend__age']!.values]).toEqual([[30], [40]])
  })

  test('a view that lacks one of its keys is not found, and the others are', async () => {
    const { columns } = await ask({
      features: ['pair:clicks', 'user:age'],
      entities: { user_id: [1, 2] },
    })
    expect(columns['clicks']!.statuses).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(columns['age']!.values).toEqual([30, 40])
  })

  test('requests with other columns share no plan', async () => {
    const rows = filledStore()
    const features = ['user:age']
    expect((await ask({ features, entities: { user_id: [1] } }, { rows })).names).toHaveLength(2)
    const entities = { doc_id: ['x'], user_id: [1] }
    expect((await ask({ features, entities }, { rows })).columns['age']!.values).toEqual([30])
  })
})

describe('with versioning', () => {
  const words = { name: 'user', keys: { user_id: 'INT64' }, features: { age: 'INT32' } } as const
  const versioned = {
    ...smallCatalog([
      { ...words, changes: { version: 2, table: 'user_v2' } },
      { ...words, changes: { version: 1, table: 'user_v1' } },
    ]),
    versioning: true,
  }
  const rows = new MemoryRows()
  rows.put(versioned.views[0]!, [1], { age: 22 }, 0)
  rows.put(versioned.views[1]!, [1], { age: 11 }, 0)

  const askVersions = (features: readonly string[]) =>
    askRaw(
      JSON.stringify({
        features,
        entities: { user_id: [1] },
        full_feature_names: true,
        include_feature_view_version_metadata: true,
      }),
      { rows, served: versioned },
    )

  test('each version is read from its own table, under its own name', async () => {
    const reply = await askVersions(['user:age', 'user@v1:age', 'user@V2:age'])
    const { results, metadata } = JSON.parse(reply.text)
    expect(metadata).toEqual({
      feature_names: ['user_id', 'user__age', 'user@v1__age', 'user@v2__age'],
      feature_view_metadata: [
        { name: 'user', version: 2 },
        { name: 'user', version: 1 },
        { name: 'user', version: 2 },
      ],
    })
    expect(results.map((column: { values: unknown[] }) => column.values[0])).toEqual([
      1, 22, 11, 22,
    ])
  })

  test('a version that never was is a 404', async () => {
    const reply = await askVersions(['user@v7:age'])
    expect(reply.status).toBe(404)
    expect(JSON.parse(reply.text)).toContain('v7')
  })
})

describe('a refusal is a reply that says why', () => {
  const entities = { user_id: [1] }

  test.each([
    ['score:x', 422, "on_demand_feature_view 'score' is not served: it needs Python"],
    ['nope:x', 404, 'FeatureViewNotFoundException'],
    ['user@v2:age', 500, 'online versioning is disabled'],
    ['narrow@latest:size', 500, 'Duplicate features named narrow__size'],
  ])('%s', async (reference, status, words) => {
    const features = ['narrow:size', reference]
    const reply = await askRaw(JSON.stringify({ features, entities, full_feature_names: true }))
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.text)).toContain(words)
  })

  test('a service that holds on-demand views', async () => {
    const reply = await askRaw(JSON.stringify({ feature_service: 'scored', entities }))
    expect(reply.status).toBe(422)
    expect(JSON.parse(reply.text)).toContain('score')
  })

  test('a key of bytes can not come over JSON', async () => {
    const reply = await askRaw('{"features":["raw:kind"],"entities":{"digest":["AP8="]}}')
    expect([reply.status, reply.text]).toEqual([
      500,
      `"Type \`<class 'str'>\` not in {<class 'bytes'>}"`,
    ])
  })

  test.each([
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['endless nesting', `{"entities":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['an endless integer', `{"entities":{"a":[${'9'.repeat(5000)}]}}`],
    [
      'nesting in a column that is shown as it came',
      `{"features":["user:age"],"entities":{"user_id":[1],"doc_id":[${'['.repeat(200)}${']'.repeat(200)}]}}`,
    ],
  ])('%s', async (_, body) => {
    const reply = await askRaw(body)
    expect([reply.status, reply.text]).toEqual([
      400,
      '{"detail":"There was an error parsing the body"}',
    ])
  })

  test('half a surrogate pair is no key', async () => {
    const body = '{"features":["pair:clicks"],"entities":{"user_id":[1],"doc_id":["\\ud800"]}}'
    const reply = await askRaw(body)
    expect(reply.status).toBe(422)
    expect(JSON.parse(reply.text)).toContain('entities')
  })

  test('more rows, columns or features than a request may hold', async () => {
    const many = Array.from({ length: 10_001 }, (_, id) => id)
    const columns = Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`c${at}`, [1]]))
    for (const asked of [
      { features: ['user:age'], entities: { user_id: many } },
      { features: ['user:age'], entities: { ...columns, user_id: [1] } },
    ]) {
      const reply = await askRaw(JSON.stringify(asked))
      expect(reply.status).toBe(413)
      expect(JSON.parse(reply.text)).toContain('at most')
    }
  })
})
