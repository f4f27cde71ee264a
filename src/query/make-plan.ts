/** From the names of a request to positions: the last place on the path that looks a name up. */
import { closestName } from '../base/closest-name.ts'
import type { FaultCode } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'
import type {
  Catalog,
  FeatureService,
  FeatureView,
  NotServed,
  Projection,
} from '../catalog/catalog.ts'
import type { RowReader } from '../store/store.ts'
import { findFeature } from './find-feature.ts'
import { parseReference } from './parse-reference.ts'
import { PlanDraft } from './plan-draft.ts'
import type { ViewUse } from './plan-draft.ts'
import type { Plan, Query } from './query.ts'

/** What of a query its plan depends on. */
export type Ask = Pick<Query, 'service' | 'references' | 'form'>

/** Names listed in a fault's `allowed`: more help nobody. */
const NAMES_SHOWN_MAX = 20

const NOT_RENAMED: ReadonlyMap<string, string> = new Map()

/** Throws a Fault for the first name that can't be served. Does no I/O. */
export function makePlan(catalog: Catalog, ask: Ask, tables: RowReader): Plan {
  const draft = new PlanDraft()
  if (ask.service !== '') addService(draft, catalog, ask.service)
  else if (ask.references.length === 0)
    throw new Fault('invalid_request', 'no features are asked for')
  else ask.references.forEach((text, index) => addReference(draft, catalog, text, index))
  return draft.finish(catalog, ask.form, tables)
}

function addReference(draft: PlanDraft, catalog: Catalog, text: string, index: number): void {
  const where = `features[${index}]`
  const reference = parseReference(text)
  if (reference === undefined) {
    throw new Fault('invalid_request', `${JSON.stringify(text)} is not a feature reference`, {
      where,
      allowed: 'view:feature',
    })
  }
  const view = viewNamed(catalog, reference.view, reference.version, where)
  assertServed(view, where)
  const feature = findFeature(view, reference.feature)
  if (feature === undefined) throw unknownFeature(view, reference.feature, where)
  if (!draft.add(useOf(view, '', reference.version, NOT_RENAMED), feature.position)) {
    throw new Fault('invalid_request', `${JSON.stringify(text)} is asked for twice`, {
      where,
      allowed: 'each feature once',
    })
  }
}

function addService(draft: PlanDraft, catalog: Catalog, name: string): void {
  const where = 'feature_service'
  const service = catalog.servicesByName.get(name)
  if (service === undefined) {
    const known = findNotServedService(catalog, name)
    throw known === undefined ? unknownService(catalog, name, where) : notServed(known, where)
  }
  assertNoOnDemand(service, where)
  for (const projection of service.projections) addProjection(draft, catalog, projection, where)
}

/** A feature that two projections of a service both hold is answered once. */
function addProjection(
  draft: PlanDraft,
  catalog: Catalog,
  projection: Projection,
  where: string,
): void {
  const view = catalog.views[projection.view]!
  assertServed(view, where)
  const use = useOf(view, projection.alias, projection.versionTag, projection.joinKeyMap)
  for (const feature of projection.features) draft.add(use, feature)
}

/** A view under the name that its columns get. */
export function useOf(
  view: FeatureView,
  alias: string,
  version: number,
  joinKeyMap: ReadonlyMap<string, string>,
): ViewUse {
  const name = alias === '' ? view.name : alias
  return { view, name: version === -1 ? name : `${name}@v${version}`, joinKeyMap }
}

/** The view of that name, in the version asked for (-1: the current one), or undefined. */
export function findView(catalog: Catalog, name: string, version: number): FeatureView | undefined {
  const current = catalog.viewsByName.get(name)
  if (version === -1 || current?.version === version) return current
  return catalog.views.find((view) => view.name === name && view.version === version)
}

function viewNamed(catalog: Catalog, name: string, version: number, where: string): FeatureView {
  if (version !== -1 && !catalog.versioning) {
    throw new Fault('not_served', `versions of views are not served: ${name}@v${version}`, {
      where,
      allowed: 'a view without a version, or enable_online_feature_view_versioning in the registry',
    })
  }
  const view = findView(catalog, name, version)
  if (view !== undefined) return view
  const known = findNotServedView(catalog, name, version)
  if (known !== undefined) throw notServed(known, where)
  if (version !== -1 && catalog.viewsByName.has(name)) {
    throw new Fault(
      'unknown_view',
      `feature view ${JSON.stringify(name)} has no version ${version}`,
      {
        where,
      },
    )
  }
  throw unknownName('unknown_view', 'no feature view', name, [...catalog.viewsByName.keys()], where)
}

const SERVICE_KIND = 'feature_service'

/** What the catalog knows of a view that it can't serve, or of that version of it. */
export function findNotServedView(
  catalog: Catalog,
  view: string,
  version: number,
): NotServed | undefined {
  const name = version === -1 ? view : `${view}@v${version}`
  return catalog.notServed.find((object) => object.name === name && object.kind !== SERVICE_KIND)
}

export const findNotServedService = (catalog: Catalog, name: string): NotServed | undefined =>
  catalog.notServed.find((object) => object.name === name && object.kind === SERVICE_KIND)

const notServed = ({ kind, name, reason }: NotServed, where: string): Fault =>
  new Fault('not_served', `${kind} ${JSON.stringify(name)} is not served: ${reason}`, { where })

/** Why a view of the catalog answers no reads, or ''. */
function refusalOf(view: FeatureView): string {
  if (!view.online) return 'it is declared online=False'
  if (view.disabled) return 'it is disabled'
  if (view.refusedState !== '') return `it is in state ${view.refusedState}`
  return ''
}

function assertServed(view: FeatureView, where: string): void {
  const refusal = refusalOf(view)
  if (refusal === '') return
  const name = JSON.stringify(view.name)
  throw new Fault('not_served', `feature view ${name} is not served: ${refusal}`, { where })
}

function assertNoOnDemand(service: FeatureService, where: string): void {
  if (service.onDemand.length === 0) return
  const name = JSON.stringify(service.name)
  const views = service.onDemand.join(', ')
  throw new Fault(
    'not_served',
    `feature service ${name} is not served: it holds on-demand views (${views})`,
    { where, allowed: 'services of feature views, whose values are stored' },
  )
}

function unknownService(catalog: Catalog, name: string, where: string): Fault {
  const known = [...catalog.servicesByName.keys()]
  return unknownName('unknown_service', 'no feature service', name, known, where)
}

function unknownFeature(view: FeatureView, name: string, where: string): Fault {
  const known = view.features.map((feature) => feature.name)
  const opening = `feature view ${JSON.stringify(view.name)} has no feature`
  return unknownName('unknown_feature', opening, name, known, where)
}

function unknownName(
  code: FaultCode,
  opening: string,
  name: string,
  known: readonly string[],
  where: string,
): Fault {
  const closest = closestName(name, known)
  const hint = closest === undefined ? '' : `; did you mean ${JSON.stringify(closest)}?`
  const shown = known.slice(0, NAMES_SHOWN_MAX).join(', ')
  const more = known.length > NAMES_SHOWN_MAX ? ` and ${known.length - NAMES_SHOWN_MAX} more` : ''
  return new Fault(code, `${opening} ${JSON.stringify(name)}${hint}`, {
    where,
    allowed: known.length === 0 ? undefined : `${shown}${more}`,
  })
}
