/** The registry that Feast wrote for its own definitions, compared with these definitions by hand. */
import { expect, test } from 'bun:test'
import type { FeatureView } from '../../src/catalog/catalog.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'

const catalog = await openCatalog('test/fixtures/feast/feature_repo')

const columns = (view: FeatureView): string =>
  view.features.map(({ name, type }) => `${name}:${type.name}`).join(' ')

const keys = (view: FeatureView): string =>
  view.joinKeys.map(({ name, type }) => `${name}:${type}`).join(' ')

/** Views of definitions.py in the order of their names: keys, then features in declared order. */
const EXPECTED = [
  [
    'customer_profile',
    'customer_id:STRING',
    'city:STRING orders:INT64 balance:DOUBLE nickname:STRING',
  ],
  [
    'driver_arrays',
    'driver_id:INT64',
    'emb:FLOAT_LIST scores:DOUBLE_LIST ids:INT64_LIST small:INT32_LIST tags:STRING_LIST ' +
      'flags:BOOL_LIST stamps:UNIX_TIMESTAMP_LIST blobs:BYTES_LIST',
  ],
  ['driver_busy', 'driver_id:INT64', 'busy:INT64'],
  ['driver_customer', 'customer_id:STRING driver_id:INT64', 'rides_together:INT64 rating:FLOAT'],
  ['driver_expiring', 'driver_id:INT64', 'short_lived:INT64'],
  [
    'driver_live',
    'driver_id:INT64',
    'speed:DOUBLE passengers:INT64 note:STRING path:DOUBLE_LIST seen_at:UNIX_TIMESTAMP ' +
      'on_duty:BOOL gear:INT32 ratio:FLOAT',
  ],
  ['driver_live_slim', 'driver_id:INT64', 'passengers:INT64'],
  ['driver_off', 'driver_id:INT64', 'off:INT64'],
  ['driver_offline_only', 'driver_id:INT64', 'archived:INT64'],
  [
    'driver_rich',
    'driver_id:INT64',
    'prefs:MAP doc:JSON history:MAP_LIST badges:STRING_SET lucky:INT64_SET ref:UUID ' +
      'price:DECIMAL grid:VALUE_LIST',
  ],
  [
    'driver_stats',
    'driver_id:INT64',
    'conv_rate:FLOAT acc_rate:DOUBLE trips:INT64 cnt:INT32 nickname:STRING active:BOOL ' +
      'last_seen:UNIX_TIMESTAMP blob:BYTES',
  ],
  // The author listed the join key in the schema: Feast stores it as a feature too.
  ['driver_stream', 'driver_id:INT64', 'heat:DOUBLE driver_id:INT64'],
  [
    'driver_wide',
    'driver_id:INT64',
    Array.from({ length: 270 }, (_, i) => `w${String(i).padStart(3, '0')}:INT32`).join(' '),
  ],
  ['global_counters', '', 'gval:INT64 gname:STRING'],
  ['zone_weather', 'zone_no:INT32', 'temp:DOUBLE rain:BOOL label:STRING'],
]

test('every view of the registry is read with its keys and its typed features', () => {
  expect(catalog.views.map((view) => [view.name, keys(view), columns(view)])).toEqual(EXPECTED)
})

test('every name leads to its place', () => {
  catalog.views.forEach((view, position) => {
    expect(view.position).toBe(position)
    expect(catalog.viewsByName.get(view.name)).toBe(view)
    expect(view.table).toBe(view.name)
    expect(view.version).toBe(0)
    expect(view.features.map((feature) => feature.position)).toEqual([...view.features.keys()])
  })
  for (const service of catalog.services) {
    expect(catalog.servicesByName.get(service.name)).toBe(service)
  }
})

const named = (name: string): FeatureView => {
  const view = catalog.viewsByName.get(name)
  if (view === undefined) throw new Error(`no view ${name}`)
  return view
}

test('entities keep their types, and the entity that Feast makes up is left out', () => {
  expect(catalog.entities).toEqual([
    { name: 'customer', joinKey: 'customer_id', type: 'STRING' },
    { name: 'driver', joinKey: 'driver_id', type: 'INT64' },
    { name: 'zone', joinKey: 'zone_no', type: 'INT32' },
  ])
  expect(named('global_counters').entities).toEqual([])
  expect(named('driver_customer').entities).toEqual(['driver', 'customer'])
})

test('what Feast does not serve is marked as it marks it', () => {
  const marks = (view: FeatureView) => [view.online, view.disabled, view.refusedState]
  const marked = catalog.views.filter((view) => marks(view).join() !== 'true,false,')
  expect(marked.map((view) => [view.name, ...marks(view)])).toEqual([
    ['driver_busy', true, false, 'MATERIALIZING'],
    ['driver_off', true, true, ''],
    ['driver_offline_only', false, false, ''],
  ])
})

