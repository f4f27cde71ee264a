/** features.yaml: what it gives, and that every fault is told in its place. */
import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { Catalog, FeatureView } from '../../src/catalog/catalog.ts'
import * as fields from '../../src/catalog/features-fields.ts'
import { readFeaturesYaml } from '../../src/catalog/read-features-yaml.ts'
import { coerceValue } from '../../src/row/value.ts'
import { faultLines, faultOf } from './catalog-faults.ts'

const read = (text: string): Catalog => readFeaturesYaml(text, { file: 'f.yaml', folder: '/repo' })

const FLIGHTS = `
project: flights
entities:
  - { name: airport, value_type: String }
  - { name: origin, join_key: from, value_type: string }
  - { name: day, value_type: INT32 }
feature_views:
  - name: airport_delay
    entities: [airport]
    ttl: 24h
    features:
      - { name: mean_1h, type: Float32, default: 0 }
      - { name: flights, type: Int64, default: 9007199254740993 }
      - { name: carriers, type: Set(String), default: [AA, DL] }
      - name: history
        type: Array(Array(Int64))
        description: of the last days
    source:
      path: data/airport/*.parquet
      timestamp_field: time
      created_timestamp_column: made
      field_mapping: { code: airport, mean: mean_1h }
    push_source: live
    cache_max_staleness: 500ms
    freshness_slo: 900
    stale_if_error: true
    tags: { team: ops }
  - name: route_day
    entities: [origin, airport, day]
    features:
      - { name: late, type: bool }
    source: { format: csv, timestamp_unit: ms }
    stream_source: { topic: routes, kafka_bootstrap_servers: 'localhost:9092' }
    push_source: live
    partial: true
    wide: true
  - name: totals
    online: false
    features: [{ name: 7d_mean, type: DOUBLE }]
feature_services:
  - name: ranking
    features:
      - route_day
      - view: airport_delay
        features: [flights, mean_1h]
        alias: arrival
        join_key_map: { airport: to }
`

const named = (catalog: Catalog, name: string): FeatureView => {
  const view = catalog.viewsByName.get(name)
  if (view === undefined) throw new Error(`no view ${name}`)
  return view
}

test('a view has its keys in key order, its typed features and its defaults', () => {
  const catalog = read(FLIGHTS)
  expect(catalog.entities).toEqual([
    { name: 'airport', joinKey: 'airport', type: 'STRING' },
    { name: 'origin', joinKey: 'from', type: 'STRING' },
    { name: 'day', joinKey: 'day', type: 'INT32' },
  ])
  expect(named(catalog, 'route_day').joinKeys).toEqual([
    { name: 'airport', type: 'STRING' },
    { name: 'day', type: 'INT32' },
    { name: 'from', type: 'STRING' },
  ])
  const { features } = named(catalog, 'airport_delay')
  expect(features.map(({ name, position, type }) => [name, position, type.name])).toEqual([
    ['mean_1h', 0, 'FLOAT'],
    ['flights', 1, 'INT64'],
    ['carriers', 2, 'STRING_SET'],
    ['history', 3, 'VALUE_LIST'],
  ])
  expect(features.map(({ defaultValue }) => defaultValue)).toEqual([
    0,
    9007199254740993n,
    ['AA', 'DL'],
    undefined,
  ])
  expect(features[3]?.nestedType).toBe('Array(Array(INT64))')
})

