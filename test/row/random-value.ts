/** Random values of every type, in their plain form, and what a row gives back for them. */
import type { Feature, PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../../src/catalog/value-type.ts'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import { narrowInt64 } from '../../src/base/int64.ts'
import type { LayoutFeature } from '../../src/row/layout.ts'
import { TYPED_NULL, asMap, asNested, emptyMap } from '../../src/row/plain-forms.ts'
import type { MapValue, TypedValue } from '../../src/row/plain-forms.ts'
import type { SeededRandom } from '../base/seeded-random.ts'

const DEPTH_MAX = 3

export const featureOf = (name: ValueTypeName, nestedType = ''): Feature => ({
  name: `a_${name.toLowerCase()}`,
  position: 0,
  type: valueType(name),
  defaultValue: undefined,
  nestedType,
})

export function randomFeatures(random: SeededRandom, countMax: number): LayoutFeature[] {
  return Array.from({ length: 1 + random.below(countMax) }, (_, place) => ({
    name: `f${place}`,
    type: random.pick(VALUE_TYPES),
  }))
}

const NESTED_TYPES = VALUE_TYPES.filter(({ shape }) => shape !== 'map' && shape !== 'nested')

export function randomValue(random: SeededRandom, type: ValueType, depth = 0): PlainValue {
  if (type.shape === 'map') return randomMap(random, depth)
  if (type.shape === 'nested') return random.list(4, () => randomTyped(random, depth + 1))
  if (type.element !== '') {
    const element = valueType(type.element)
    return random.list(5, () => randomElement(random, type, element, depth))
  }
  return randomScalar(random, type.name)
}

function randomElement(
  random: SeededRandom,
  type: ValueType,
  element: ValueType,
  depth: number,
): PlainValue {
  const canBeNaN = element.name === 'FLOAT' || element.name === 'DOUBLE'
  if (canBeNaN && random.chance(0.1)) return NaN
  return type.element === 'MAP' ? randomMap(random, depth + 1) : randomValue(random, element, depth)
}

function randomScalar(random: SeededRandom, name: ValueTypeName): PlainValue {
  switch (name) {
    case 'BYTES':
      return random.bytes(random.below(20))
    case 'INT32':
      return Number(BigInt.asIntN(32, random.int64()))
    case 'INT64':
    case 'UNIX_TIMESTAMP':
      return narrowInt64(random.int64())
    case 'DOUBLE':
      return random.double()
    case 'FLOAT':
      return Math.fround(random.double())
    case 'BOOL':
      return random.chance(0.5)
    case 'ZONED_TIMESTAMP':
      return {
        seconds: narrowInt64(random.int64()),
        zone: random.pick(['', 'UTC', 'Europe/Berlin']),
      }
    default:
      return random.text(12)
  }
}

function randomMap(random: SeededRandom, depth: number): MapValue {
  const map = emptyMap()
  const count = depth >= DEPTH_MAX ? 0 : random.below(4)
  for (let place = 0; place < count; place++) {
    const key = random.chance(0.1) ? '__proto__' : random.text(4)
    map[key] = randomTyped(random, depth + 1)
  }
  return map
}

function randomTyped(random: SeededRandom, depth: number): TypedValue {
  if (random.chance(0.1)) return TYPED_NULL
  const type = random.pick(depth >= DEPTH_MAX ? NESTED_TYPES : VALUE_TYPES)
  return { type: type.name, value: randomValue(random, type, depth) }
}

/** What reading gives for a value that was written: sets are sorted, empty inner lists are null. */
export function asStored(type: ValueType, value: PlainValue): PlainValue {
  if (value === null) return null
  if (type.shape === 'map') return storedMap(asMap(value))
  if (type.shape === 'nested') return storedNested(type, asNested(value))
  if (type.element === '') return value
  const elements = value as readonly PlainValue[]
  if (type.element === 'MAP') return elements.map((map) => storedMap(asMap(map)))
  return type.shape === 'set' ? storedSet(elements) : [...elements]
}

function storedMap(map: MapValue): PlainValue {
  const stored = emptyMap()
  for (const [key, inner] of Object.entries(map)) stored[key] = storedTyped(inner)
  return stored
}

const storedTyped = (inner: TypedValue): TypedValue =>
  inner.type === 'NULL'
    ? inner
    : { type: inner.type, value: asStored(valueType(inner.type), inner.value) }

function storedNested(type: ValueType, values: readonly TypedValue[]): PlainValue {
  const stored = values.map((inner) =>
    Array.isArray(inner.value) && inner.value.length === 0 ? TYPED_NULL : storedTyped(inner),
  )
  return type.name === 'VALUE_SET' ? withoutOrder(stored) : stored
}

/** A form in which sets of values are equal whatever their order: for comparing only. */
export const withoutOrder = (values: readonly PlainValue[]): PlainValue =>
  [...new Set(values.map((value) => Bun.inspect(value, { depth: 20, sorted: true })))].sort()

function storedSet(elements: readonly PlainValue[]): PlainValue[] {
  const unique = new Map(elements.map((element) => [identity(element), element]))
  const sorted = [...unique.entries()].sort(([a, one], [b, other]) =>
    isNumber(one) && isNumber(other)
      ? orderOf(one) - orderOf(other) || compare(one, other)
      : compare(a, b),
  )
  return sorted.map(([, element]) => (Object.is(element, -0) ? 0 : element))
}

const isNumber = (value: PlainValue): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint'

const orderOf = (value: number | bigint): number => Number(Number.isNaN(value))

const compare = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

/** Equal for equal elements; of texts and bytes also in stored order. */
const identity = (element: PlainValue): string =>
  typeof element === 'string' || element instanceof Uint8Array
    ? Buffer.from(element).toString('hex')
    : String(element)
