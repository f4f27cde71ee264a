/** What a person and a program are told of a catalog. */
import { expect, test } from 'bun:test'
import { catalogToJson, describeCatalog } from '../../src/catalog/describe-catalog.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { readFeaturesYaml } from '../../src/catalog/read-features-yaml.ts'

const OURS = readFeaturesYaml(
  `project: p
entities: [{ name: user, join_key: user_id, value_type: Int64 }]
feature_views:
  - name: clicks
    entities: [user]
    ttl: 1h
    partial: true
    features:
      - { name: n, type: Int64, default: 9007199254740993 }
      - { name: embedding, type: Array(Float32) }
    source: { path: data/*.parquet }
    push_source: live
  - name: totals
    online: false
    features: [{ name: all, type: Bytes, default: AP8= }]
feature_services:
  - name: rank
    features: [{ view: clicks, features: [n], alias: c, join_key_map: { user_id: member } }]
`,
  { file: 'features.yaml', folder: '/' },
)

test('a catalog in words', () => {
  expect(describeCatalog(OURS)).toBe(`project p, read from features.yaml
digest  ${OURS.digest}

entities (1)
  user: user_id Int64

feature views (2)
  clicks: user_id Int64
      ttl 1h
      partial writes
      from data/*.parquet, time in event_timestamp
      pushed to by live
    n          Int64 = "9007199254740993"
    embedding  Array(Float32)
  totals: no key, one row
      not served: online is false
    all  Bytes = "AP8="

feature services (1)
  rank
    clicks as c (user_id asked for as member): n

push sources (1)
  live: clicks`)
})

test('the JSON form has the keys of features.yaml and survives JSON', () => {
  const json = catalogToJson(OURS)
  expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  expect(json['entities']).toEqual([{ name: 'user', join_key: 'user_id', value_type: 'Int64' }])
  expect(json['feature_services']).toEqual([
    {
      name: 'rank',
      features: [
        {
          view: 'clicks',
          version: null,
          alias: 'c',
          features: ['n'],
          join_key_map: { user_id: 'member' },
        },
      ],
      precomputed: false,
      on_demand: [],
    },
  ])
  expect(json['feature_views']).toMatchObject([
    {
      name: 'clicks',
      join_keys: [{ name: 'user_id', value_type: 'Int64' }],
      features: [
        { name: 'n', type: 'Int64', value_type: 'INT64', default: '9007199254740993' },
        { name: 'embedding', type: 'Array(Float32)', value_type: 'FLOAT_LIST' },
      ],
      ttl_seconds: 3600,
      partial: true,
      source: { path: 'data/*.parquet', timestamp_field: 'event_timestamp' },
      stream_source: { kind: 'push', name: 'live' },
    },
    { name: 'totals', ttl_seconds: null, online: false, source: null },
  ])
  expect(json['push_sources']).toEqual({ live: ['clicks'] })
})

test('what is not served is told with its reason', async () => {
  const catalog = await openCatalog('test/fixtures/feast/registry.db')
  const reason = 'its values are made by a Python function when they are asked for'
  expect(catalogToJson(catalog)['not_served']).toEqual([
    { kind: 'on_demand_feature_view', name: 'trip_score', reason },
  ])
  const lines = describeCatalog(catalog).split('\n')
  expect(lines).toContain(`  on_demand_feature_view trip_score: ${reason}`)
  expect(lines).toContain('      not served: in state MATERIALIZING')
  expect(lines).toContain('      not served: disabled')
  expect(lines).toContain('      not served: holds on-demand view trip_score')
  expect(lines).toContain('    grid     Array(Array(Int64))')
  expect(JSON.parse(JSON.stringify(catalogToJson(catalog)))).toEqual(catalogToJson(catalog))
})
