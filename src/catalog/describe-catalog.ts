/** A catalog in words, for `salver catalog show`, and in JSON, for `GET /v1/catalog`. */
import type {
  BatchSource,
  Catalog,
  Feature,
  FeatureView,
  PlainValue,
  Projection,
  StreamSource,
} from './catalog.ts'
import { dtypeText, parseDtype } from './parse-dtype.ts'
import { durationText } from './parse-duration.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Keys are those of features.yaml, where it has one for the thing. */
export function catalogToJson(catalog: Catalog): { readonly [key: string]: Json } {
  return {
    project: catalog.project,
    digest: catalog.digest,
    versioning: catalog.versioning,
    entities: catalog.entities.map(({ name, joinKey, type }) => ({
      name,
      join_key: joinKey,
      value_type: keyTypeText(type),
    })),
    feature_views: catalog.views.map(viewToJson),
    feature_services: catalog.services.map(({ name, projections, precomputed, onDemand }) => ({
      name,
      features: projections.map((projection) => projectionToJson(catalog, projection)),
      precomputed,
      on_demand: onDemand,
    })),
    push_sources: Object.fromEntries(
      [...catalog.pushSources].map(([name, views]) => [name, views.map(viewName(catalog))]),
    ),
    not_served: catalog.notServed.map(({ kind, name, reason }) => ({ kind, name, reason })),
  }
}

const viewName =
  (catalog: Catalog) =>
  (position: number): string =>
    catalog.views[position]?.name ?? ''

const keyTypeText = (type: string): string => {
  const dtype = parseDtype(type)
  return dtype === undefined ? 'Unknown' : dtypeText(dtype)
}

function viewToJson(view: FeatureView): Json {
  return {
    name: view.name,
    kind: view.kind,
    version: view.version,
    table: view.table,
    entities: view.entities,
    join_keys: view.joinKeys.map(({ name, type }) => ({ name, value_type: keyTypeText(type) })),
    features: view.features.map(featureToJson),
    ttl_seconds: secondsOf(view.ttlUs),
    partial: view.partial,
    wide: view.wide,
    cache_max_staleness_seconds: secondsOf(view.cacheMaxStalenessMs * 1000),
    stale_if_error: view.staleIfError,
    freshness_slo_seconds: secondsOf(view.freshnessSloUs),
    source: view.batchSource === undefined ? null : sourceToJson(view.batchSource),
    stream_source: view.streamSource === undefined ? null : streamToJson(view.streamSource),
    online: view.online,
    disabled: view.disabled,
    state: view.refusedState,
    tags: Object.fromEntries(view.tags),
  }
}

/** Null where none is declared. */
const secondsOf = (us: number): number | null => (us === 0 ? null : us / 1_000_000)

function featureToJson(feature: Feature): Json {
  const bare = { name: feature.name, type: dtypeText(feature), value_type: feature.type.name }
  if (feature.defaultValue === undefined) return bare
  return { ...bare, default: valueToJson(feature.defaultValue) }
}

/** What JSON has no number for is a text: integers past 2^53 in digits, bytes in base64. */
function valueToJson(value: PlainValue): Json {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Uint8Array) return value.toBase64()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(valueToJson)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, valueToJson(each)]))
}

const sourceToJson = (source: BatchSource): Json => ({
  name: source.name,
  path: source.path,
  format: source.format,
  timestamp_field: source.timestampField,
  created_timestamp_column: source.createdTimestampField,
  timestamp_unit: source.timestampUnit,
  field_mapping: Object.fromEntries(source.fieldMapping),
})

const streamToJson = (source: StreamSource): Json => ({
  name: source.name,
  kind: source.kind,
  topic: source.topic,
  kafka_bootstrap_servers: source.brokers,
  timestamp_field: source.timestampField,
  field_mapping: Object.fromEntries(source.fieldMapping),
})

function projectionToJson(catalog: Catalog, projection: Projection): Json {
  const view = catalog.views[projection.view]
  return {
    view: view?.name ?? '',
    version: projection.versionTag === -1 ? null : projection.versionTag,
    alias: projection.alias === '' ? null : projection.alias,
    features: projection.features.map((position) => view?.features[position]?.name ?? ''),
    join_key_map: Object.fromEntries(projection.joinKeyMap),
  }
}

