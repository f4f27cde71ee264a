/**
 * Values as JSON, msgpack and files bring them, made into the plain form that their feature's type
 * has in a row: the one place where the content of a row is checked on its way in.
 *
 *   BYTES                               Uint8Array
 *   STRING JSON UUID TIME_UUID DECIMAL  text
 *   INT32                               number
 *   INT64 UNIX_TIMESTAMP (seconds)      number where that is exact, else bigint
 *   FLOAT DOUBLE                        number, never NaN
 *   BOOL                                true or false
 *   lists and sets                      an array of the element's form (sets in any order)
 *   maps, nested lists, zoned times     plain-forms.ts
 */
import { Fault } from '../base/fault.ts'
import { NESTING_MAX } from '../base/limits.ts'
import type { Feature, JoinKey, PlainValue } from '../catalog/catalog.ts'
import type { ValueType } from '../catalog/value-type.ts'
import { valueType } from '../catalog/value-type.ts'
import { describeFound } from './describe-found.ts'
import type { KeyValue } from './entity-key.ts'
import type { NestedShape } from './nested-shape.ts'
import { parseNestedShape } from './nested-shape.ts'
import type { MapValue, TypedValue } from './plain-forms.ts'
import { TYPED_NULL, emptyMap } from './plain-forms.ts'
import { scalarRule } from './scalar-value.ts'

/** A value that does not fit is an `invalid_row` Fault with the feature, what was found, what may be. */
export function coerceValue(feature: Feature, value: unknown): PlainValue {
  if (value === null || value === undefined) return null
  const rule = scalarRule(feature.type.name)
  if (rule === undefined) {
    const element = nestedElement(feature)
    return coerceComposite({ type: feature.type, element }, value, new Place(feature))
  }
  const plain = rule.coerce(value)
  if (plain === undefined) throw new Place(feature).fault(value, rule.allowed)
  return Number.isNaN(plain) ? null : plain
}

/** A value for a join key. Null, and what does not fit, is an `invalid_entity` Fault. */
export function coerceKey(joinKey: JoinKey, value: unknown): KeyValue {
  const rule = scalarRule(joinKey.type)!
  const plain = value === null ? undefined : rule.coerce(value)
  if (plain !== undefined) return plain
  const message = `join key ${joinKey.name} is ${joinKey.type}, found ${describeFound(value)}`
  throw new Fault('invalid_entity', message, { where: joinKey.name, allowed: rule.allowed })
}

const nestedElements = new WeakMap<Feature, NestedShape>()

/** What the elements of a nested list are, where the feature says it. */
function nestedElement(feature: Feature): NestedShape | undefined {
  if (feature.type.shape !== 'nested' || feature.nestedType === '') return undefined
  const known = nestedElements.get(feature)
  if (known !== undefined) return known
  const element = parseNestedShape(feature.nestedType)?.element
  if (element !== undefined) nestedElements.set(feature, element)
  return element
}

/** Where inside a feature's value something stands, for the text of a Fault. */
class Place {
  readonly #feature: Feature
  readonly #path: readonly (string | number)[]

  constructor(feature: Feature, path: readonly (string | number)[] = []) {
    this.#feature = feature
    this.#path = path
  }

  get depth(): number {
    return this.#path.length
  }

