/** One of Feast's views becomes one of the Catalog, or the reason why it can't be served. */
import type { Duration } from '@bufbuild/protobuf/wkt'
import { FEATURES_PER_VIEW_MAX, NAME_BYTES_MAX, TIME_US_MAX } from '../base/limits.ts'
import type { Entity, Feature, FeatureView, JoinKey } from './catalog.ts'
import { DUMMY_JOIN_KEY } from './catalog.ts'
import type { FeatureSpec } from './feast-registry_pb.ts'
import { ViewState } from './feast-registry_pb.ts'
import { sortJoinKeys } from './join-keys.ts'
import { toBatchSource, toStreamSource } from './registry-sources.ts'
import type { RegistryView } from './registry-view.ts'
import type { ValueType } from './value-type.ts'
import { isKeyType, valueType, valueTypeNumbered } from './value-type.ts'
import type { TagFault } from './view-tags.ts'
import { readViewTags } from './view-tags.ts'

/** The entity that Feast gives a view without one. */
export const DUMMY_ENTITY = '__dummy'
const NESTED_TYPE_TAG = 'feast:nested_inner_type'

/** Why an object can't be served, in place of the object. */
export type Refusal = { readonly refused: string }
export const refuse = (reason: string): Refusal => ({ refused: reason })

export type ViewMaking = {
  readonly entities: ReadonlyMap<string, Entity>
  readonly versioning: boolean
  /** Feast's serve_features_while_materializing. */
  readonly servesMaterializing: boolean
  readonly tagFaults: TagFault[]
}

/** Its position is set when all views are known. */
export function makeRegistryView(source: RegistryView, making: ViewMaking): FeatureView | Refusal {
  if (Buffer.byteLength(source.name) > NAME_BYTES_MAX) {
    return refuse(`its name is longer than ${NAME_BYTES_MAX} bytes`)
  }
  const joinKeys = makeJoinKeys(source, making.entities)
  if ('refused' in joinKeys) return joinKeys
  const features = makeFeatures(source.features)
  if ('refused' in features) return features
  const version = making.versioning ? source.version : 0
  const tags = new Map(Object.entries(source.tags))
  return {
    name: source.name,
    position: 0,
    kind: source.kind,
    table: version > 0 ? `${source.name}_v${version}` : source.name,
    version,
    entities: source.entities.filter((name) => name !== DUMMY_ENTITY),
    joinKeys,
    features,
    ttlUs: durationUs(source.ttl),
    ...readViewTags(tags, making.tagFaults),
    batchSource: source.batchSource && toBatchSource(source.batchSource),
    streamSource: source.streamSource && toStreamSource(source.streamSource, source.timestampField),
    online: source.online,
    disabled: source.disabled,
    refusedState: refusedState(source.state, making.servesMaterializing),
    tags,
  }
}

function makeJoinKeys(
  source: RegistryView,
  entities: ReadonlyMap<string, Entity>,
): readonly JoinKey[] | Refusal {
  const keys = new Map<string, JoinKey>()
  for (const { name, type } of keyColumns(source, entities)) {
    if (name === DUMMY_JOIN_KEY) continue
    const quoted = JSON.stringify(name)
    if (!isKeyType(type)) {
      return refuse(`its join key ${quoted} is ${type}, and Feast's keys hold no such type`)
    }
    if (keys.has(name)) return refuse(`it has join key ${quoted} twice`)
    keys.set(name, { name, type })
  }
  return sortJoinKeys([...keys.values()])
}

/** A registry of an older Feast has no entity columns: the entities say the same. */
function keyColumns(
  source: RegistryView,
  entities: ReadonlyMap<string, Entity>,
): readonly { readonly name: string; readonly type: string }[] {
  if (source.entityColumns.length > 0) {
    return source.entityColumns.map(({ name, valueType }) => ({ name, type: typeText(valueType) }))
  }
  return source.entities
    .filter((name) => name !== DUMMY_ENTITY)
    .map((name) => {
      const entity = entities.get(name)
      return { name: entity?.joinKey ?? name, type: entity?.type ?? 'UNKNOWN' }
    })
}

function makeFeatures(specs: readonly FeatureSpec[]): readonly Feature[] | Refusal {
  if (specs.length === 0) return refuse('it has no features')
  if (specs.length > FEATURES_PER_VIEW_MAX) {
    return refuse(`it has ${specs.length} features, more than ${FEATURES_PER_VIEW_MAX}`)
  }
  const features: Feature[] = []
  const names = new Set<string>()
  for (const { name, valueType: number, tags } of specs) {
    const type = storableType(number)
    const quoted = JSON.stringify(name)
    if (type === undefined) {
      return refuse(`its feature ${quoted} is ${typeText(number)}, which can't be stored`)
    }
    if (names.has(name)) return refuse(`it has feature ${quoted} twice`)
    names.add(name)
    const nestedType = tags[NESTED_TYPE_TAG] ?? ''
    features.push({ name, position: features.length, type, defaultValue: undefined, nestedType })
  }
  return features
}

/** Feast's Python SDK alone knows these two, and stores them as plain bytes. */
const PDF_BYTES = 30
const IMAGE_BYTES = 31

const storableType = (number: number): ValueType | undefined =>
  number === PDF_BYTES || number === IMAGE_BYTES ? valueType('BYTES') : valueTypeNumbered(number)

const NAMES_WITHOUT_BYTES: ReadonlyMap<number, string> = new Map([
  [0, 'of unknown type'],
  [19, 'NULL'],
  [47, 'SCALAR_MAP'],
])

export const typeText = (number: number): string =>
  storableType(number)?.name ?? NAMES_WITHOUT_BYTES.get(number) ?? `of type number ${number}`

/** Past 285 years a row never expires. */
function durationUs(duration: Duration | undefined): number {
  if (duration === undefined) return 0
  const us = Number(duration.seconds) * 1_000_000 + Math.round(duration.nanos / 1000)
  return us > 0 && us <= TIME_US_MAX ? us : 0
}

function refusedState(state: ViewState, servesMaterializing: boolean): FeatureView['refusedState'] {
  if (state === ViewState.CREATED) return 'CREATED'
  if (state === ViewState.GENERATED) return 'GENERATED'
  return state === ViewState.MATERIALIZING && !servesMaterializing ? 'MATERIALIZING' : ''
}
