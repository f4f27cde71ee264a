/** What `--catalog PATH` may name. */
import { afterAll, expect, test } from 'bun:test'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { RegistrySchema } from '../../src/catalog/feast-registry_pb.ts'
import { openCatalog, openCatalogFiles } from '../../src/catalog/open-catalog.ts'
import { faultOfPromise } from './catalog-faults.ts'

const root = await mkdtemp(join(tmpdir(), 'salver-catalog-'))
afterAll(() => rm(root, { recursive: true }))

const FIXTURES = 'test/fixtures/feast'
const OURS =
  'project: ours\nfeature_views:\n  - { name: v, features: [{ name: f, type: Int64 }] }\n'
const FEAST = 'project: rideshare\nregistry: registry.db\n'

let folders = 0
/** A fresh folder with these files, and Feast's registry where asked for. */
async function folderWith(
  files: { readonly [name: string]: string },
  hasRegistry = false,
): Promise<string> {
  const folder = join(root, String(folders++))
  await mkdir(folder)
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text)
  if (hasRegistry) await cp(join(FIXTURES, 'registry.db'), join(folder, 'registry.db'))
  return folder
}

test('a folder is opened by the one file of definitions that lies in it', async () => {
  expect((await openCatalog(await folderWith({ 'features.yaml': OURS }))).project).toBe('ours')
  const folder = await folderWith({ 'feature_store.yaml': FEAST }, true)
  const catalog = await openCatalog(folder)
  expect(catalog.project).toBe('rideshare')
  expect(catalog.folder).toBe(folder)
})

test('a folder with both or neither is a fault that says what to name', async () => {
  const both = await folderWith({ 'features.yaml': OURS, 'feature_store.yaml': FEAST }, true)
  const fault = await faultOfPromise(openCatalog(both))
  expect(fault.message).toBe('both features.yaml and feature_store.yaml lie here')
  expect((await openCatalog(join(both, 'features.yaml'))).project).toBe('ours')
  expect((await openCatalog(join(both, 'feature_store.yaml'))).project).toBe('rideshare')
  const neither = await faultOfPromise(openCatalog(await folderWith({})))
  expect(neither.message).toBe('neither features.yaml nor feature_store.yaml lies here')
})

test('a file of another name is told by its keys', async () => {
  const folder = await folderWith({ 'a.yaml': OURS, 'b.yml': FEAST, 'c.yaml': 'x: 1\n' }, true)
  expect((await openCatalog(join(folder, 'a.yaml'))).project).toBe('ours')
  expect((await openCatalog(join(folder, 'b.yml'))).project).toBe('rideshare')
  const fault = await faultOfPromise(openCatalog(join(folder, 'c.yaml')))
  expect(fault.faults.map(({ message }) => message)).toEqual([
    'x is no key here',
    'project is missing',
  ])
})

test('a registry alone is opened when it holds one project', async () => {
  const catalog = await openCatalog(join(FIXTURES, 'registry.db'))
  expect([catalog.project, catalog.views.length, catalog.onlineStore]).toEqual([
    'rideshare',
    15,
    undefined,
  ])
  const registry = { projects: [{ spec: { name: 'a' } }, { spec: { name: 'b' } }] }
  const folder = await folderWith({})
  await Bun.write(
    join(folder, 'registry.db'),
    toBinary(RegistrySchema, create(RegistrySchema, registry)),
  )
  const fault = await faultOfPromise(openCatalog(join(folder, 'registry.db')))
  expect(fault.message).toBe('the registry holds 2 projects, and nothing says which is meant: a, b')
})

test('what can not be read is a fault with the path', async () => {
  const folder = await folderWith({ 'feature_store.yaml': FEAST })
  const missing = await faultOfPromise(openCatalog(join(folder, 'nope.yaml')))
  expect([missing.code, missing.message, missing.where]).toEqual([
    'catalog_invalid',
    'there is no such file',
    join(folder, 'nope.yaml'),
  ])
  const noRegistry = await faultOfPromise(openCatalog(folder))
  expect([noRegistry.message, noRegistry.where]).toEqual([
    'there is no such file',
    join(folder, 'registry.db'),
  ])
  const remote = await folderWith({
    'feature_store.yaml': 'project: p\nregistry: s3://bucket/r.db\n',
  })
  expect((await faultOfPromise(openCatalog(remote))).message).toBe(
    'a registry in S3 is not read yet',
  )
  const latin = await folderWith({})
  await Bun.write(join(latin, 'features.yaml'), Uint8Array.of(0x70, 0xff, 0x0a))
  expect((await faultOfPromise(openCatalog(latin))).message).toBe('the text is not UTF-8')
})

test("Feast's variables name its configuration, but never in place of our own file", async () => {
  const folder = await folderWith({ 'other.yaml': FEAST }, true)
  const byPath = { FEAST_FS_YAML_FILE_PATH: join(folder, 'other.yaml') }
  expect((await openCatalogFiles(folder, byPath)).catalog.project).toBe('rideshare')
  const byText = { FEATURE_STORE_YAML_BASE64: btoa(FEAST) }
  expect((await openCatalogFiles(folder, byText)).catalog.project).toBe('rideshare')
  const ours = await folderWith({ 'features.yaml': OURS })
  expect((await openCatalogFiles(ours, byPath)).catalog.project).toBe('ours')
  const garbled = openCatalogFiles(folder, { FEATURE_STORE_YAML_BASE64: '***' })
  expect((await faultOfPromise(garbled)).message).toBe('FEATURE_STORE_YAML_BASE64 is not base64')
})

test('the same definitions have the same digest wherever they lie', async () => {
  const [one, other] = [
    await folderWith({ 'features.yaml': OURS }),
    await folderWith({ 'features.yaml': OURS }),
  ]
  const [left, right] = [await openCatalog(one), await openCatalog(other)]
  expect(left.digest).toBe(right.digest)
  expect(left.folder).not.toBe(right.folder)
})
