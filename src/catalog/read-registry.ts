/** Feast's registry, one serialized message, becomes a Catalog of one of its projects. */
import { fromBinary } from '@bufbuild/protobuf'
import { Fault } from '../base/fault.ts'
import type {
  Catalog,
  Entity,
  FeatureService,
  FeatureView,
  NotServed,
  OnlineStore,
} from './catalog.ts'
import type {
  FeatureViewVersionRecord,
  OnDemandFeatureView,
  Registry,
} from './feast-registry_pb.ts'
import { RegistrySchema } from './feast-registry_pb.ts'
import { manyFaults } from './field-report.ts'
import { makeCatalog } from './make-catalog.ts'
import type { Refusal, ViewMaking } from './make-registry-view.ts'
import { DUMMY_ENTITY, makeRegistryView, refuse } from './make-registry-view.ts'
import { makeRegistryService } from './registry-services.ts'
import type { RegistryView } from './registry-view.ts'
import { recordedView, storedViews } from './registry-view.ts'
import { isKeyType, valueTypeNumbered } from './value-type.ts'
import type { TagFault } from './view-tags.ts'

export type RegistryReading = {
  /** '' takes the only project there is. */
  readonly project: string
  /** What faults name: the file. */
  readonly origin: string
  readonly folder: string
  readonly versioning: boolean
  readonly servesMaterializing: boolean
  readonly onlineStore: OnlineStore | undefined
}

/** Throws only for what its reader must mend: what can't be served is in `notServed`. */
export function readRegistry(bytes: Uint8Array, reading: RegistryReading): Catalog {
  const registry = decodeRegistry(bytes, reading.origin)
  const project = chooseProject(registry, reading)
  const entities = makeEntities(registry, project)
  const entitiesByName = new Map(entities.map((entity) => [entity.name, entity]))
  const notServed: NotServed[] = onDemandViews(registry, project)
  const views = makeViews(registry, { ...reading, project, entitiesByName, notServed })
  const services = makeServices(registry, { ...reading, project, views, notServed })
  return makeCatalog({
    project,
    origin: reading.origin,
    folder: reading.folder,
    versioning: reading.versioning,
    entities,
    views,
    services,
    pushSources: pushSourcesOf(views),
    notServed: notServed.toSorted((left, right) => byName(left, right)),
    onlineStore: reading.onlineStore,
  })
}

const SQLITE_MAGIC = 'SQLite format 3\0'

function decodeRegistry(bytes: Uint8Array, origin: string): Registry {
  if (Buffer.from(bytes.subarray(0, SQLITE_MAGIC.length)).toString('latin1') === SQLITE_MAGIC) {
    throw new Fault(
      'catalog_invalid',
      'this is an SQLite database: sql registries are not read yet',
      {
        where: origin,
        allowed: 'a file registry (registry_type: file)',
      },
    )
  }
  try {
    return fromBinary(RegistrySchema, bytes)
  } catch (cause) {
    throw new Fault('catalog_invalid', "these bytes are not Feast's registry", {
      where: origin,
      allowed: 'the serialized feast.core.Registry that `feast apply` writes',
      cause,
    })
  }
}

function chooseProject(registry: Registry, { project, origin }: RegistryReading): string {
  const known = projectsOf(registry)
  const names = known.join(', ') || 'none'
  if (project === '' && known.length === 1) return known[0] ?? ''
  if (project !== '' && known.includes(project)) return project
  const message =
    project === ''
      ? `the registry holds ${known.length} projects, and nothing says which is meant: ${names}`
      : `the registry has no project ${JSON.stringify(project)}`
  const allowed = project === '' ? 'a feature_store.yaml that names the project' : names
  throw new Fault('catalog_invalid', message, { where: origin, allowed })
}

function projectsOf(registry: Registry): readonly string[] {
  const objects = [
    ...registry.entities.map(({ spec }) => spec?.project),
    ...storedViews(registry).map((view) => view.project),
    ...registry.onDemandFeatureViews.map(({ spec }) => spec?.project),
    ...registry.featureServices.map(({ spec }) => spec?.project),
    ...registry.projects.map(({ spec }) => spec?.name),
  ]
  return [...new Set(objects)]
    .filter((name) => name !== undefined && name !== '')
    .sort() as string[]
}

type Named = { readonly name: string }

/** Feast keeps its objects in no order: without one each `apply` would make another catalog. */
const byName = (left: Named, right: Named): number =>
  Buffer.compare(Buffer.from(left.name), Buffer.from(right.name))

function makeEntities(registry: Registry, project: string): readonly Entity[] {
  return registry.entities
    .map(({ spec }) => spec)
    .filter((spec) => spec !== undefined)
    .filter((spec) => spec.project === project && spec.name !== DUMMY_ENTITY)
    .map((spec): Entity => {
      const type = valueTypeNumbered(spec.valueType)?.name ?? ''
      return { name: spec.name, joinKey: spec.joinKey, type: isKeyType(type) ? type : 'UNKNOWN' }
    })
    .toSorted(byName)
}

const ON_DEMAND_REASON = 'its values are made by a Python function when they are asked for'

