/** Registries that the fixture does not hold: built field by field, and broken ones. */
import { expect, test } from 'bun:test'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { create, toBinary } from '@bufbuild/protobuf'
import { Fault } from '../../src/base/fault.ts'
import type { FeatureViewSchema } from '../../src/catalog/feast-registry_pb.ts'
import {
  FeatureViewSchema as ViewSchema,
  FileFormatSchema,
  RegistrySchema,
  SourceType,
  ViewState,
} from '../../src/catalog/feast-registry_pb.ts'
import type { RegistryReading } from '../../src/catalog/read-registry.ts'
import { readRegistry } from '../../src/catalog/read-registry.ts'
import { VALUE_TYPES } from '../../src/catalog/value-type.ts'
import { faultLines, faultOf } from './catalog-faults.ts'

type RegistryInit = Exclude<MessageInitShape<typeof RegistrySchema>, { $typeName: string }>
type ViewInit = Exclude<MessageInitShape<typeof FeatureViewSchema>, { $typeName: string }>
type SpecInit = Exclude<NonNullable<ViewInit['spec']>, { $typeName: string }>

const READING: RegistryReading = {
  project: 'p',
  origin: 'registry.db',
  folder: '/',
  versioning: false,
  servesMaterializing: false,
  onlineStore: undefined,
}

const INT64 = 4
const STRING = 2

const encode = (registry: RegistryInit): Uint8Array =>
  toBinary(RegistrySchema, create(RegistrySchema, registry))

const read = (registry: RegistryInit, reading: Partial<RegistryReading> = {}) =>
  readRegistry(encode(registry), { ...READING, ...reading })

/** A view `name` of project p with key `k` INT64 and feature `f` INT64, but for what is given. */
const viewInit = (name: string, spec: SpecInit = {}, meta: ViewInit['meta'] = {}): ViewInit => ({
  spec: {
    name,
    project: 'p',
    entities: ['e'],
    entityColumns: [{ name: 'k', valueType: INT64 }],
    features: [{ name: 'f', valueType: INT64 }],
    online: true,
    ...spec,
  },
  meta,
})

