/** The entities of features.yaml. */
import type { Entity } from './catalog.ts'
import { ENTITY_FIELDS } from './features-fields.ts'
import type { Report } from './field-report.ts'
import { addFault, rawMap, readFields } from './field-report.ts'
import { parseDtype } from './parse-dtype.ts'
import type { KeyTypeName } from './value-type.ts'
import { isKeyType } from './value-type.ts'
import type { Path } from './yaml-document.ts'
import { placeOfValue } from './yaml-document.ts'

export const KEY_TYPE_ALLOWED = 'String, Bytes, Int32, Int64 or UnixTimestamp'

export type KeyedEntity = Entity & { readonly type: KeyTypeName }

/** Names and types that are faulty have stand-ins, so that what refers to them is checked too. */
export function readEntities(report: Report, raws: readonly unknown[]): readonly KeyedEntity[] {
  const entities = raws.map((raw, index) => readEntity(report, ['entities', index], raw))
  reportRepeats(report, ['entities'], 'entity', entities)
  reportTornKeys(report, entities)
  return entities.filter((entity) => entity !== undefined)
}

function readEntity(report: Report, path: Path, raw: unknown): KeyedEntity | undefined {
  const map = rawMap(report, path, raw)
  if (map === undefined) return undefined
  const fields = readFields(report, { path, otherKeys: 'refuse' }, ENTITY_FIELDS, map)
  const name = fields.name ?? nameAsFound(map['name'])
  return {
    name,
    joinKey: fields.join_key ?? name,
    type: readKeyType(report, [...path, 'value_type'], fields.value_type),
  }
}

function readKeyType(report: Report, path: Path, text: string | undefined): KeyTypeName {
  if (text === undefined) return 'STRING'
  const type = parseDtype(text)?.type.name
  if (type !== undefined && isKeyType(type)) return type
  const message = type === undefined ? 'is no type' : 'is no type that a key can have'
  addFault(report, path, `${JSON.stringify(text)} ${message}`, KEY_TYPE_ALLOWED)
  return 'STRING'
}

/** A name that is not allowed is still the name by which others mean this object. */
export const nameAsFound = (found: unknown): string => (typeof found === 'string' ? found : '')

/** `objects` in the order of the list; undefined for what could not be read. */
export function reportRepeats(
  report: Report,
  list: Path,
  noun: string,
  objects: readonly ({ readonly name: string } | undefined)[],
): void {
  const firsts = new Map<string, number>()
  for (const [index, object] of objects.entries()) {
    const name = object?.name ?? ''
    const first = firsts.get(name)
    if (name === '') continue
    if (first === undefined) firsts.set(name, index)
    else {
      const place = placeOfValue(report.yaml, [...list, first, 'name'])
      const message = `${noun} ${JSON.stringify(name)} is declared twice, first at ${place}`
      addFault(report, [...list, index, 'name'], message)
    }
  }
}

/** A request has one column for a join key, whichever views it feeds. */
function reportTornKeys(report: Report, entities: readonly (KeyedEntity | undefined)[]): void {
  const firsts = new Map<string, KeyedEntity>()
  for (const [index, entity] of entities.entries()) {
    if (entity === undefined) continue
    const first = firsts.get(entity.joinKey)
    if (first === undefined) firsts.set(entity.joinKey, entity)
    else if (first.type !== entity.type && first.name !== entity.name) {
      const [key, other] = [JSON.stringify(entity.joinKey), JSON.stringify(first.name)]
      const message = `join key ${key} is ${entity.type} here and ${first.type} in entity ${other}`
      addFault(report, ['entities', index], message, 'one type for a join key, or another name')
    }
  }
}
