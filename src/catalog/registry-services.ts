/** Feast's feature services as services of the Catalog, or the reason why one can't be served. */
import type { FeatureService, FeatureView, Projection } from './catalog.ts'
import type { FeatureService as Message, FeatureViewProjection } from './feast-registry_pb.ts'
import type { Refusal } from './make-registry-view.ts'
import { refuse } from './make-registry-view.ts'

export type ServiceMaking = {
  /** All versions, in the Catalog's order: the current one of a name first. */
  readonly views: readonly FeatureView[]
  readonly versioning: boolean
  readonly onDemand: ReadonlySet<string>
  /** Names that are known and not served. */
  readonly refused: ReadonlyMap<string, string>
}

export function makeRegistryService(
  spec: NonNullable<Message['spec']>,
  making: ServiceMaking,
): FeatureService | Refusal {
  const projections: Projection[] = []
  const onDemand: string[] = []
  for (const source of spec.features) {
    if (making.onDemand.has(source.featureViewName)) {
      onDemand.push(source.featureViewName)
      continue
    }
    const projection = makeProjection(source, making)
    if ('refused' in projection) return projection
    projections.push(projection)
  }
  return { name: spec.name, projections, precomputed: spec.precomputeOnline, onDemand }
}

function makeProjection(
  source: FeatureViewProjection,
  making: ServiceMaking,
): Projection | Refusal {
  const view = findView(source, making)
  if ('refused' in view) return view
  const positions = new Map(view.features.map(({ name, position }) => [name, position]))
  const features = new Set<number>()
  for (const { name } of source.featureColumns) {
    const position = positions.get(name)
    if (position !== undefined) features.add(position)
    else {
      const [asked, holder] = [JSON.stringify(name), JSON.stringify(view.name)]
      return refuse(`it asks for feature ${asked}, which feature view ${holder} does not have`)
    }
  }
  return {
    view: view.position,
    alias: source.featureViewNameAlias,
    versionTag: source.versionTag ?? -1,
    features: [...features],
    joinKeyMap: new Map(Object.entries(source.joinKeyMap)),
  }
}

function findView(source: FeatureViewProjection, making: ServiceMaking): FeatureView | Refusal {
  const { featureViewName: name, versionTag } = source
  const quoted = JSON.stringify(name)
  if (versionTag !== undefined && !making.versioning) {
    return refuse(`it asks for version ${versionTag} of ${quoted}, and versioning is off`)
  }
  const versions = making.views.filter((view) => view.name === name)
  const view = versions.find((each) => versionTag === undefined || each.version === versionTag)
  if (view !== undefined) return view
  const reason = making.refused.get(name)
  if (reason !== undefined) return refuse(`feature view ${quoted} is not served: ${reason}`)
  if (versions.length === 0) return refuse(`there is no feature view ${quoted}`)
  return refuse(`there is no version ${versionTag} of feature view ${quoted}`)
}