const reasons = (registry: RegistryInit, reading: Partial<RegistryReading> = {}): string[] =>
  read(registry, reading).notServed.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`)

test('objects of other projects are left out', () => {
  const catalog = read({
    featureViews: [viewInit('mine'), viewInit('other', { project: 'q' })],
    entities: [
      { spec: { name: 'e', joinKey: 'k', valueType: INT64, project: 'p' } },
      { spec: { name: 'x', joinKey: 'y', valueType: INT64, project: 'q' } },
    ],
    featureServices: [{ spec: { name: 's', project: 'q' } }],
    onDemandFeatureViews: [{ spec: { name: 'o', project: 'q' } }],
  })
  expect(catalog.views.map(({ name }) => name)).toEqual(['mine'])
  expect(catalog.entities.map(({ name }) => name)).toEqual(['e'])
  expect(catalog.services).toEqual([])
  expect(catalog.notServed).toEqual([])
})

test('without a project the only one is taken, and of several none', () => {
  expect(read({ projects: [{ spec: { name: 'solo' } }] }, { project: '' }).project).toBe('solo')
  const two = { projects: [{ spec: { name: 'b' } }, { spec: { name: 'a' } }] }
  expect(faultLines(() => read(two, { project: '' }))).toEqual([
    'registry.db: the registry holds 2 projects, and nothing says which is meant: a, b',
  ])
  const fault = faultOf(() => read(two, { project: 'c' }))
  expect(fault.message).toBe('the registry has no project "c"')
  expect(fault.allowed).toBe('a, b')
})

test('every type that can be stored is served, and no other', () => {
  for (let number = 0; number <= 60; number++) {
    const catalog = read({
      featureViews: [viewInit('v', { features: [{ name: 'f', valueType: number }] })],
    })
    const isBytes = number === 30 || number === 31 // PDF and image bytes
    const type = isBytes ? 'BYTES' : VALUE_TYPES.find((each) => each.number === number)?.name
    expect<string | undefined>(catalog.views[0]?.features[0]?.type.name).toBe(type)
    expect(catalog.notServed.length).toBe(type === undefined ? 1 : 0)
  }
})

test('a view that can not be served hides no other, and says why', () => {
  const lines = reasons({
    featureViews: [
      viewInit('fine'),
      viewInit('scalar_map', { features: [{ name: 'm', valueType: 47 }] }),
      viewInit('future', { features: [{ name: 'm', valueType: 99 }] }),
      viewInit('float_key', { entityColumns: [{ name: 'k', valueType: 6 }] }),
      viewInit('twice', {
        features: [
          { name: 'f', valueType: 2 },
          { name: 'f', valueType: 3 },
        ],
      }),
      viewInit('key_twice', {
        entityColumns: [
          { name: 'k', valueType: 2 },
          { name: 'k', valueType: 2 },
        ],
      }),
      viewInit('empty', { features: [] }),
      viewInit('n'.repeat(256)),
    ],
    streamFeatureViews: [{ spec: { name: 'fine', project: 'p' } }],
  })
  expect(lines.map((line) => line.replace(/n{256}/, 'n*256'))).toEqual([
    'feature_view empty: it has no features',
    'stream_feature_view fine: its name is taken by another view',
    'feature_view float_key: its join key "k" is FLOAT, and Feast\'s keys hold no such type',
    'feature_view future: its feature "m" is of type number 99, which can\'t be stored',
    'feature_view key_twice: it has join key "k" twice',
    'feature_view n*256: its name is longer than 255 bytes',
    'feature_view scalar_map: its feature "m" is SCALAR_MAP, which can\'t be stored',
    'feature_view twice: it has feature "f" twice',
  ])
})

test('a service that needs what is not served is not served', () => {
  const columns = [{ name: 'f', valueType: INT64 }]
  const service = (name: string, features: object[]) => ({ spec: { name, project: 'p', features } })
  const registry = {
    featureViews: [viewInit('v'), viewInit('m', { features: [{ name: 'f', valueType: 47 }] })],
    onDemandFeatureViews: [{ spec: { name: 'o', project: 'p' } }],
    featureServices: [
      service('good', [{ featureViewName: 'v', featureColumns: columns }]),
      service('half', [
        { featureViewName: 'v', featureColumns: columns },
        { featureViewName: 'o' },
      ]),
      service('gone', [{ featureViewName: 'w', featureColumns: columns }]),
      service('map', [{ featureViewName: 'm', featureColumns: columns }]),
      service('stale', [{ featureViewName: 'v', featureColumns: [{ name: 'old' }] }]),
      service('versioned', [{ featureViewName: 'v', featureColumns: columns, versionTag: 2 }]),
    ],
  }
  const catalog = read(registry)
  expect(catalog.services.map(({ name, onDemand }) => [name, onDemand])).toEqual([
    ['good', []],
    ['half', ['o']],
  ])
  expect(reasons(registry).filter((line) => line.startsWith('feature_service'))).toEqual([
    'feature_service gone: there is no feature view "w"',
    'feature_service map: feature view "m" is not served: its feature "f" is SCALAR_MAP, which can\'t be stored',
    'feature_service stale: it asks for feature "old", which feature view "v" does not have',
    'feature_service versioned: it asks for version 2 of "v", and versioning is off',
  ])
})

test('join keys stand in the order of their UTF-8 bytes', () => {
  const names = ['\u{1F600}', 'b', '\uFFEE', 'a', 'B']
  const entityColumns = names.map((name) => ({ name, valueType: STRING }))
  const [view] = read({ featureViews: [viewInit('v', { entityColumns })] }).views
  expect(view?.joinKeys.map(({ name }) => name)).toEqual(['B', 'a', 'b', '\uFFEE', '\u{1F600}'])
})

test('a view without entity columns takes its keys from its entities', () => {
  const registry = {
    entities: [{ spec: { name: 'e', joinKey: 'id', valueType: STRING, project: 'p' } }],
    featureViews: [
      viewInit('old', { entityColumns: [] }),
      viewInit('global', { entityColumns: [], entities: [] }),
      viewInit('dummy', { entityColumns: [], entities: ['__dummy'] }),
      viewInit('lost', { entityColumns: [], entities: ['nobody'] }),
    ],
  }
  const catalog = read(registry)
  expect(catalog.views.map(({ name, joinKeys }) => [name, joinKeys])).toEqual([
    ['dummy', []],
    ['global', []],
    ['old', [{ name: 'id', type: 'STRING' }]],
  ])
  expect(reasons(registry)).toEqual([
    'feature_view lost: its join key "nobody" is UNKNOWN, and Feast\'s keys hold no such type',
  ])
})

test('a label view is fed by its one source, pushed or not', () => {
  const features = [{ name: 'f', valueType: INT64 }]
  const label = (name: string, source: object) => ({
    spec: { name, project: 'p', entities: [], features, online: true, source },
  })
  const batchSource = {
    type: SourceType.BATCH_FILE,
    name: 'b',
    fileOptions: { uri: 'file:///data/x.parquet' },
  }
  const catalog = read({
    labelViews: [
      label('filed', batchSource),
      label('pushed', { type: SourceType.PUSH_SOURCE, name: 'push', batchSource }),
    ],
    featureViews: [viewInit('v', { streamSource: { type: SourceType.PUSH_SOURCE, name: 'push' } })],
  })
  const found = catalog.views.map(({ name, kind, batchSource: batch, streamSource: stream }) => [
    name,
    kind,
    batch?.path,
    stream?.kind,
  ])
  expect(found).toEqual([
    ['filed', 'label_view', '/data/x.parquet', undefined],
    ['pushed', 'label_view', '/data/x.parquet', 'push'],
    ['v', 'feature_view', undefined, 'push'],
  ])
  expect(catalog.pushSources).toEqual(new Map([['push', [1, 2]]]))
})

test('a table of a warehouse, or a folder in another format, has no path of files', () => {
  const fileOptions = { uri: 'data/x' }
  const delta = create(FileFormatSchema)
  delta.$unknown = [{ no: 3, wireType: 2, data: Uint8Array.of(0) }] // no field of ours
  const source = (type: SourceType, options: object) => ({
    type,
    name: 's',
    timestampField: 't',
    ...options,
  })
  const catalog = read({
    featureViews: [
      viewInit('a', { batchSource: source(SourceType.BATCH_SNOWFLAKE, {}) }),
      viewInit('b', {
        batchSource: source(SourceType.BATCH_FILE, {
          fileOptions: { ...fileOptions, fileFormat: { parquetFormat: {} } },
        }),
      }),
      viewInit('c', {
        batchSource: source(SourceType.BATCH_FILE, {
          fileOptions: { ...fileOptions, fileFormat: delta },
        }),
      }),
    ],
  })
  expect(
    catalog.views.map((view) => [view.name, view.batchSource?.path, view.batchSource?.format]),
  ).toEqual([
    ['a', '', ''],
    ['b', 'data/x', 'parquet'],
    ['c', '', ''],
  ])
})

test("states refuse reads, and Feast's own switch opens the one of materializing", () => {
  const states = [
    ViewState.UNSPECIFIED,
    ViewState.CREATED,
    ViewState.GENERATED,
    ViewState.MATERIALIZING,
    ViewState.AVAILABLE_ONLINE,
  ]
  const registry = { featureViews: states.map((state) => viewInit(`v${state}`, {}, { state })) }
  const refused = (servesMaterializing: boolean) =>
    read(registry, { servesMaterializing }).views.map((view) => view.refusedState)
  expect(refused(false)).toEqual(['', 'CREATED', 'GENERATED', 'MATERIALIZING', ''])
  expect(refused(true)).toEqual(['', 'CREATED', 'GENERATED', '', ''])
})

const versionedRegistry = (): RegistryInit => {
  const record = (version: number, type: number) => ({
    featureViewName: 'v',
    projectId: 'p',
    versionNumber: version,
    featureViewType: 'feature_view',
    featureViewProto: toBinary(
      ViewSchema,
      create(ViewSchema, viewInit('v', { features: [{ name: 'f', valueType: type }] })),
    ),
  })
  return {
    featureViews: [viewInit('v', {}, { currentVersionNumber: 2 }), viewInit('w')],
    featureViewVersionHistory: {
      records: [record(0, STRING), record(1, 6), record(2, INT64), record(3, 47)],
    },
    featureServices: [
      {
        spec: {
          name: 's',
          project: 'p',
          features: [{ featureViewName: 'v', featureColumns: [{ name: 'f' }], versionTag: 1 }],
        },
      },
    ],
  }
}

test('with versioning each version of a view is a view with its own types and table', () => {
  const catalog = read(versionedRegistry(), { versioning: true })
  const found = catalog.views.map(({ name, version, table, features }) => [
    name,
    version,
    table,
    features[0]?.type.name,
  ])
  expect(found).toEqual([
    ['v', 2, 'v_v2', 'INT64'],
    ['w', 0, 'w', 'INT64'],
    ['v', 0, 'v', 'STRING'],
    ['v', 1, 'v_v1', 'FLOAT'],
  ])
  expect(catalog.viewsByName.get('v')?.version).toBe(2)
  expect(catalog.services[0]?.projections[0]).toMatchObject({ view: 3, versionTag: 1 })
  expect(catalog.notServed.map(({ name }) => name)).toEqual(['v@v3'])
})

test('without versioning a version number changes nothing', () => {
  const catalog = read(versionedRegistry())
  expect(catalog.views.map(({ name, version, table }) => [name, version, table])).toEqual([
    ['v', 0, 'v'],
    ['w', 0, 'w'],
  ])
})

test('tags say what Feast has no word for', () => {
  const tags = {
    'salver.partial': 'True',
    'salver.wide': 'false',
    'salver.cache_max_staleness': '1500ms',
    'salver.stale_if_error': 'true',
    'salver.freshness_slo': '15m',
    team: 'rides',
  }
  const [view] = read({ featureViews: [viewInit('v', { tags })] }).views
  expect(view).toMatchObject({
    partial: true,
    wide: false,
    cacheMaxStalenessMs: 1500,
    staleIfError: true,
    freshnessSloUs: 900_000_000,
  })
  expect(view?.tags.get('team')).toBe('rides')
})

test('every faulty tag of every view is told at once', () => {
  const registry = {
    featureViews: [
      viewInit('v', { tags: { 'salver.partial': 'maybe', 'salver.freshnes_slo': '1h' } }),
      viewInit('w', { tags: { 'salver.cache_max_staleness': 'soon' } }),
    ],
  }
  expect(faultLines(() => read(registry)).toSorted()).toEqual([
    'registry.db: feature_view "v": tag "salver.freshnes_slo" is unknown (did you mean "salver.freshness_slo"?)',
    'registry.db: feature_view "v": tag "salver.partial" is "maybe"',
    'registry.db: feature_view "w": tag "salver.cache_max_staleness" is "soon"',
  ])
})

test('a ttl is kept to the microsecond, and one past 285 years is none', () => {
  const ttls = [
    { seconds: 1n, nanos: 500_000_000 },
    { seconds: 315_576_000_000n },
    { seconds: -5n },
  ]
  const catalog = read({ featureViews: ttls.map((ttl, i) => viewInit(`v${i}`, { ttl })) })
  expect(catalog.views.map(({ ttlUs }) => ttlUs)).toEqual([1_500_000, 0, 0])
})

const fixture = await Bun.file('test/fixtures/feast/registry.db').bytes()
const readFixture = (bytes: Uint8Array) => readRegistry(bytes, { ...READING, project: 'rideshare' })

test('fields of a newer Feast are passed over', () => {
  const unknown = Uint8Array.of(0xfa, 0x3e, 2, 7, 7, 0xf8, 0x3e, 1) // fields 1007, two kinds
  const catalog = readFixture(new Uint8Array(Buffer.concat([fixture, unknown])))
  expect(catalog.digest).toBe(readFixture(fixture).digest)
})

test('the order in which Feast keeps its objects does not show', () => {
  const registry = (turn: <T>(list: T[]) => T[]): RegistryInit => ({
    featureViews: turn([viewInit('a'), viewInit('b'), viewInit('c')]),
    entities: turn([
      { spec: { name: 'e', joinKey: 'k', valueType: INT64, project: 'p' } },
      { spec: { name: 'x', joinKey: 'y', valueType: INT64, project: 'p' } },
    ]),
    onDemandFeatureViews: turn([
      { spec: { name: 'o', project: 'p' } },
      { spec: { name: 'n', project: 'p' } },
    ]),
  })
  const digest = read(registry((list) => list)).digest
  expect(read(registry((list) => list.toReversed())).digest).toBe(digest)
  expect(read({ ...registry((list) => list), entities: [] }).digest).not.toBe(digest)
})

test('what is no registry is a fault that says so', () => {
  const sqlite = Buffer.from('SQLite format 3\0 and so on')
  expect(faultLines(() => readFixture(sqlite))).toEqual([
    'registry.db: this is an SQLite database: sql registries are not read yet',
  ])
  expect(faultLines(() => readFixture(Buffer.from('project: rideshare\n')))).toEqual([
    "registry.db: these bytes are not Feast's registry",
  ])
  expect(faultLines(() => readFixture(new Uint8Array()))).toEqual([
    'registry.db: the registry has no project "rideshare"',
  ])
})

test('a damaged registry gives a catalog or a fault, never another error', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const steps = Number(process.env['STEPS'] ?? 300)
  console.log(`SEED=${seed} STEPS=${steps}`)
  let state = seed + 1
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  let faults = 0
  for (let step = 0; step < steps; step++) {
    const bytes = fixture.slice(0, step % 2 === 0 ? random(fixture.length) : fixture.length)
    for (let flips = random(4); flips >= 0 && bytes.length > 0; flips--)
      bytes[random(bytes.length)] = random(256)
    try {
      readRegistry(bytes, { ...READING, project: 'rideshare', versioning: step % 3 === 0 })
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
      faults++
    }
  }
  expect(faults).toBeGreaterThan(0)
  expect(readFixture(fixture).views.length).toBe(15)
}, 600_000)
