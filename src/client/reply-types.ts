/** The value types of a reply, by name and number, and how each lies in a row (the server's row/format.md). */

/** How a value reads: a number of a slot, or bytes of the heap. */
export type ReplyForm =
  | 'double'
  | 'float'
  | 'int64'
  | 'int32'
  | 'bool'
  | 'text'
  | 'bytes'
  | 'packed'
  | 'texts'
  | 'byte-strings'
  | 'map'
  | 'maps'
  | 'nested'
  | 'zoned'

export type ReplyType = {
  readonly name: string
  readonly number: number
  readonly form: ReplyForm
  /** Bytes of the slot; of one packed element; else 0. */
  readonly width: number
  /** Form of an element of a packed list. */
  readonly element: ReplyForm | ''
}

/** Name, number, form, width, element. The numbers are Feast's. */
const TYPES: readonly (readonly [string, number, ReplyForm, number, ReplyForm | ''])[] = [
  ['BYTES', 1, 'bytes', 0, ''],
  ['STRING', 2, 'text', 0, ''],
  ['INT32', 3, 'int32', 4, ''],
  ['INT64', 4, 'int64', 8, ''],
  ['DOUBLE', 5, 'double', 8, ''],
  ['FLOAT', 6, 'float', 4, ''],
  ['BOOL', 7, 'bool', 1, ''],
  ['UNIX_TIMESTAMP', 8, 'int64', 8, ''],
  ['BYTES_LIST', 11, 'byte-strings', 0, ''],
  ['STRING_LIST', 12, 'texts', 0, ''],
  ['INT32_LIST', 13, 'packed', 4, 'int32'],
  ['INT64_LIST', 14, 'packed', 8, 'int64'],
  ['DOUBLE_LIST', 15, 'packed', 8, 'double'],
  ['FLOAT_LIST', 16, 'packed', 4, 'float'],
  ['BOOL_LIST', 17, 'packed', 1, 'bool'],
  ['UNIX_TIMESTAMP_LIST', 18, 'packed', 8, 'int64'],
  ['MAP', 20, 'map', 0, ''],
  ['MAP_LIST', 21, 'maps', 0, ''],
  ['BYTES_SET', 22, 'byte-strings', 0, ''],
  ['STRING_SET', 23, 'texts', 0, ''],
  ['INT32_SET', 24, 'packed', 4, 'int32'],
  ['INT64_SET', 25, 'packed', 8, 'int64'],
  ['DOUBLE_SET', 26, 'packed', 8, 'double'],
  ['FLOAT_SET', 27, 'packed', 4, 'float'],
  ['BOOL_SET', 28, 'packed', 1, 'bool'],
  ['UNIX_TIMESTAMP_SET', 29, 'packed', 8, 'int64'],
  ['JSON', 32, 'text', 0, ''],
  ['JSON_LIST', 33, 'texts', 0, ''],
  ['STRUCT', 34, 'map', 0, ''],
  ['STRUCT_LIST', 35, 'maps', 0, ''],
  ['UUID', 36, 'text', 0, ''],
  ['TIME_UUID', 37, 'text', 0, ''],
  ['UUID_LIST', 38, 'texts', 0, ''],
  ['TIME_UUID_LIST', 39, 'texts', 0, ''],
  ['UUID_SET', 40, 'texts', 0, ''],
  ['TIME_UUID_SET', 41, 'texts', 0, ''],
  ['VALUE_LIST', 42, 'nested', 0, ''],
  ['VALUE_SET', 43, 'nested', 0, ''],
  ['DECIMAL', 44, 'text', 0, ''],
  ['DECIMAL_LIST', 45, 'texts', 0, ''],
  ['DECIMAL_SET', 46, 'texts', 0, ''],
  ['ZONED_TIMESTAMP', 48, 'zoned', 0, ''],
]

const all: readonly ReplyType[] = TYPES.map(([name, number, form, width, element]) =>
  Object.freeze({ name, number, form, width, element }),
)
const byName = new Map(all.map((type) => [type.name, type]))
const byNumber = new Map(all.map((type) => [type.number, type]))

export const replyTypeNamed = (name: string): ReplyType | undefined => byName.get(name)
export const replyTypeNumbered = (number: number): ReplyType | undefined => byNumber.get(number)

export const isSlot = ({ form }: ReplyType): boolean =>
  form === 'double' || form === 'float' || form === 'int64' || form === 'int32' || form === 'bool'
