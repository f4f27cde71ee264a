/** From the path that `--catalog` names to a Catalog, whichever kind of definitions lies there. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import type { Catalog } from './catalog.ts'
import { readCatalogFile, readRegistryBytes } from './read-catalog-file.ts'
import type { Environment } from './read-feature-store-yaml.ts'
import { readFeatureStoreYaml } from './read-feature-store-yaml.ts'
import { readFeaturesYaml } from './read-features-yaml.ts'
import { readRegistry } from './read-registry.ts'
import { parseYaml } from './yaml-document.ts'

const FEATURES_FILE = 'features.yaml'
const STORE_FILE = 'feature_store.yaml'

/** Feast's two ways to name its configuration from outside. */
const STORE_PATH_VARIABLE = 'FEAST_FS_YAML_FILE_PATH'
const STORE_TEXT_VARIABLE = 'FEATURE_STORE_YAML_BASE64'

export type OpenedCatalog = {
  readonly catalog: Catalog
  /** Files whose change may mean another catalog. */
  readonly files: readonly string[]
}

/** Throws a Fault that holds every fault of the definitions. */
export const openCatalog = async (path: string): Promise<Catalog> =>
  (await openCatalogFiles(path, process.env)).catalog

export async function openCatalogFiles(
  path: string,
  environment: Environment,
): Promise<OpenedCatalog> {
  const definitions = await findDefinitions(path, environment)
  const { file, folder } = definitions
  switch (definitions.kind) {
    case 'features':
      return { catalog: readFeaturesYaml(definitions.text, { file, folder }), files: [file] }
    case 'feature_store':
      return openFeatureStore(definitions, environment)
    case 'registry': {
      const reading = { project: '', versioning: false, servesMaterializing: false }
      const bytes = await readCatalogFile(file)
      const catalog = readRegistry(bytes, {
        ...reading,
        origin: file,
        folder,
        onlineStore: undefined,
      })
      return { catalog, files: [file] }
    }
  }
}

async function openFeatureStore(
  { file, folder, text }: Definitions,
  environment: Environment,
): Promise<OpenedCatalog> {
  const store = readFeatureStoreYaml(text, { file, folder }, environment)
  const bytes = await readRegistryBytes(store.registryUri)
  const catalog = readRegistry(bytes, { ...store, origin: store.registryUri, folder })
  return { catalog, files: [file, store.registryUri] }
}

type Definitions = {
  readonly kind: 'features' | 'feature_store' | 'registry'
  /** As it was named, for people. */
  readonly file: string
  /** Absolute: relative paths of the definitions start here. */
  readonly folder: string
  /** '' for a registry. */
  readonly text: string
}

async function findDefinitions(path: string, environment: Environment): Promise<Definitions> {
  if (isFolder(path)) return findInFolder(path, environment)
  const folder = resolve(dirname(path))
  if (!['.yaml', '.yml'].includes(extname(path).toLowerCase())) {
    return { kind: 'registry', file: path, folder, text: '' }
  }
  const text = await readText(path)
  return { kind: kindOf(path, text), file: path, folder, text }
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

async function findInFolder(path: string, environment: Environment): Promise<Definitions> {
  const folder = resolve(path)
  const hasFeatures = existsSync(join(path, FEATURES_FILE))
  const hasStore = existsSync(join(path, STORE_FILE))
  if (hasFeatures && hasStore) {
    throw new Fault('catalog_invalid', `both ${FEATURES_FILE} and ${STORE_FILE} lie here`, {
      where: path,
      allowed: 'the path of the one that is meant',
    })
  }
  if (hasFeatures) {
    const file = join(path, FEATURES_FILE)
    return { kind: 'features', file, folder, text: await readText(file) }
  }
  const encoded = environment[STORE_TEXT_VARIABLE]
  if (encoded !== undefined && encoded !== '') {
    return { kind: 'feature_store', file: STORE_TEXT_VARIABLE, folder, text: fromBase64(encoded) }
  }
  const named = environment[STORE_PATH_VARIABLE] ?? ''
  const file = named === '' ? join(path, STORE_FILE) : named
  if (named !== '' || hasStore) {
    return { kind: 'feature_store', file, folder, text: await readText(file) }
  }
  throw new Fault('catalog_invalid', `neither ${FEATURES_FILE} nor ${STORE_FILE} lies here`, {
    where: path,
    allowed: 'a folder with one of the two, the path of such a file, or of a registry.db',
  })
}

function fromBase64(text: string): string {
  try {
    return utf8(Uint8Array.fromBase64(text), STORE_TEXT_VARIABLE)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('catalog_invalid', `${STORE_TEXT_VARIABLE} is not base64`, {
      where: 'environment',
      cause,
    })
  }
}

const readText = async (path: string): Promise<string> => utf8(await readCatalogFile(path), path)

function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Fault('catalog_invalid', 'the text is not UTF-8', { where, cause })
  }
}

const STORE_KEYS = ['registry', 'provider', 'online_store', 'offline_store']
const FEATURES_KEYS = ['entities', 'feature_views', 'feature_services']

/** By its name; a file of another name by its keys. */
function kindOf(path: string, text: string): 'features' | 'feature_store' {
  if (basename(path) === STORE_FILE) return 'feature_store'
  if (basename(path) === FEATURES_FILE) return 'features'
  const { value } = parseYaml(text, path, '1.2')
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (keys.some((key) => FEATURES_KEYS.includes(key))) return 'features'
  if (keys.some((key) => STORE_KEYS.includes(key))) return 'feature_store'
  // Unreadable, or neither: our own reader says what is wrong and what would be right.
  return 'features'
}
