/** A served catalog follows its files, but only to catalogs that are good. */
import { afterAll, expect, test } from 'bun:test'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { watchCatalog } from '../../src/catalog/watch-catalog.ts'

const root = await mkdtemp(join(tmpdir(), 'salver-watch-'))
afterAll(() => rm(root, { recursive: true }))

const text = (type: string): string =>
  `project: p\nfeature_views:\n  - { name: v, features: [{ name: f, type: ${type} }] }\n`

/** A watcher that polls only when told to, and what it told. */
async function watched(path: string) {
  const told: string[] = []
  const watch = watchCatalog({
    path,
    catalog: await openCatalog(path),
    pollMs: 3_600_000,
    onCatalog: (catalog) =>
      told.push(`catalog ${catalog.views.map((v) => v.features[0]?.type.name)}`),
    onFault: (fault) => told.push(`fault ${fault.faults[0]?.message ?? fault.message}`),
  })
  return { watch, told }
}

test('a faulty file is refused and told once, and the next good one is taken', async () => {
  const path = join(root, 'features.yaml')
  await Bun.write(path, text('Int64'))
  const { watch, told } = await watched(path)
  await watch.check()
  await watch.check()
  expect(told).toEqual([])
  await Bun.write(path, text('Int65'))
  await watch.check()
  await watch.check()
  const fault = 'fault "Int65" is no type that can be stored (did you mean "Int64"?)'
  expect(told).toEqual([fault])
  await watch.reload()
  expect(told).toEqual([fault, fault])
  await Bun.write(path, text('Float32'))
  await watch.check()
  await watch.check()
  expect(told).toEqual([fault, fault, 'catalog FLOAT'])
  watch.close()
})

test('a file that is written again with the same meaning is no new catalog', async () => {
  const path = join(root, 'same.yaml')
  await Bun.write(path, text('Int64'))
  const { watch, told } = await watched(path)
  await watch.check()
  await Bun.write(path, `# again\n${text('int64')}`)
  await watch.check()
  await watch.reload()
  expect(told).toEqual([])
  watch.close()
})

test('a file that goes away is a fault, and one put in its place is read', async () => {
  const path = join(root, 'moved.yaml')
  await Bun.write(path, text('Int64'))
  const { watch, told } = await watched(path)
  await watch.check()
  await rm(path)
  await watch.check()
  await Bun.write(`${path}.new`, text('Bool'))
  await rename(`${path}.new`, path)
  await watch.check()
  expect(told).toEqual(['fault there is no such file', 'catalog BOOL'])
  watch.close()
})

test('looks that are asked for at once follow one another', async () => {
  const path = join(root, 'many.yaml')
  await Bun.write(path, text('Int64'))
  const { watch, told } = await watched(path)
  await Bun.write(path, text('String'))
  await Promise.all([watch.check(), watch.reload(), watch.check(), watch.reload()])
  expect(told).toEqual(['catalog STRING'])
  watch.close()
})

test('the registry behind a feature_store.yaml is watched too', async () => {
  const folder = await mkdtemp(join(root, 'feast-'))
  const registry = join(folder, 'registry.db')
  await cp('test/fixtures/feast/registry.db', registry)
  await Bun.write(join(folder, 'feature_store.yaml'), 'project: rideshare\nregistry: registry.db\n')
  const { watch, told } = await watched(folder)
  await watch.check()
  await watch.check()
  await Bun.write(registry, 'not a registry')
  await watch.check()
  expect(told).toEqual(["fault these bytes are not Feast's registry"])
  await cp('test/fixtures/feast/registry.db', registry)
  await watch.check()
  // The one in force, once more: whoever was told of the fault learns that it is mended.
  expect(told).toHaveLength(2)
  expect(told[1]).toStartWith('catalog')
  watch.close()
})

test('polling looks by itself until it is closed', async () => {
  const path = join(root, 'polled.yaml')
  await Bun.write(path, text('Int64'))
  const catalog = await openCatalog(path)
  const { promise, resolve } = Promise.withResolvers<string>()
  await Bun.write(path, text('Int32'))
  const watch = watchCatalog({
    path,
    catalog,
    pollMs: 1,
    onCatalog: (next) => resolve(next.views[0]?.features[0]?.type.name ?? ''),
    onFault: (fault) => resolve(fault.message),
  })
  expect(await promise).toBe('INT32')
  watch.close()
})
