/**
 * The canonical bytes of composite values (row/format.md, "Heap values"): the sub-message that
 * feast.types.Value holds for their type. Reading takes what any protobuf writer may have made.
 */
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueType } from '../catalog/value-type.ts'
import { valueType } from '../catalog/value-type.ts'
import { readMessage, readValue } from './message-reader.ts'
import { writeMessage, writeValue } from './message-writer.ts'
import type { MapValue, TypedValue } from './plain-forms.ts'
import { asElements, asMap, asNested, asZoned } from './plain-forms.ts'
import { ProtoWriter } from './proto-wire.ts'
import { zonedText } from './zoned-text.ts'

/** Shared by all calls: none of them gives way to another while it writes. */
const writer = new ProtoWriter()

/** The sub-message of a list, set, map, nested or zoned value. */
export function encodeMessage(type: ValueType, value: PlainValue): Uint8Array {
  writer.reset()
  writeMessage(writer, type, value)
  return writer.slice(0)
}

/** A whole feast.types.Value: null is no bytes at all. */
export function encodeValue(type: ValueType, value: PlainValue): Uint8Array {
  writer.reset()
  if (value !== null) writeValue(writer, type, value)
  return writer.slice(0)
}

/** The plain value of a sub-message; what lies in maps and nested lists keeps its types. */
export const decodeMessage = (type: ValueType, bytes: Uint8Array): PlainValue =>
  readMessage(type, bytes, 0)

/** As decodeMessage, without the inner types. */
export const decodePlain = (type: ValueType, bytes: Uint8Array): PlainValue =>
  untyped(type, decodeMessage(type, bytes))

/** A whole feast.types.Value. Null, and what Feast can't serve (scalar maps), is NULL. */
export const decodeValue = (bytes: Uint8Array): TypedValue => readValue(bytes, 0)

/** A typed plain value without its inner types, as a reader without a schema wants it. */
export function untyped(type: ValueType, value: PlainValue): PlainValue {
  if (value === null) return null
  if (type.shape === 'map') return untypedMap(asMap(value))
  if (type.shape === 'nested') return asNested(value).map(untypedInner)
  if (type.element === 'MAP') return asElements(value).map((map) => untypedMap(asMap(map)))
  if (type.name === 'ZONED_TIMESTAMP') return zonedText(asZoned(value))
  return value
}

const untypedInner = (inner: TypedValue): PlainValue =>
  inner.type === 'NULL' ? null : untyped(valueType(inner.type), inner.value)

function untypedMap(map: MapValue): { [key: string]: PlainValue } {
  const plain: { [key: string]: PlainValue } = Object.create(null)
  for (const key of Object.keys(map)) plain[key] = untypedInner(map[key]!)
  return plain
}
