/** Feast's configuration: what of it counts, and what is refused by name. */
import { expect, test } from 'bun:test'
import type { Environment } from '../../src/catalog/read-feature-store-yaml.ts'
import { readFeatureStoreYaml } from '../../src/catalog/read-feature-store-yaml.ts'
import { faultLines, faultOf } from './catalog-faults.ts'

const read = (text: string, environment: Environment = {}) =>
  readFeatureStoreYaml(text, { file: 'feature_store.yaml', folder: '/repo' }, environment)

test('a path is enough of a registry, and starts in the folder of the file', () => {
  expect(read('project: p\nregistry: data/registry.db\n')).toEqual({
    project: 'p',
    registryUri: '/repo/data/registry.db',
    versioning: false,
    servesMaterializing: false,
    onlineStore: { type: 'sqlite', options: new Map() },
  })
  expect(read('project: p\nregistry: /abs/r.db\n').registryUri).toBe('/abs/r.db')
  expect(read('project: p\nregistry: file:///abs/r.db\n').registryUri).toBe('/abs/r.db')
  expect(read('project: p\nregistry: s3://bucket/r.db\n').registryUri).toBe('s3://bucket/r.db')
})

test('the registry map switches versions on, and the online store keeps its options', () => {
  const store = read(`
project: p
provider: aws
registry:
  registry_type: file
  path: ../r.db
  cache_ttl_seconds: 600
  enable_online_feature_view_versioning: yes
  serve_features_while_materializing: true
online_store:
  type: dynamodb
  region: eu-west-1
  batch_size: 100
  consistent_reads: true
  tags: { team: rides }
feature_server: { type: local }
entity_key_serialization_version: 3
`)
  expect(store).toMatchObject({ registryUri: '/r.db', versioning: true, servesMaterializing: true })
  expect(store.onlineStore).toEqual({
    type: 'dynamodb',
    options: new Map<string, never>(
      Object.entries({
        region: 'eu-west-1',
        batch_size: 100,
        consistent_reads: true,
        tags: { team: 'rides' },
      }) as never,
    ),
  })
  expect(read('project: p\nregistry: r\nonline_store: null\n').onlineStore).toBeUndefined()
  expect(read('project: p\nregistry: r\nonline_store: redis\n').onlineStore?.type).toBe('redis')
})

test('variables of the environment are put in as Python does it', () => {
  const text =
    'project: $P\nregistry: ${DIR}/r.db\nonline_store: { type: dynamodb, endpoint_url: "${URL}$X" }\n'
  const store = read(text, { P: 'rides', DIR: '/data', URL: 'http://localhost:1' })
  expect(store.project).toBe('rides')
  expect(store.registryUri).toBe('/data/r.db')
  expect(store.onlineStore?.options.get('endpoint_url')).toBe('http://localhost:1$X')
})

test('every fault is told at once, with its place', () => {
  const text = `project: my-project
registry:
  registry_type: sql
  path: postgresql://host/db
  enable_online_feature_view_versioning: maybe
online_store: [dynamodb]
entity_key_serialization_version: 2
`
  expect(faultLines(() => read(text))).toEqual([
    'feature_store.yaml:1:10: project is the text "my-project"',
    'feature_store.yaml:3:18: an SQL registry is not read yet',
    'feature_store.yaml:5:42: registry.enable_online_feature_view_versioning is the text "maybe"',
    'feature_store.yaml:6:15: online_store is a list of 1',
    'feature_store.yaml:7:35: entity_key_serialization_version 2 is not served',
  ])
})

test('registries that are not one local file are refused by name', () => {
  const line = (registry: string) =>
    faultLines(() => read(`project: p\nregistry: ${registry}\n`))[0]
  expect(line('{ registry_type: remote, path: "host:6570" }')).toEndWith(
    'a remote registry is not read yet',
  )
  expect(line('{ registry_type: snowflake.registry, path: x }')).toEndWith(
    'a Snowflake registry is not read yet',
  )
  expect(line('{ registry_type: my.Registry, path: x }')).toEndWith(
    'a registry of type "my.Registry" is not read yet',
  )
  expect(line('gs://bucket/r.db')).toBe(
    'feature_store.yaml:2:11: a registry at gs:// is not read yet',
  )
  expect(line('{ path: hdfs://x }')).toBe(
    'feature_store.yaml:2:19: a registry at hdfs:// is not read yet',
  )
  expect(line('$HOME_OF_REGISTRY/r.db')).toBe(
    "feature_store.yaml:2:11: the registry's path holds $HOME_OF_REGISTRY, which the environment does not set",
  )
  expect(line('{}')).toBe('feature_store.yaml:2:11: registry.path is missing')
  expect(line('7')).toBe('feature_store.yaml:2:11: registry is the number 7')
})

test('what is left out and needed is named', () => {
  expect(faultLines(() => read('provider: local\n'))).toEqual([
    'feature_store.yaml:1:1: project is missing',
    'feature_store.yaml:1:1: registry is missing',
  ])
  expect(
    faultOf(() => read('project: p\nregistry: r\nentity_key_serialization_version: three\n'))
      .faults,
  ).toHaveLength(1)
  expect(faultOf(() => read('project: _p\nregistry: r\n')).faults).toHaveLength(1)
})
