/** The feature services of features.yaml. */
import type { FeatureService, FeatureView, Projection } from './catalog.ts'
import { PROJECTION_FIELDS, SERVICE_FIELDS } from './features-fields.ts'
import type { Fields, RawMap, Report } from './field-report.ts'
import { addFault, hint, rawMap, readFields } from './field-report.ts'
import type { Path } from './yaml-document.ts'
import { nameAsFound, reportRepeats } from './yaml-entities.ts'

type Views = ReadonlyMap<string, FeatureView>

export function readServices(
  report: Report,
  raws: readonly unknown[],
  views: readonly FeatureView[],
): readonly FeatureService[] {
  // Of two views of one name the first is meant: the second is the faulty one.
  const known = new Map(views.toReversed().map((view) => [view.name, view]))
  const services = raws.map((raw, index) => {
    const map = rawMap(report, ['feature_services', index], raw)
    return map && readService(report, ['feature_services', index], map, known)
  })
  reportRepeats(report, ['feature_services'], 'feature service', services)
  return services.filter((service) => service !== undefined)
}

function readService(report: Report, path: Path, map: RawMap, views: Views): FeatureService {
  const fields = readFields(report, { path, otherKeys: 'refuse' }, SERVICE_FIELDS, map)
  const list = [...path, 'features']
  const projections = (fields.features ?? []).map((raw, index) =>
    readProjection(report, [...list, index], raw, views),
  )
  reportRepeatedNames(report, list, projections, views)
  return {
    name: fields.name ?? nameAsFound(map['name']),
    projections: projections.filter((projection) => projection !== undefined),
    precomputed: false,
    onDemand: [],
  }
}

/** A view's name alone stands for all its features. */
function readProjection(
  report: Report,
  path: Path,
  raw: unknown,
  views: Views,
): Projection | undefined {
  const isName = typeof raw === 'string'
  const map = isName ? { view: raw } : rawMap(report, path, raw)
  if (map === undefined) return undefined
  const fields = readFields(report, { path, otherKeys: 'refuse' }, PROJECTION_FIELDS, map)
  if (fields.view === undefined) return undefined
  const view = views.get(fields.view)
  if (view === undefined) {
    const message = `there is no feature view ${JSON.stringify(fields.view)}${hint(fields.view, views.keys())}`
    const allowed = [...views.keys()].join(', ') || undefined
    addFault(report, isName ? path : [...path, 'view'], message, allowed)
    return undefined
  }
  return {
    view: view.position,
    alias: fields.alias ?? '',
    versionTag: -1,
    features: readPositions(report, [...path, 'features'], fields.features, view),
    joinKeyMap: readJoinKeyMap(report, [...path, 'join_key_map'], fields.join_key_map, view),
  }
}

function readPositions(
  report: Report,
  path: Path,
  names: readonly string[] | undefined,
  view: FeatureView,
): readonly number[] {
  if (names === undefined) return view.features.map((feature) => feature.position)
  const positions = new Map(
    view.features.filter(({ name }) => name !== '').map(({ name, position }) => [name, position]),
  )
  const found: number[] = []
  names.forEach((name, index) => {
    const position = positions.get(name)
    if (position === undefined) {
      const message = `feature view ${JSON.stringify(view.name)} has no feature ${JSON.stringify(name)}`
      const allowed = [...positions.keys()].join(', ')
      addFault(report, [...path, index], message + hint(name, positions.keys()), allowed)
    } else if (found.includes(position)) {
      addFault(report, [...path, index], `feature ${JSON.stringify(name)} is listed twice`)
    } else found.push(position)
  })
  return found
}

function readJoinKeyMap(
  report: Report,
  path: Path,
  renames: Fields<typeof PROJECTION_FIELDS>['join_key_map'],
  view: FeatureView,
): ReadonlyMap<string, string> {
  const keys = view.joinKeys.map((key) => key.name)
  const map = new Map(Object.entries(renames ?? {}))
  for (const name of map.keys()) {
    if (keys.includes(name)) continue
    const message = `feature view ${JSON.stringify(view.name)} has no join key ${JSON.stringify(name)}`
    addFault(report, [...path, name], message + hint(name, keys), keys.join(', ') || undefined)
  }
  const columns = keys.map((key) => map.get(key) ?? key)
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) {
    addFault(report, path, `two join keys are asked for as ${JSON.stringify(twice)}`)
  }
  return map
}

/** A reply names its blocks: two of one name could not be told apart. */
function reportRepeatedNames(
  report: Report,
  list: Path,
  projections: readonly (Projection | undefined)[],
  views: Views,
): void {
  const byPosition = new Map([...views.values()].map((view) => [view.position, view.name]))
  const names = new Set<string>()
  for (const [index, projection] of projections.entries()) {
    if (projection === undefined) continue
    const name = projection.alias || (byPosition.get(projection.view) ?? '')
    if (names.has(name)) {
      const message = `${JSON.stringify(name)} stands in this service twice`
      addFault(report, [...list, index], message, 'one list of features, or an alias')
    }
    names.add(name)
  }
}