test('sources and options of a view are kept', () => {
  const catalog = read(FLIGHTS)
  expect(named(catalog, 'airport_delay')).toMatchObject({
    position: 0,
    table: 'airport_delay',
    ttlUs: 86_400_000_000,
    cacheMaxStalenessMs: 500,
    freshnessSloUs: 900_000_000,
    staleIfError: true,
    partial: false,
    online: true,
    tags: new Map([['team', 'ops']]),
    batchSource: {
      path: 'data/airport/*.parquet',
      format: '',
      timestampField: 'time',
      createdTimestampField: 'made',
      fieldMapping: new Map([
        ['code', 'airport'],
        ['mean', 'mean_1h'],
      ]),
    },
    streamSource: { name: 'live', kind: 'push' },
  })
  expect(named(catalog, 'route_day')).toMatchObject({
    partial: true,
    wide: true,
    batchSource: {
      path: '',
      format: 'csv',
      timestampField: 'event_timestamp',
      timestampUnit: 'ms',
    },
    streamSource: { kind: 'kafka', topic: 'routes', brokers: 'localhost:9092' },
  })
  expect(named(catalog, 'totals')).toMatchObject({
    online: false,
    joinKeys: [],
    batchSource: undefined,
  })
  expect(catalog.pushSources).toEqual(new Map([['live', [0, 1]]]))
  expect(catalog.folder).toBe('/repo')
})

test('a service names views, some features of them, aliases and renamed keys', () => {
  const service = read(FLIGHTS).servicesByName.get('ranking')
  expect(service?.projections).toEqual([
    { view: 1, alias: '', versionTag: -1, features: [0], joinKeyMap: new Map() },
    {
      view: 0,
      alias: 'arrival',
      versionTag: -1,
      features: [1, 0],
      joinKeyMap: new Map([['airport', 'to']]),
    },
  ])
})

test('the example of the reference page is a catalog, and the page names every key', async () => {
  const page = await Bun.file('src/catalog/features-yaml.md').text()
  const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''
  const catalog = read(example)
  expect(catalog.views.map(({ name }) => name)).toEqual(['airport_delay', 'route_delay'])
  expect(catalog.servicesByName.get('ranking')?.projections).toHaveLength(2)
  const shapes = [
    fields.CATALOG_FIELDS,
    fields.ENTITY_FIELDS,
    fields.VIEW_FIELDS,
    fields.FEATURE_FIELDS,
    fields.SOURCE_FIELDS,
    fields.STREAM_SOURCE_FIELDS,
    fields.SERVICE_FIELDS,
    fields.PROJECTION_FIELDS,
  ]
  const keys = shapes.flatMap((shape) => Object.keys(shape))
  expect(keys.filter((key) => !page.includes(`\`${key}\``) && !page.includes(`${key}:`))).toEqual(
    [],
  )
})

test('anchors stand for what they name', () => {
  const catalog = read(`
project: p
entities: []
feature_views:
  - { name: a, features: &list [{ name: x, type: Float32 }] }
  - { name: b, features: *list }
`)
  expect(named(catalog, 'b').features).toEqual(named(catalog, 'a').features)
})

