/** Which features a request on Feast's path names: references, services, gates, collisions. */
import type { Catalog, Feature, FeatureView, NotServed, Projection } from '../catalog/catalog.ts'
import { FeastFault, notServedFault, plainFault } from './feast-fault.ts'
import { findFeature } from './find-feature.ts'
import { findNotServedService, findNotServedView, findView, useOf } from './make-plan.ts'
import type { Reference } from './parse-reference.ts'
import { parseReference } from './parse-reference.ts'
import type { ViewUse } from './plan-draft.ts'

/** One feature under the name of its column. */
export type NamedFeature = {
  readonly use: ViewUse
  readonly feature: Feature
  readonly column: string
}

export type FeastFeatures = {
  /** A service's name, or '' where references count. */
  readonly service: string
  readonly references: readonly string[]
  readonly fullFeatureNames: boolean
}

const NOT_RENAMED: ReadonlyMap<string, string> = new Map()

/** In the asked order. Throws a FeastFault. */
export function namedFeatures(catalog: Catalog, asked: FeastFeatures): NamedFeature[] {
  const named = asked.service === '' ? ofReferences(catalog, asked) : ofService(catalog, asked)
  assertNoCollision(named, asked.fullFeatureNames)
  return named
}

function ofReferences(catalog: Catalog, asked: FeastFeatures): NamedFeature[] {
  if (asked.references.length === 0) throw plainFault('No features specified for retrieval')
  return asked.references.map((text) => {
    const reference = parseReference(text)
    if (reference === undefined) throw invalidReference(text)
    const view = viewOf(catalog, reference)
    assertServed(view)
    const use = useOf(view, '', reference.version, NOT_RENAMED)
    const feature = findFeature(view, reference.feature)
    if (feature === undefined) {
      throw plainFault(`'Feature ${reference.feature} not found in projection ${use.name}'`)
    }
    return { use, feature, column: columnName(use, feature, asked.fullFeatureNames) }
  })
}

function ofService(catalog: Catalog, asked: FeastFeatures): NamedFeature[] {
  const name = asked.service
  const service = catalog.servicesByName.get(name)
  if (service === undefined) {
    const known = findNotServedService(catalog, name)
    if (known !== undefined) throw notServed(known)
    const message = `Feature service ${name} does not exist in project ${catalog.project}`
    throw new FeastFault(404, 'FeatureServiceNotFoundException', message)
  }
  if (service.onDemand.length > 0) {
    const views = service.onDemand.join(', ')
    throw notServedFault(
      `Feature service '${name}' is not served: it holds on-demand feature views (${views}), whose Python functions do not run here.`,
    )
  }
  if (service.precomputed) throw notPrecomputed(name)
  return service.projections.flatMap((projection) => ofProjection(catalog, projection, asked))
}

function ofProjection(
  catalog: Catalog,
  projection: Projection,
  asked: FeastFeatures,
): NamedFeature[] {
  const view = catalog.views[projection.view]!
  if (projection.versionTag !== -1) assertVersioning(catalog, view.name, projection.versionTag)
  assertServed(view)
  const use = useOf(view, projection.alias, projection.versionTag, projection.joinKeyMap)
  return projection.features.map((position) => {
    const feature = view.features[position]!
    return { use, feature, column: columnName(use, feature, asked.fullFeatureNames) }
  })
}

const columnName = (use: ViewUse, feature: Feature, full: boolean): string =>
  full ? `${use.name}__${feature.name}` : feature.name

function viewOf(catalog: Catalog, { view: name, version }: Reference): FeatureView {
  if (version !== -1) assertVersioning(catalog, name, version)
  const view = findView(catalog, name, version)
  if (view !== undefined) return view
  const known = findNotServedView(catalog, name, version)
  if (known !== undefined) throw notServed(known)
  const { project } = catalog
  if (version !== -1 && catalog.viewsByName.has(name)) {
    const message = `Version v${version} of feature view ${name} does not exist in project ${project}`
    throw new FeastFault(404, 'FeatureViewVersionNotFound', message)
  }
  const message = `Feature view ${name} does not exist in project ${project}`
  throw new FeastFault(404, 'FeatureViewNotFoundException', message)
}

const notServed = ({ kind, name, reason }: NotServed): FeastFault =>
  notServedFault(`${kind} '${name}' is not served: ${reason}`)

function assertVersioning(catalog: Catalog, name: string, version: number): void {
  if (catalog.versioning) return
  throw plainFault(
    `Version-qualified ref '${name}@v${version}' not supported: online versioning is disabled. ` +
      "Set 'enable_online_feature_view_versioning: true' under 'registry' in feature_store.yaml.",
  )
}

/** Feast's gates in Feast's order; a view without an online table has no words of Feast's own. */
function assertServed({ name, online, disabled, refusedState }: FeatureView): void {
  if (disabled) {
    throw plainFault(
      `Feature view '${name}' is disabled and cannot serve features. ` +
        `Enable it with \`feast feature-views enable ${name}\` or set enabled=True.`,
    )
  }
  if (refusedState !== '') {
    throw plainFault(
      `Feature view '${name}' is in state '${refusedState}' and cannot serve features. ` +
        'Only AVAILABLE_ONLINE feature views can serve.',
    )
  }
  if (!online) throw notServedFault(`Feature view '${name}' is not served online (online=False).`)
}

const invalidReference = (text: string): FeastFault =>
  plainFault(
    `Invalid feature reference '${text}'. ` +
      "Expected format: '<feature_view>:<feature>' or '<feature_view>@<version>:<feature>'",
  )

const notPrecomputed = (service: string): FeastFault =>
  plainFault(
    `FeatureService '${service}' has precompute_online=True but pre-computed vectors could not ` +
      `be read. Run \`feast precompute ${service}\` or materialize to populate vectors.`,
  )

/** No two columns of one name: also not the same reference twice. */
function assertNoCollision(named: readonly NamedFeature[], full: boolean): void {
  const seen = new Set<string>()
  const collided = new Set<string>()
  for (const { column } of named) {
    if (seen.has(column)) collided.add(column)
    seen.add(column)
  }
  if (collided.size === 0) return
  const cure = full
    ? 'please ensure that the feature views or their own features have different names. ' +
      "If you're intentionally joining the same feature view twice on different sets of entities, " +
      "please rename one of the feature views with '.with_name'."
    : "either use the full feature name by setting 'full_feature_names=True', " +
      'or ensure that the features in question have different names.'
  throw new FeastFault(
    500,
    'FeatureNameCollisionError',
    `Duplicate features named ${[...collided].join(', ')} found.\nTo resolve this collision, ${cure}`,
  )
}