test('ages, sources and tags of the views are kept', () => {
  const limited = catalog.views.filter((view) => view.ttlUs > 0)
  expect(limited.map(({ name, ttlUs }) => [name, ttlUs])).toEqual([
    ['driver_expiring', 3_600_000_000],
    ['driver_stream', 86_400_000_000],
  ])
  expect(named('driver_stats').tags).toEqual(new Map([['team', 'rides']]))
  expect(named('driver_stats').batchSource).toEqual({
    name: 'driver_stats_source',
    path: 'data/driver_stats_source.parquet',
    format: 'parquet',
    timestampField: 'event_timestamp',
    createdTimestampField: 'created',
    timestampUnit: '',
    fieldMapping: new Map(),
  })
  expect(named('driver_stream').kind).toBe('stream_feature_view')
  expect(named('driver_stream').streamSource).toEqual({
    name: 'driver_kafka',
    kind: 'kafka',
    topic: 'drivers',
    brokers: '127.0.0.1:9092',
    timestampField: 'event_timestamp',
    fieldMapping: new Map(),
  })
  expect(named('driver_rich').features.at(-1)?.nestedType).toBe('Array(Array(INT64))')
})

test('a push source feeds all of its views', () => {
  const fed = [...catalog.pushSources].map(([name, positions]) => [
    name,
    positions.map((position) => catalog.views[position]?.name),
  ])
  expect(fed).toEqual([['driver_push', ['driver_live', 'driver_live_slim']]])
  expect(named('driver_live').streamSource?.kind).toBe('push')
  expect(named('driver_live').batchSource?.path).toBe('data/driver_push_batch.parquet')
})

test('services ask for their features in the order of their definition', () => {
  const services = catalog.services.map((service) => [
    service.name,
    ...service.projections.map((projection) => {
      const view = catalog.views[projection.view]
      const features = projection.features.map((position) => view?.features[position]?.name)
      const renames = [...projection.joinKeyMap].map((pair) => pair.join('->'))
      return [view?.name, projection.alias, features.join(' '), ...renames].join(' | ')
    }),
  ])
  expect(services).toEqual([
    ['svc_alias_key', 'driver_stats |  | trips | driver_id->chauffeur'],
    ['svc_basic', 'driver_stats |  | trips conv_rate', 'customer_profile |  | city orders'],
    ['svc_collide', 'driver_stats |  | nickname', 'customer_profile |  | nickname'],
    ['svc_ondemand', 'driver_stats |  | trips'],
    [
      'svc_pair',
      'driver_customer |  | rides_together rating',
      'driver_stats |  | active',
      'global_counters |  | gval gname',
    ],
    ['svc_precomputed', 'driver_stats |  | trips'],
    ['svc_renamed', 'driver_stats | ds | trips nickname', 'customer_profile | cp | city'],
    [
      'svc_zones',
      'zone_weather | origin | temp rain label | zone_no->origin_no',
      'zone_weather | dest | temp label | zone_no->dest_no',
    ],
  ])
  const special = catalog.services.filter((each) => each.precomputed || each.onDemand.length > 0)
  expect(special.map(({ name, precomputed, onDemand }) => [name, precomputed, onDemand])).toEqual([
    ['svc_ondemand', false, ['trip_score']],
    ['svc_precomputed', true, []],
  ])
  expect(
    new Set(catalog.services.flatMap((each) => each.projections.map((p) => p.versionTag))),
  ).toEqual(new Set([-1]))
})

test('an on-demand view is named as not served, with the reason', () => {
  expect(catalog.notServed).toEqual([
    {
      kind: 'on_demand_feature_view',
      name: 'trip_score',
      reason: 'its values are made by a Python function when they are asked for',
    },
  ])
})

test('the project, its folder and its store come from feature_store.yaml', () => {
  expect(catalog.project).toBe('rideshare')
  expect(catalog.folder.endsWith('test/fixtures/feast/feature_repo')).toBe(true)
  expect(catalog.versioning).toBe(false)
  expect(catalog.onlineStore?.type).toBe('dynamodb')
  expect(catalog.onlineStore?.options.get('region')).toBe('us-east-1')
})

test('every row that Feast wrote fits the view that it was written to', async () => {
  const lines = (await Bun.file('test/fixtures/feast/rows.jsonl').text()).trim().split('\n')
  expect(lines.length).toBe(45)
  for (const line of lines) {
    const row = JSON.parse(line)
    const view = named(row.view)
    expect(row.table).toBe(`${catalog.project}.${view.table}`)
    for (const { name, type } of view.joinKeys) expect(row.keys[name].type).toBe(type)
    for (const [name, value] of Object.entries<{ type: string } | null>(row.values)) {
      const feature = view.features.find((each) => each.name === name)
      if (value !== null && value.type !== 'NULL')
        expect<string | undefined>(feature?.type.name).toBe(value.type)
      else expect(feature).toBeDefined()
    }
  }
})
