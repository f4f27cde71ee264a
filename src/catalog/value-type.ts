/** Feast's value types (feast.types.ValueType.Enum) and how each lies in a row. */

export type Shape = 'scalar' | 'list' | 'set' | 'map' | 'nested'
/** Bytes of the fixed slot, or 0 for a value in the row's heap. */
export type SlotBytes = 0 | 1 | 4 | 8
/** Alignment of one element in the heap. */
export type HeapAlign = 1 | 4 | 8
/**
 * How the heap bytes read: `text` is UTF-8; `raw` bytes; `packed` little-endian elements without
 * gaps; `message` the canonical serialized sub-message of feast.types.Value.
 */
export type HeapForm = 'none' | 'text' | 'raw' | 'packed' | 'message'

/** The order of the rows below is the order of the enum; the numbers are Feast's. Do not change. */
const ROWS = [
  // name, number, shape, element, slot, align, form
  ['BYTES', 1, 'scalar', '', 0, 1, 'raw'],
  ['STRING', 2, 'scalar', '', 0, 1, 'text'],
  ['INT32', 3, 'scalar', '', 4, 1, 'none'],
  ['INT64', 4, 'scalar', '', 8, 1, 'none'],
  ['DOUBLE', 5, 'scalar', '', 8, 1, 'none'],
  ['FLOAT', 6, 'scalar', '', 4, 1, 'none'],
  ['BOOL', 7, 'scalar', '', 1, 1, 'none'],
  ['UNIX_TIMESTAMP', 8, 'scalar', '', 8, 1, 'none'],
  ['BYTES_LIST', 11, 'list', 'BYTES', 0, 1, 'message'],
  ['STRING_LIST', 12, 'list', 'STRING', 0, 1, 'message'],
  ['INT32_LIST', 13, 'list', 'INT32', 0, 4, 'packed'],
  ['INT64_LIST', 14, 'list', 'INT64', 0, 8, 'packed'],
  ['DOUBLE_LIST', 15, 'list', 'DOUBLE', 0, 8, 'packed'],
  ['FLOAT_LIST', 16, 'list', 'FLOAT', 0, 4, 'packed'],
  ['BOOL_LIST', 17, 'list', 'BOOL', 0, 1, 'packed'],
  ['UNIX_TIMESTAMP_LIST', 18, 'list', 'UNIX_TIMESTAMP', 0, 8, 'packed'],
  ['MAP', 20, 'map', '', 0, 1, 'message'],
  ['MAP_LIST', 21, 'list', 'MAP', 0, 1, 'message'],
  ['BYTES_SET', 22, 'set', 'BYTES', 0, 1, 'message'],
  ['STRING_SET', 23, 'set', 'STRING', 0, 1, 'message'],
  ['INT32_SET', 24, 'set', 'INT32', 0, 4, 'packed'],
  ['INT64_SET', 25, 'set', 'INT64', 0, 8, 'packed'],
  ['DOUBLE_SET', 26, 'set', 'DOUBLE', 0, 8, 'packed'],
  ['FLOAT_SET', 27, 'set', 'FLOAT', 0, 4, 'packed'],
  ['BOOL_SET', 28, 'set', 'BOOL', 0, 1, 'packed'],
  ['UNIX_TIMESTAMP_SET', 29, 'set', 'UNIX_TIMESTAMP', 0, 8, 'packed'],
  ['JSON', 32, 'scalar', '', 0, 1, 'text'],
  ['JSON_LIST', 33, 'list', 'JSON', 0, 1, 'message'],
  ['STRUCT', 34, 'map', '', 0, 1, 'message'],
  ['STRUCT_LIST', 35, 'list', 'MAP', 0, 1, 'message'],
  ['UUID', 36, 'scalar', '', 0, 1, 'text'],
  ['TIME_UUID', 37, 'scalar', '', 0, 1, 'text'],
  ['UUID_LIST', 38, 'list', 'UUID', 0, 1, 'message'],
  ['TIME_UUID_LIST', 39, 'list', 'TIME_UUID', 0, 1, 'message'],
  ['UUID_SET', 40, 'set', 'UUID', 0, 1, 'message'],
  ['TIME_UUID_SET', 41, 'set', 'TIME_UUID', 0, 1, 'message'],
  ['VALUE_LIST', 42, 'nested', '', 0, 1, 'message'],
  ['VALUE_SET', 43, 'nested', '', 0, 1, 'message'],
  ['DECIMAL', 44, 'scalar', '', 0, 1, 'text'],
  ['DECIMAL_LIST', 45, 'list', 'DECIMAL', 0, 1, 'message'],
  ['DECIMAL_SET', 46, 'set', 'DECIMAL', 0, 1, 'message'],
  ['ZONED_TIMESTAMP', 48, 'scalar', '', 0, 1, 'message'],
] as const

export type ValueTypeName = (typeof ROWS)[number][0]

export type ValueType = {
  readonly name: ValueTypeName
  /** Number in ValueType.Enum and, the same, the field of the Value oneof. */
  readonly number: number
  readonly shape: Shape
  /** Element type of a list or set; '' where there is none. */
  readonly element: ValueTypeName | ''
  readonly slotBytes: SlotBytes
  readonly heapAlign: HeapAlign
  readonly heapForm: HeapForm
}

export const VALUE_TYPES: readonly ValueType[] = ROWS.map((row) =>
  Object.freeze({
    name: row[0],
    number: row[1],
    shape: row[2],
    element: row[3],
    slotBytes: row[4],
    heapAlign: row[5],
    heapForm: row[6],
  }),
)

const byName = new Map(VALUE_TYPES.map((type) => [type.name as string, type]))
const byNumber = new Map(VALUE_TYPES.map((type) => [type.number, type]))

/** Undefined for a name that is not a storable type. */
export const valueTypeNamed = (name: string): ValueType | undefined => byName.get(name)
/** Undefined for INVALID, NULL, SCALAR_MAP (47: Feast itself can't serve it) and unknown numbers. */
export const valueTypeNumbered = (number: number): ValueType | undefined => byNumber.get(number)

/** A type by a name that is known to exist: for code that names one in a literal. */
export function valueType(name: ValueTypeName): ValueType {
  const type = byName.get(name)
  if (type === undefined) throw new Error(`no value type ${name}`)
  return type
}

/** The five types that an entity key may have (Feast's key serialization knows no others). */
export const KEY_TYPES = ['BYTES', 'STRING', 'INT32', 'INT64', 'UNIX_TIMESTAMP'] as const
export type KeyTypeName = (typeof KEY_TYPES)[number]
export const isKeyType = (name: string): name is KeyTypeName =>
  (KEY_TYPES as readonly string[]).includes(name)
