/** The feature views of features.yaml. */
import type { Feature, FeatureView, JoinKey } from './catalog.ts'
import { FEATURE_FIELDS, VIEW_FIELDS } from './features-fields.ts'
import type { RawMap, Report } from './field-report.ts'
import { addFault, foundText, hint, rawMap, readFields } from './field-report.ts'
import { sortJoinKeys } from './join-keys.ts'
import { parseDefault } from './parse-default.ts'
import type { Dtype } from './parse-dtype.ts'
import { DTYPE_ALLOWED, dtypeText, parseDtype } from './parse-dtype.ts'
import { valueType } from './value-type.ts'
import type { Path } from './yaml-document.ts'
import type { KeyedEntity } from './yaml-entities.ts'
import { nameAsFound, reportRepeats } from './yaml-entities.ts'
import { pushedSource, readBatchSource, readStreamSource } from './yaml-sources.ts'

/** A view with the name of the push source that feeds it, or ''. */
export type DeclaredView = { readonly view: FeatureView; readonly pushSource: string }

export function readViews(
  report: Report,
  raws: readonly unknown[],
  entities: readonly KeyedEntity[],
): readonly DeclaredView[] {
  const known = new Map(entities.map((entity) => [entity.name, entity]))
  const declared = raws.map((raw, position) => {
    const map = rawMap(report, ['feature_views', position], raw)
    return map === undefined ? undefined : readView(report, map, position, known)
  })
  const views = declared.map((each) => each?.view)
  reportRepeats(report, ['feature_views'], 'feature view', views)
  return declared.filter((each) => each !== undefined)
}

type Known = ReadonlyMap<string, KeyedEntity>

function readView(report: Report, map: RawMap, position: number, known: Known): DeclaredView {
  const path = ['feature_views', position]
  const fields = readFields(report, { path, otherKeys: 'refuse' }, VIEW_FIELDS, map)
  const name = fields.name ?? nameAsFound(map['name'])
  const joinKeys = readJoinKeys(report, [...path, 'entities'], fields.entities ?? [], known)
  const features = readFeatures(report, [...path, 'features'], fields.features ?? [], joinKeys)
  const columns = namesOf([...joinKeys, ...features])
  const view: FeatureView = {
    name,
    position,
    kind: 'feature_view',
    table: name,
    version: 0,
    entities: fields.entities ?? [],
    joinKeys,
    features,
    ttlUs: fields.ttl ?? 0,
    partial: fields.partial ?? false,
    wide: fields.wide ?? false,
    cacheMaxStalenessMs: (fields.cache_max_staleness ?? 0) / 1000,
    staleIfError: fields.stale_if_error ?? false,
    freshnessSloUs: fields.freshness_slo ?? 0,
    batchSource: readBatchSource(report, path, map, { view: name, columns }),
    streamSource:
      readStreamSource(report, path, map, { view: name, columns }) ??
      pushedSource(fields.push_source),
    online: fields.online ?? true,
    disabled: false,
    refusedState: '',
    tags: new Map(Object.entries(fields.tags ?? {})),
  }
  return { view, pushSource: fields.push_source ?? '' }
}

const namesOf = (all: readonly { readonly name: string }[]): readonly string[] =>
  [...new Set(all.map(({ name }) => name))].filter((name) => name !== '')

function readJoinKeys(
  report: Report,
  path: Path,
  names: readonly string[],
  known: Known,
): readonly JoinKey[] {
  const keys = new Map<string, JoinKey>()
  names.forEach((name, index) => {
    const entity = known.get(name)
    if (entity === undefined) {
      const message = `there is no entity ${JSON.stringify(name)}${hint(name, known.keys())}`
      addFault(report, [...path, index], message, [...known.keys()].join(', ') || undefined)
    } else if (keys.has(entity.joinKey)) {
      const key = JSON.stringify(entity.joinKey)
      addFault(report, [...path, index], `join key ${key} stands in this view's key twice`)
    } else keys.set(entity.joinKey, { name: entity.joinKey, type: entity.type })
  })
  return sortJoinKeys([...keys.values()])
}

function readFeatures(
  report: Report,
  path: Path,
  raws: readonly unknown[],
  joinKeys: readonly JoinKey[],
): readonly Feature[] {
  const features = raws.map((raw, position) => {
    const map = rawMap(report, [...path, position], raw)
    return map === undefined ? undefined : readFeature(report, [...path, position], map, position)
  })
  reportRepeats(report, path, 'feature', features)
  for (const [position, feature] of features.entries()) {
    if (!joinKeys.some((key) => key.name === feature?.name)) continue
    const name = JSON.stringify(feature?.name)
    const message = `feature ${name} has the name of a join key of its view`
    addFault(report, [...path, position, 'name'], message, 'another name; a key is not a feature')
  }
  return features.filter((feature) => feature !== undefined)
}

function readFeature(report: Report, path: Path, map: RawMap, position: number): Feature {
  const fields = readFields(report, { path, otherKeys: 'refuse' }, FEATURE_FIELDS, map)
  const dtype = readDtype(report, [...path, 'type'], fields.type)
  const found = map['default']
  return {
    name: fields.name ?? nameAsFound(map['name']),
    position,
    type: dtype?.type ?? valueType('STRING'),
    defaultValue:
      dtype === undefined || !('default' in map)
        ? undefined
        : readDefault(report, [...path, 'default'], dtype, found),
    nestedType: dtype?.nestedType ?? '',
  }
}

function readDtype(report: Report, path: Path, text: string | undefined): Dtype | undefined {
  if (text === undefined) return undefined
  const dtype = parseDtype(text)
  if (dtype === undefined) {
    const message = `${JSON.stringify(text)} is no type that can be stored${hint(text, SPELLINGS)}`
    addFault(report, path, message, DTYPE_ALLOWED)
  }
  return dtype
}

/** Among which a misspelt type is looked for. */
const SPELLINGS = DTYPE_ALLOWED.match(/\b[A-Z]\w+\b/g) ?? []

function readDefault(
  report: Report,
  path: Path,
  dtype: Dtype,
  found: unknown,
): Feature['defaultValue'] {
  const parsed = parseDefault(dtype.type, found)
  if (parsed.isValid) return parsed.value
  const message = `the default is ${foundText(found)}, the type ${dtypeText(dtype)}`
  addFault(report, path, message, parsed.allowed)
  return undefined
}