test('all faults of a file are told at once, each in its place', () => {
  const text = `project: my-flights
entities:
  - { name: airport, value_type: Float32 }
  - { name: airport, value_type: string }
  - { name: 7up, join_key: a b, value_type: Strin }
feature_views:
  - name: delay
    entities: [airport, arport, airport]
    ttl: 24 hours
    features:
      - { name: mean, type: Float32, default: abc }
      - { name: mean, type: Flot64 }
      - { name: airport, type: Int64 }
      - nme: x
    sorce: {}
    source: { path: 3, format: csvx, field_mapping: { a: men, b: mean, c: mean } }
    stream_source: { topic: t }
    tags: { a: 1 }
    partial: yes
  - 7
  - name: delay
    features: []
tll: 1
project: x
feature_services:
  - name: s
    features: [dely, { view: delay, features: [mean, men, mean], join_key_map: { x: y } }, delay]
  - features: []
`
  expect(faultLines(() => read(text))).toEqual([
    'f.yaml:1:10: project is the text "my-flights"',
    'f.yaml:3:34: "Float32" is no type that a key can have',
    'f.yaml:4:13: entity "airport" is declared twice, first at f.yaml:3:13',
    'f.yaml:5:13: entities[2].name is the text "7up"',
    'f.yaml:5:28: entities[2].join_key is the text "a b"',
    'f.yaml:5:45: "Strin" is no type',
    'f.yaml:8:25: there is no entity "arport" (did you mean "airport"?)',
    'f.yaml:8:33: join key "airport" stands in this view\'s key twice',
    'f.yaml:9:10: feature_views[0].ttl is the text "24 hours"',
    'f.yaml:11:47: the default is the text "abc", the type Float32',
    'f.yaml:12:17: feature "mean" is declared twice, first at f.yaml:11:17',
    'f.yaml:12:29: "Flot64" is no type that can be stored (did you mean "Float64"?)',
    'f.yaml:13:17: feature "airport" has the name of a join key of its view',
    'f.yaml:14:9: feature_views[0].features[3].nme is no key here (did you mean "name"?)',
    'f.yaml:14:9: feature_views[0].features[3].name is missing',
    'f.yaml:14:9: feature_views[0].features[3].type is missing',
    'f.yaml:15:5: feature_views[0].sorce is no key here (did you mean "source"?)',
    'f.yaml:16:21: feature_views[0].source.path is the number 3',
    'f.yaml:16:32: feature_views[0].source.format is the text "csvx"',
    'f.yaml:16:58: the view has no feature or join key "men" (did you mean "mean"?)',
    'f.yaml:16:75: "mean" is filled from column "b" already',
    'f.yaml:17:20: feature_views[0].stream_source.kafka_bootstrap_servers is missing',
    'f.yaml:18:16: feature_views[0].tags.a is the number 1',
    'f.yaml:19:14: feature_views[0].partial is the text "yes"',
    'f.yaml:20:5: feature_views[1] is the number 7',
    'f.yaml:21:11: feature view "delay" is declared twice, first at f.yaml:7:11',
    'f.yaml:22:15: feature_views[2].features is an empty list',
    'f.yaml:23:1: tll is no key here',
    'f.yaml:24:1: this key stands here for the second time',
    'f.yaml:27:16: there is no feature view "dely" (did you mean "delay"?)',
    'f.yaml:27:54: feature view "delay" has no feature "men" (did you mean "mean"?)',
    'f.yaml:27:59: feature "mean" is listed twice',
    'f.yaml:27:85: feature view "delay" has no join key "x"',
    'f.yaml:27:92: "delay" stands in this service twice',
    'f.yaml:28:5: feature_services[1].name is missing',
    'f.yaml:28:15: feature_services[1].features is an empty list',
  ])
})

test('the one fault thrown says how many there are, and each of them what is allowed', () => {
  const fault = faultOf(() =>
    read('project: p\nfeature_views:\n  - { name: v, ttl: soon, features: 1 }\n'),
  )
  expect(fault.code).toBe('catalog_invalid')
  expect(fault.where).toBe('f.yaml')
  expect(fault.message).toBe('2 faults, the first at f.yaml:3:21')
  expect(fault.faults.map(({ code, allowed }) => [code, allowed])).toEqual([
    ['catalog_invalid', 'a length such as 500ms, 90s, 15m, 24h, 7d or 2w, or seconds'],
    ['catalog_invalid', 'a list of features'],
  ])
})

/** One view `v` with this feature. */
const feature = (text: string): string =>
  `project: p\nfeature_views:\n  - name: v\n    features:\n      - ${text}\n`

test('a default must be of its type', () => {
  const wrong: [type: string, value: string][] = [
    ['Int32', '2147483648'],
    ['Int64', '9223372036854775808'],
    ['Int64', '1.5'],
    ['Float32', '1.0e39'],
    ['Float64', '.nan'],
    ['Bool', '1'],
    ['String', '1'],
    ['Bytes', '"*"'],
    ['UnixTimestamp', '"tomorrow"'],
    ['Json', '"{"'],
    ['Uuid', '"123"'],
    ['Decimal', '1.10'],
    ['Map', '{}'],
    ['Array(Array(Int64))', '[]'],
    ['ZonedTimestamp', '"2026-08-20T10:00:00Z"'],
    ['Array(Int64)', '1'],
    ['Array(Int32)', '[1, x]'],
    ['Float32', 'null'],
  ]
  for (const [type, value] of wrong) {
    const text = feature(`{ name: f, type: ${type}, default: ${value} }`)
    const column = (text.split('\n')[4]?.indexOf('default:') ?? 0) + 'default: '.length + 1
    const lines = faultLines(() => read(text))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toStartWith(`f.yaml:5:${column}: the default is `)
  }
})