function onDemandViews(registry: Registry, project: string): NotServed[] {
  return onDemandSpecs(registry, project).map(({ name }) => ({
    kind: 'on_demand_feature_view',
    name,
    reason: ON_DEMAND_REASON,
  }))
}

const onDemandSpecs = (
  registry: Registry,
  project: string,
): readonly NonNullable<OnDemandFeatureView['spec']>[] =>
  registry.onDemandFeatureViews
    .map(({ spec }) => spec)
    .filter((spec) => spec !== undefined)
    .filter((spec) => spec.project === project)

type ViewReading = RegistryReading & {
  readonly entitiesByName: ReadonlyMap<string, Entity>
  readonly notServed: NotServed[]
}

/** Current views by name, then older versions: a name's first view is its current one. */
function makeViews(registry: Registry, reading: ViewReading): readonly FeatureView[] {
  const tagFaults: Fault[] = []
  const current = new Map<string, FeatureView>()
  for (const source of storedViews(registry)) {
    if (source.project !== reading.project) continue
    const view = isNameTaken(source, current, reading.notServed)
      ? refuse('its name is taken by another view')
      : makeView(source, reading, tagFaults)
    if ('refused' in view) {
      reading.notServed.push({ kind: source.kind, name: source.name, reason: view.refused })
    } else current.set(view.name, view)
  }
  const older = reading.versioning ? olderVersions(registry, reading, current) : []
  if (tagFaults.length > 0) throw manyFaults(reading.origin, tagFaults)
  return [...[...current.values()].toSorted(byName), ...older.toSorted(byVersion)].map(
    (view, position) => ({ ...view, position }),
  )
}

const byVersion = (left: FeatureView, right: FeatureView): number =>
  byName(left, right) || left.version - right.version

/** Feast finds feature views first, then stream views, on-demand views, and label views last. */
const isNameTaken = (
  { kind, name }: RegistryView,
  current: ReadonlyMap<string, FeatureView>,
  notServed: readonly NotServed[],
): boolean =>
  current.has(name) ||
  notServed.some(
    (object) =>
      object.name === name && (object.kind !== 'on_demand_feature_view' || kind === 'label_view'),
  )

function makeView(
  source: RegistryView,
  reading: ViewReading,
  faults: Fault[],
): FeatureView | Refusal {
  const tagFaults: TagFault[] = []
  const making: ViewMaking = {
    ...reading,
    entities: reading.entitiesByName,
    tagFaults,
  }
  const view = makeRegistryView(source, making)
  const where = `${reading.origin}: ${source.kind} ${JSON.stringify(source.name)}`
  for (const { message, allowed } of tagFaults) {
    faults.push(new Fault('catalog_invalid', message, { where, allowed }))
  }
  return view
}

/** Nothing is ingested into an older version: it has no sources. */
function olderVersions(
  registry: Registry,
  reading: ViewReading,
  current: ReadonlyMap<string, FeatureView>,
): readonly FeatureView[] {
  const older = new Map<string, FeatureView>()
  for (const record of registry.featureViewVersionHistory?.records ?? []) {
    const { featureViewName: name, versionNumber: version, projectId } = record
    const latest = current.get(name)
    if (projectId !== reading.project || latest === undefined || latest.version === version)
      continue
    const source = decodeRecord(record)
    const view = 'refused' in source ? source : makeView({ ...source, name, version }, reading, [])
    if ('refused' in view) {
      const reason = view.refused
      reading.notServed.push({ kind: record.featureViewType, name: `${name}@v${version}`, reason })
    } else {
      older.set(view.table, { ...view, batchSource: undefined, streamSource: undefined })
    }
  }
  return [...older.values()]
}

function decodeRecord(record: FeatureViewVersionRecord): RegistryView | Refusal {
  try {
    return recordedView(record) ?? refuse('its kind has no stored rows')
  } catch (cause) {
    return refuse(`its record can't be decoded: ${String(cause)}`)
  }
}

type ServiceReading = RegistryReading & {
  readonly views: readonly FeatureView[]
  readonly notServed: NotServed[]
}

function makeServices(registry: Registry, reading: ServiceReading): readonly FeatureService[] {
  const { project, views, versioning, notServed } = reading
  const served = new Set(views.map((view) => view.name))
  const onDemand = new Set(
    onDemandSpecs(registry, project)
      .map(({ name }) => name)
      .filter((name) => !served.has(name)),
  )
  const refused = new Map(notServed.map(({ name, reason }) => [name, reason]))
  const services: FeatureService[] = []
  for (const { spec } of registry.featureServices) {
    if (spec?.project !== project) continue
    const service = makeRegistryService(spec, { views, versioning, onDemand, refused })
    if ('refused' in service) {
      notServed.push({ kind: 'feature_service', name: spec.name, reason: service.refused })
    } else services.push(service)
  }
  return services.toSorted(byName)
}

/** Older versions have no stream source, and so are fed by none. */
function pushSourcesOf(views: readonly FeatureView[]): ReadonlyMap<string, readonly number[]> {
  const feeds = new Map<string, number[]>()
  for (const { streamSource, position } of views) {
    if (streamSource?.kind !== 'push') continue
    feeds.set(streamSource.name, [...(feeds.get(streamSource.name) ?? []), position])
  }
  return feeds
}
