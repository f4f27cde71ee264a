/** Feast's own configuration: what of it says which registry is served, and how. */
import { resolve } from 'node:path'
import { z } from 'zod'
import type { OnlineStore, PlainValue } from './catalog.ts'
import { project } from './features-fields.ts'
import type { Fields, Report } from './field-report.ts'
import {
  addFault,
  catalogFault,
  foundText,
  rawMap,
  readFields,
  throwFaults,
} from './field-report.ts'
import type { Origin } from './read-features-yaml.ts'
import { parseYaml } from './yaml-document.ts'

export type Environment = { readonly [name: string]: string | undefined }

export type FeatureStore = {
  readonly project: string
  /** An absolute path, or `s3://bucket/key`. */
  readonly registryUri: string
  readonly versioning: boolean
  readonly servesMaterializing: boolean
  readonly onlineStore: OnlineStore | undefined
}

/** The only one that current Feast writes; the older ones hash keys differently. */
const KEY_SERIALIZATION = 3

const STORE_FIELDS = {
  project,
  registry: z.unknown(),
  online_store: z.unknown(),
  entity_key_serialization_version: z.int(`${KEY_SERIALIZATION}`).default(KEY_SERIALIZATION),
}

const flag = z.boolean('true or false').default(false)

const REGISTRY_FIELDS = {
  registry_type: z.string('file').default('file'),
  path: z.string('a path, or s3://bucket/key').min(1, 'a path, or s3://bucket/key'),
  enable_online_feature_view_versioning: flag,
  serve_features_while_materializing: flag,
}

/** Throws one Fault that holds all faults of the text. Keys of no concern to serving are passed over. */
export function readFeatureStoreYaml(
  text: string,
  origin: Origin,
  environment: Environment,
): FeatureStore {
  const yaml = parseYaml(expandVariables(text, environment), origin.file, '1.1')
  const report: Report = { yaml, faults: [...yaml.faults] }
  const raw = yaml.value === undefined ? undefined : rawMap(report, [], yaml.value)
  if (raw === undefined) throw catalogFault(report)
  const fields = readFields(report, { path: [], otherKeys: 'pass' }, STORE_FIELDS, raw)
  checkKeySerialization(report, fields.entity_key_serialization_version)
  const registry = readRegistryKey(report, raw['registry'])
  const onlineStore = readOnlineStore(report, raw)
  throwFaults(report)
  return {
    project: fields.project ?? '',
    registryUri: toUri(registry?.path ?? '', origin.folder),
    versioning: registry?.enable_online_feature_view_versioning ?? false,
    servesMaterializing: registry?.serve_features_while_materializing ?? false,
    onlineStore,
  }
}

/** As Python's os.path.expandvars: a variable that is not set is left as it is written. */
const expandVariables = (text: string, environment: Environment): string =>
  text.replace(
    /\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g,
    (written, bare?: string, braced?: string) => environment[bare ?? braced ?? ''] ?? written,
  )

const VARIABLE = /\$(?:[A-Za-z0-9_]+|\{[^}]*\})/

function checkKeySerialization(report: Report, version: number | undefined): void {
  if (version === undefined || version === KEY_SERIALIZATION) return
  const path = ['entity_key_serialization_version']
  const message = `entity_key_serialization_version ${version} is not served`
  const allowed = `${KEY_SERIALIZATION}: \`feast apply\` and materialize again with it`
  addFault(report, path, message, allowed)
}

type RegistryFields = Fields<typeof REGISTRY_FIELDS>

/** Feast's kinds of registry that are not one file, each with what it is. */
const OTHER_TYPES: ReadonlyMap<string, string> = new Map([
  ['sql', 'an SQL registry'],
  ['snowflake.registry', 'a Snowflake registry'],
  ['remote', 'a remote registry'],
])

function readRegistryKey(report: Report, found: unknown): RegistryFields | undefined {
  const path = ['registry']
  if (found === undefined) {
    addFault(report, path, 'registry is missing', 'the path of registry.db, or a map with `path`')
    return undefined
  }
  const raw = typeof found === 'string' ? { path: found } : rawMap(report, path, found)
  if (raw === undefined) return undefined
  const fields = readFields(report, { path, otherKeys: 'pass' }, REGISTRY_FIELDS, raw)
  checkRegistryType(report, fields.registry_type ?? 'file')
  if (fields.registry_type === 'file') checkRegistryPath(report, raw === found, fields.path ?? '')
  return fields
}

const ALLOWED_REGISTRY = 'registry_type: file, whose path is a local file'

function checkRegistryType(report: Report, type: string): void {
  if (type === 'file') return
  const what = OTHER_TYPES.get(type) ?? `a registry of type ${JSON.stringify(type)}`
  addFault(report, ['registry', 'registry_type'], `${what} is not read yet`, ALLOWED_REGISTRY)
}

function checkRegistryPath(report: Report, isMap: boolean, uri: string): void {
  const path = isMap ? ['registry', 'path'] : ['registry']
  const variable = VARIABLE.exec(uri)?.[0]
  if (variable !== undefined) {
    const message = `the registry's path holds ${variable}, which the environment does not set`
    addFault(report, path, message)
    return
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(uri)?.[1]
  if (scheme === undefined || scheme === 's3' || scheme === 'file') return
  const message = `a registry at ${scheme}:// is not read yet`
  addFault(report, path, message, ALLOWED_REGISTRY)
}

function toUri(uri: string, folder: string): string {
  if (uri.startsWith('s3://')) return uri
  return resolve(folder, uri.replace(/^file:\/\//, ''))
}

/** What Feast takes where the key is left out. */
const DEFAULT_STORE = 'sqlite'

function readOnlineStore(
  report: Report,
  raw: { readonly [key: string]: unknown },
): OnlineStore | undefined {
  const found = 'online_store' in raw ? raw['online_store'] : DEFAULT_STORE
  if (found === null) return undefined
  if (typeof found === 'string') return { type: found, options: new Map() }
  const map = rawMap(report, ['online_store'], found)
  if (map === undefined) return undefined
  const { type = DEFAULT_STORE, ...options } = map
  if (typeof type !== 'string') {
    const message = `online_store.type is ${foundText(type)}`
    addFault(report, ['online_store', 'type'], message, 'the name of a store, such as dynamodb')
    return undefined
  }
  // What YAML gives is plain; the store that the options are for checks them.
  return { type, options: new Map(Object.entries(options)) as Map<string, PlainValue> }
}