test('a default of its type becomes its plain value', () => {
  const right: [type: string, value: string, plain: unknown][] = [
    ['Int32', '-2147483648', -2147483648],
    ['Int64', '-9223372036854775808', -9223372036854775808n],
    ['Int64', '1.0', 1],
    ['Float32', '0.5', 0.5],
    ['Float64', '.inf', Infinity],
    ['Bool', 'false', false],
    ['String', "''", ''],
    ['Bytes', 'AP8=', Uint8Array.of(0, 255)],
    ['UnixTimestamp', '1787220000', 1787220000],
    ['UnixTimestamp', '2026-08-20T10:00:00+02:00', 1787212800],
    ['UnixTimestamp', '2026-08-20 10:00:00', 1787220000],
    ['UnixTimestamp', '2026-08-20', 1787184000],
    ['Json', `'{"a": [1]}'`, '{"a": [1]}'],
    ['Uuid', '00112233-4455-6677-8899-aabbccddeeff', '00112233-4455-6677-8899-aabbccddeeff'],
    ['Decimal', "'1.10'", '1.10'],
    ['Array(Float32)', '[1, 2.5]', [1, 2.5]],
    ['Set(Int64)', '[9007199254740993]', [9007199254740993n]],
    ['Array(Int64)', '[]', []],
  ]
  for (const [type, value, plain] of right) {
    const text = feature(`{ name: f, type: ${type}, default: ${value} }`)
    const [declared] = read(text).views[0]?.features ?? []
    if (declared === undefined) throw new Error(`no feature in ${text}`)
    expect(declared.defaultValue).toEqual(plain as never)
    // A default is written into rows as it stands.
    expect(coerceValue(declared, declared.defaultValue)).toEqual(plain as never)
  }
})

test('names that Feast or the wire use are refused', () => {
  for (const name of [
    'event_timestamp',
    '__dummy_id',
    '""',
    'a:b',
    'a b',
    '-x',
    "'7 '",
    'x'.repeat(256),
  ]) {
    expect(faultLines(() => read(feature(`{ name: ${name}, type: Int64 }`)))).toHaveLength(1)
  }
  for (const name of ['7d_mean', 'größe', '用户', 'a.b-c', '_x']) {
    expect(read(feature(`{ name: ${name}, type: Int64 }`)).views[0]?.features[0]?.name).toBe(name)
  }
  const views = ['a-b', '7v', '__precomputed__s', 'größe', 'a.b', '12', '']
  for (const name of views) {
    const text = `project: p\nfeature_views:\n  - name: ${name}\n    features: [{ name: f, type: Int64 }]\n`
    expect(faultLines(() => read(text))).toHaveLength(1)
  }
})

test('one join key can not have two types', () => {
  const text = `project: p
entities:
  - { name: a, join_key: id, value_type: Int64 }
  - { name: b, join_key: id, value_type: String }
  - { name: c, join_key: id, value_type: Int64 }
`
  expect(faultLines(() => read(text))).toEqual([
    'f.yaml:4:5: join key "id" is STRING here and INT64 in entity "a"',
  ])
})

test('a service can not ask for two keys under one name', () => {
  const text = `project: p
entities:
  - { name: a, value_type: Int64 }
  - { name: b, value_type: Int64 }
feature_views:
  - { name: v, entities: [a, b], features: [{ name: f, type: Int64 }] }
feature_services:
  - name: s
    features: [{ view: v, join_key_map: { a: b } }]
`
  expect(faultLines(() => read(text))).toEqual(['f.yaml:9:41: two join keys are asked for as "b"'])
})