/** Lines without a last line end. */
export function describeCatalog(catalog: Catalog): string {
  return [
    `project ${catalog.project}, read from ${catalog.origin}`,
    `digest  ${catalog.digest}`,
    ...section(
      'entities',
      catalog.entities.map(
        ({ name, joinKey, type }) => `  ${name}: ${joinKey} ${keyTypeText(type)}`,
      ),
    ),
    ...section('feature views', catalog.views.map(describeView)),
    ...section(
      'feature services',
      catalog.services.map((service) => describeService(catalog, service)),
    ),
    ...section('push sources', describePushSources(catalog)),
    ...section(
      'not served',
      catalog.notServed.map(({ kind, name, reason }) => `  ${kind} ${name}: ${reason}`),
    ),
  ].join('\n')
}

const section = (title: string, blocks: readonly string[]): readonly string[] =>
  blocks.length === 0 ? [] : ['', `${title} (${blocks.length})`, ...blocks]

function describeView(view: FeatureView): string {
  const width = Math.max(...view.features.map(({ name }) => name.length))
  const version = view.version > 0 ? ` v${view.version}` : ''
  const keys = view.joinKeys.map(({ name, type }) => `${name} ${keyTypeText(type)}`).join(', ')
  return [
    `  ${view.name}${version}: ${keys || 'no key, one row'}`,
    ...viewNotes(view).map((note) => `      ${note}`),
    ...view.features.map(
      (feature) => `    ${feature.name.padEnd(width)}  ${describeType(feature)}`,
    ),
  ].join('\n')
}

function describeType(feature: Feature): string {
  const { defaultValue } = feature
  const text = dtypeText(feature)
  return defaultValue === undefined
    ? text
    : `${text} = ${JSON.stringify(valueToJson(defaultValue))}`
}

/** What departs from a plain view that is served for ever. */
function viewNotes(view: FeatureView): readonly string[] {
  const { batchSource, streamSource } = view
  const notes = [
    view.online ? '' : 'not served: online is false',
    view.disabled ? 'not served: disabled' : '',
    view.refusedState === '' ? '' : `not served: in state ${view.refusedState}`,
    view.ttlUs === 0 ? '' : `ttl ${durationText(view.ttlUs)}`,
    view.partial ? 'partial writes' : '',
    view.wide ? 'wide' : '',
    view.cacheMaxStalenessMs === 0
      ? ''
      : `cached up to ${durationText(view.cacheMaxStalenessMs * 1000)}`,
    view.staleIfError ? 'stale if error' : '',
    view.freshnessSloUs === 0 ? '' : `to be fresh within ${durationText(view.freshnessSloUs)}`,
    batchSource === undefined ? '' : describeSource(batchSource),
    streamSource === undefined ? '' : describeStream(streamSource),
  ]
  return notes.filter((note) => note !== '')
}

const describeSource = ({ name, path, timestampField }: BatchSource): string =>
  `from ${path === '' ? name : path}, time in ${timestampField || 'no declared column'}`

function describeStream({ kind, name, topic, brokers }: StreamSource): string {
  if (kind === 'push') return `pushed to by ${name}`
  return kind === 'kafka' ? `stream ${name}: topic ${topic} at ${brokers}` : `stream ${name}`
}

function describeService(
  catalog: Catalog,
  { name, projections, onDemand, precomputed }: Catalog['services'][number],
): string {
  return [
    `  ${name}`,
    ...onDemand.map((view) => `      not served: holds on-demand view ${view}`),
    ...(precomputed ? ['      precompute_online'] : []),
    ...projections.map((projection) => `    ${describeProjection(catalog, projection)}`),
  ].join('\n')
}

function describeProjection(catalog: Catalog, projection: Projection): string {
  const view = catalog.views[projection.view]
  const version = projection.versionTag === -1 ? '' : `@v${projection.versionTag}`
  const alias = projection.alias === '' ? '' : ` as ${projection.alias}`
  const renamed = [...projection.joinKeyMap].map(([key, name]) => `${key} asked for as ${name}`)
  const features = projection.features.map((position) => view?.features[position]?.name ?? '')
  const keys = renamed.length === 0 ? '' : ` (${renamed.join(', ')})`
  return `${view?.name ?? ''}${version}${alias}${keys}: ${features.join(', ')}`
}

const describePushSources = (catalog: Catalog): readonly string[] =>
  [...catalog.pushSources].map(
    ([name, views]) => `  ${name}: ${views.map(viewName(catalog)).join(', ')}`,
  )
