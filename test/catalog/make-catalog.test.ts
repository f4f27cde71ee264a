/** What every catalog is, whichever reader made it. */
import { expect, test } from 'bun:test'
import { canonicalText } from '../../src/catalog/make-catalog.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { readFeaturesYaml } from '../../src/catalog/read-features-yaml.ts'

const feast = await openCatalog('test/fixtures/feast/feature_repo')
const ours = readFeaturesYaml(
  `project: p
entities: [{ name: e, value_type: Bytes }]
feature_views:
  - name: v
    entities: [e]
    features:
      - { name: f, type: Bytes, default: AP8= }
      - { name: g, type: Int64, default: 9007199254740993 }
      - { name: h, type: Array(Int32), default: [1] }
    source: { path: x.csv }
`,
  { file: 'f.yaml', folder: '/' },
)

test('a catalog survives its way to another thread', async () => {
  for (const catalog of [feast, ours]) {
    const clone = structuredClone(catalog)
    expect(clone).toEqual(catalog)
    for (const view of clone.views) expect(clone.viewsByName.get(view.name)).toBe(view)
    for (const service of clone.services)
      expect(clone.servicesByName.get(service.name)).toBe(service)
    const { port1, port2 } = new MessageChannel()
    const { promise, resolve } = Promise.withResolvers<unknown>()
    port2.onmessage = (message) => resolve(message.data)
    port1.postMessage(catalog)
    expect(await promise).toEqual(catalog)
    port1.close()
  }
})

test('nothing of a catalog can be changed', () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    value instanceof Uint8Array ||
    (value instanceof Map
      ? [...value.values()].every(frozen)
      : Object.isFrozen(value) && Object.values(value).every(frozen))
  for (const catalog of [feast, ours]) expect(frozen(catalog)).toBe(true)
})

test('texts are equal exactly where values are', () => {
  const values = [
    1,
    1n,
    '1',
    -0,
    0,
    Number.NaN,
    Infinity,
    null,
    true,
    [],
    {},
    new Map(),
    new Map([['a', 1]]),
    { a: 1 },
    [['a', 1]],
    Uint8Array.of(1),
    [1],
    { a: undefined, b: 1 },
  ]
  const texts = values.map(canonicalText)
  expect(new Set(texts).size).toBe(values.length)
  expect(
    canonicalText({
      a: 1,
      b: [
        new Map([
          ['x', 1],
          ['y', 2],
        ]),
      ],
    }),
  ).toBe(
    canonicalText({
      b: [
        new Map([
          ['y', 2],
          ['x', 1],
        ]),
      ],
      a: 1,
    }),
  )
  expect(canonicalText({ b: 1 })).toBe(canonicalText({ a: undefined, b: 1 }))
})

test('the digest is 64 hex digits, and the same on every machine', () => {
  expect(feast.digest).toMatch(/^[0-9a-f]{64}$/)
  // Changes only with the content of a catalog: servers of different builds may compare it.
  expect(ours.digest).toBe('4683e0179b36712a7d28e1bdcab599b3732c8be2cd8067b2db9c5786d1f542b3')
})