  inside(step: string | number): Place {
    return new Place(this.#feature, [...this.#path, step])
  }

  fault(found: unknown, allowed: string): Fault {
    const { name, type } = this.#feature
    const path = this.#path.map((step) => `[${JSON.stringify(step)}]`).join('')
    const message = `feature ${name} is ${type.name}, found ${describeFound(found)}`
    return new Fault('invalid_row', message, { where: name + path, allowed })
  }
}

function coerceComposite(shape: NestedShape, value: unknown, place: Place): PlainValue {
  if (place.depth >= NESTING_MAX) throw place.fault(value, `${NESTING_MAX} levels of nesting`)
  const { type, element } = shape
  if (type.shape === 'map') return coerceMap(value, place)
  if (!Array.isArray(value)) throw place.fault(value, `a list, or null, for ${type.name}`)
  if (type.element !== '') return coerceElements(type, value, place)
  return value.map((inner: unknown, index) =>
    element === undefined
      ? inferValue(inner, place.inside(index))
      : coerceNested(element, inner, place.inside(index)),
  )
}

function coerceNested(shape: NestedShape, value: unknown, place: Place): TypedValue {
  if (value === null) return TYPED_NULL
  const rule = scalarRule(shape.type.name)
  const plain = rule ? rule.coerce(value) : coerceComposite(shape, value, place)
  if (plain === undefined) throw place.fault(value, rule!.allowed)
  return { type: shape.type.name, value: plain }
}

function coerceElements(type: ValueType, values: readonly unknown[], place: Place): PlainValue[] {
  const rule = scalarRule(type.element)
  if (rule === undefined) {
    return values.map((value, index) => coerceMap(value, place.inside(index)))
  }
  // Feast reads a null inside a list of floats as NaN; no other list can hold one.
  const hasNaN = type.shape === 'list' && (type.element === 'FLOAT' || type.element === 'DOUBLE')
  return values.map((value, index) => {
    const plain = value === null && hasNaN ? NaN : rule.coerce(value)
    if (plain === undefined || value === undefined) {
      throw place.inside(index).fault(value, `elements of ${type.element}: ${rule.allowed}`)
    }
    return plain
  })
}

function coerceMap(value: unknown, place: Place): MapValue {
  if (!isObject(value)) throw place.fault(value, 'an object')
  const map = emptyMap()
  for (const [key, inner] of Object.entries(value)) {
    if (!key.isWellFormed()) throw place.fault(key, 'names of whole code points')
    map[key] = inferValue(inner, place.inside(key))
  }
  return map
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** The type of a value that no declaration names: the one that it looks like. */
function inferValue(value: unknown, place: Place): TypedValue {
  if (value === null || value === undefined || Number.isNaN(value)) return TYPED_NULL
  if (Array.isArray(value)) return inferList(value, place)
  if (isObject(value)) {
    const map = coerceComposite({ type: valueType('MAP'), element: undefined }, value, place)
    return { type: 'MAP', value: map }
  }
  const type = kindOf(value)
  const plain = type === undefined ? undefined : scalarRule(type)!.coerce(value)
  if (type === undefined || plain === undefined) {
    throw place.fault(value, 'null, true, false, a number, text, bytes, a list or an object')
  }
  return { type, value: plain }
}

type Kind = 'BOOL' | 'STRING' | 'BYTES' | 'INT64' | 'DOUBLE'

function kindOf(value: unknown): Kind | undefined {
  if (typeof value === 'boolean') return 'BOOL'
  if (typeof value === 'string') return 'STRING'
  if (typeof value === 'bigint') return 'INT64'
  if (value instanceof Uint8Array) return 'BYTES'
  if (typeof value !== 'number') return undefined
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'INT64' : 'DOUBLE'
}

/** Elements of one kind make a list of that type; others, and none, a nested list. */
function inferList(values: readonly unknown[], place: Place): TypedValue {
  const kind = commonKind(values)
  const type = valueType(kind === undefined ? 'VALUE_LIST' : `${kind}_LIST`)
  return { type: type.name, value: coerceComposite({ type, element: undefined }, values, place) }
}

function commonKind(values: readonly unknown[]): Kind | 'MAP' | undefined {
  const kinds = new Set(values.map((value) => (isObject(value) ? 'MAP' : kindOf(value))))
  if (kinds.size === 1) return [...kinds][0]
  // Integers among fractions are doubles, where that loses nothing.
  const isNumeric = kinds.size === 2 && kinds.has('INT64') && kinds.has('DOUBLE')
  return isNumeric && !values.some((value) => typeof value === 'bigint') ? 'DOUBLE' : undefined
}