test('what is not YAML is told where it stops being so', () => {
  expect(faultLines(() => read('project: p\nentities: [1, 2\nfeature_views: []\n'))[0]).toStartWith(
    'f.yaml:',
  )
  expect(faultLines(() => read('project: "p\n'))).toEqual(['f.yaml:2:1: Missing closing "quote'])
  expect(faultLines(() => read('project: p\n\t- x: 1\n')).length).toBeGreaterThan(0)
  expect(faultLines(() => read(''))).toEqual(['f.yaml:1:1: the file is empty'])
  expect(faultLines(() => read('- a\n'))).toEqual(['f.yaml:1:1: the file is a list of 1'])
  expect(faultLines(() => read('project: *nowhere\n'))[0]).toBe('f.yaml:1:10: no such anchor')
  expect(faultLines(() => read('project: !secret p\n'))[0]).toBe(
    'f.yaml:1:10: Unresolved tag: !secret',
  )
  expect(faultLines(() => read('project: p\n---\nproject: q\n')).length).toBe(1)
  expect(faultLines(() => read('project: p\n? [a]\n: 1\n'))).toEqual([
    'f.yaml:2:3: a key must be a text',
  ])
  expect(faultLines(() => read('project: p\n<<: { entities: [] }\n'))).toEqual([
    'f.yaml:2:1: merge keys are not read',
  ])
})

test('a small file can not take much memory or the whole stack', () => {
  const bombs = [
    `${'['.repeat(50_000)}`,
    '- '.repeat(50_000),
    `${'['.repeat(500)}${']'.repeat(500)}`,
    'project: &x [*x]\n',
    `a: &a [1,1,1,1,1,1,1,1,1,1]\n${Array.from({ length: 12 }, (_, i) => {
      const before = String.fromCharCode(97 + i)
      const alias = `*${before}`
      return `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${Array(10).fill(alias).join(',')}]`
    }).join('\n')}\n`,
  ]
  for (const bomb of bombs) {
    const fault = faultOf(() => read(bomb))
    expect(fault.faults.length).toBeGreaterThan(0)
    expect(fault.faults.length).toBeLessThan(100)
  }
})

test('keys that JavaScript has a meaning for are keys like others', () => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(faultLines(() => read(`project: p\n${key}: { project: q }\n`))).toEqual([
      `f.yaml:2:1: ${key} is no key here`,
    ])
  }
  expect(
    faultLines(() =>
      read(
        'project: p\nfeature_views: [{ name: constructor, features: [{ name: toString, type: Int64 }, { name: toString, type: Int64 }] }]\n',
      ),
    ),
  ).toHaveLength(1)
})

test('what the file says, not how it is written, makes the digest', () => {
  const digest = read(FLIGHTS).digest
  expect(read(FLIGHTS.replace('ttl: 24h', 'ttl: 1d # a day')).digest).toBe(digest)
  expect(read(FLIGHTS.replace('type: bool', 'type: Bool')).digest).toBe(digest)
  expect(readFeaturesYaml(FLIGHTS, { file: 'other.yaml', folder: '/x' }).digest).toBe(digest)
  expect(read(FLIGHTS.replace('ttl: 24h', 'ttl: 25h')).digest).not.toBe(digest)
  expect(read(FLIGHTS.replace('740993', '740994')).digest).not.toBe(digest)
})

test('a garbled file gives a catalog or a fault, never another error', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const steps = Number(process.env['STEPS'] ?? 300)
  console.log(`SEED=${seed} STEPS=${steps}`)
  let state = seed + 1
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pieces = [
    ...'[]{}:,-#&*!|>%@"\'\\ \n\t\0é',
    '- ',
    ': ',
    '<<: ',
    '*a',
    '&a ',
    '!!int ',
    '9e99',
    '~',
    '---\n',
  ]
  let faults = 0
  for (let step = 0; step < steps; step++) {
    let text = FLIGHTS
    for (let edits = random(4); edits >= 0; edits--) {
      const at = random(text.length)
      const piece = pieces[random(pieces.length)] ?? ''
      text = text.slice(0, at) + piece + text.slice(at + random(3) * random(20))
    }
    try {
      read(text)
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
      faults++
    }
  }
  expect(faults).toBeGreaterThan(0)
  expect(read(FLIGHTS).views).toHaveLength(3)
}, 600_000)
