/** A feature's type as Feast spells it in Python (`Array(Float32)`) or in its enum (`FLOAT_LIST`). */
import type { ValueType } from './value-type.ts'
import { VALUE_TYPES, valueType, valueTypeNamed } from './value-type.ts'

export type Dtype = {
  readonly type: ValueType
  /** Feast's text for the inner type of a nested list, '' for all others. */
  readonly nestedType: string
}

export const DTYPE_ALLOWED =
  'String, Bytes, Bool, Int32, Int64, Float32, Float64, UnixTimestamp, ZonedTimestamp, Json, Uuid, ' +
  'TimeUuid, Decimal, Map, Struct, Array(...) and Set(...) of these, and Array(Array(...))'

/** Spellings that differ from the enum's by more than case and underscores. */
const ALIASES = [
  ['float32', 'FLOAT'],
  ['float64', 'DOUBLE'],
  // Feast stores both as plain bytes.
  ['pdfbytes', 'BYTES'],
  ['imagebytes', 'BYTES'],
] as const

/** Lists eight deep fit; the parser calls itself for each. */
const SPELLING_UNITS_MAX = 128

const NESTED: ReadonlySet<string> = new Set(['VALUE_LIST', 'VALUE_SET'])

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '')

/** The nested types are named by their elements only: the enum's name does not tell them. */
const bySpelling: ReadonlyMap<string, ValueType> = new Map([
  ...VALUE_TYPES.filter((type) => !NESTED.has(type.name)).map(
    (type) => [plain(type.name), type] as const,
  ),
  ...ALIASES.map(([spelling, name]) => [spelling, valueType(name)] as const),
])

/** How Feast's primitive types are named inside `feast:nested_inner_type`. */
const PRIMITIVE_NAMES: ReadonlyMap<string, string> = new Map([
  ['FLOAT', 'FLOAT32'],
  ['DOUBLE', 'FLOAT64'],
])

const COLLECTION = /^(array|set)\((.*)\)$/i

/** A type with the text by which a type around it names it. */
type Named = Dtype & { readonly text: string; readonly isCollection: boolean }

/** Undefined for what is no type, or one that can't be stored. */
export function parseDtype(text: string): Dtype | undefined {
  if (text.length > SPELLING_UNITS_MAX) return undefined
  const named = parseNamed(text.replaceAll(' ', ''))
  return named === undefined ? undefined : { type: named.type, nestedType: named.nestedType }
}

function parseNamed(text: string): Named | undefined {
  const collection = COLLECTION.exec(text)
  if (collection === null) return parseName(text)
  const inner = parseNamed(collection[2] ?? '')
  if (inner === undefined) return undefined
  const isSet = collection[1]?.toLowerCase() === 'set'
  const outer = `${isSet ? 'Set' : 'Array'}(${inner.text})`
  if (inner.isCollection) {
    const type = valueType(isSet ? 'VALUE_SET' : 'VALUE_LIST')
    return { type, nestedType: outer, text: outer, isCollection: true }
  }
  const type = valueTypeNamed(`${inner.type.name}${isSet ? '_SET' : '_LIST'}`)
  return type && { type, nestedType: '', text: outer, isCollection: true }
}

function parseName(text: string): Named | undefined {
  const type = bySpelling.get(plain(text))
  if (type === undefined) return undefined
  const isCollection = type.shape === 'list' || type.shape === 'set'
  return { type, nestedType: '', text: nameOf(type), isCollection }
}

function nameOf(type: ValueType): string {
  const primitive = type.element === '' ? type.name : elementName(type)
  const name = PRIMITIVE_NAMES.get(primitive) ?? primitive
  if (type.shape === 'list') return `Array(${name})`
  return type.shape === 'set' ? `Set(${name})` : name
}

/** The type as it is written in features.yaml. */
export function dtypeText(dtype: Dtype): string {
  const { type, nestedType } = dtype
  if (nestedType !== '') return nestedType.replace(/[A-Z0-9_]{2,}/g, spelled)
  if (type.shape === 'list') return `Array(${spelled(elementName(type))})`
  if (type.shape === 'set') return `Set(${spelled(elementName(type))})`
  return spelled(type.name)
}

/** STRUCT_LIST has elements in the form of MAP. */
const elementName = (type: ValueType): string =>
  type.name === 'STRUCT_LIST' ? 'STRUCT' : type.element

const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['FLOAT', 'Float32'],
  ['DOUBLE', 'Float64'],
])

/** UNIX_TIMESTAMP -> UnixTimestamp. */
const spelled = (name: string): string =>
  SPELLINGS.get(name) ??
  name
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('')
