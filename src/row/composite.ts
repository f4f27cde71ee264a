/**
 * The canonical bytes of composite values (row/format.md, "Heap values"): the sub-message that
 * feast.types.Value holds for their type. Reading takes what any protobuf writer may have made.
 */
import { Fault } from '../base/fault.ts'
import { NESTING_MAX } from '../base/limits.ts'
import { compareUtf8, utf8Encoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { valueType, valueTypeNumbered } from '../catalog/value-type.ts'
import { canonicalBooleans, canonicalEncoded, canonicalNumbers } from './canonical-set.ts'
import type { MapValue, TypedValue, ZonedValue } from './plain-forms.ts'
import { TYPED_NULL, asMap, asNested, asZoned, emptyMap } from './plain-forms.ts'
import { DELIMITED, FIXED32, FIXED64, ProtoReader, ProtoWriter, VARINT } from './proto-wire.ts'
import { zonedText } from './zoned-text.ts'

/** Shared by all calls: none of them gives way to another while it writes. */
const writer = new ProtoWriter()

/** The sub-message of a list, set, map, nested or zoned value. */
export function encodeMessage(type: ValueType, value: PlainValue): Uint8Array {
  writer.reset()
  writeMessage(type, value)
  return writer.slice(0)
}

/** A whole feast.types.Value: null is no bytes at all. */
export function encodeValue(type: ValueType, value: PlainValue): Uint8Array {
  writer.reset()
  if (value !== null) writeValue(type, value)
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
  if (type.element === 'MAP') return elementsOf(value).map((map) => untypedMap(asMap(map)))
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

// Writing

const elementsOf = (value: PlainValue): readonly PlainValue[] => value as readonly PlainValue[] // the type of the feature says so

function writeMessage(type: ValueType, value: PlainValue): void {
  if (type.name === 'ZONED_TIMESTAMP') writeZoned(asZoned(value))
  else if (type.shape === 'map') writeMap(asMap(value))
  else if (type.shape === 'nested') writeNested(type, asNested(value))
  else if (type.element === 'MAP') writeMapList(elementsOf(value))
  else if (type.heapForm === 'packed') writeNumbers(type, elementsOf(value))
  else writeTexts(type, elementsOf(value))
}

function writeZoned(value: ZonedValue): void {
  if (value.seconds != 0) {
    writer.tag(1, VARINT)
    writer.int64(value.seconds)
  }
  if (value.zone !== '') {
    writer.tag(2, DELIMITED)
    writer.text(value.zone)
  }
}

function writeMap(map: MapValue): void {
  for (const key of Object.keys(map).sort(compareUtf8)) {
    writer.tag(1, DELIMITED)
    const entry = writer.open()
    writer.tag(1, DELIMITED)
    writer.text(key)
    writer.tag(2, DELIMITED)
    const inner = writer.open()
    writeInner(map[key]!)
    writer.close(inner)
    writer.close(entry)
  }
}

function writeMapList(maps: readonly PlainValue[]): void {
  for (const map of maps) {
    writer.tag(1, DELIMITED)
    const start = writer.open()
    writeMap(asMap(map))
    writer.close(start)
  }
}

function writeNested(type: ValueType, values: readonly TypedValue[]): void {
  const elements = values.map(encodeElement)
  writeEncoded(type.name === 'VALUE_SET' ? canonicalEncoded(elements) : elements)
}

/** An element of a nested list, taken off the end of what is being written. */
function encodeElement(element: TypedValue): Uint8Array {
  const start = writer.used
  // Feast stores an empty list inside a nested one as an empty Value.
  if (!isEmptyList(element)) writeInner(element)
  const bytes = writer.slice(start)
  writer.rewind(start)
  return bytes
}

const isEmptyList = (element: TypedValue): boolean =>
  Array.isArray(element.value) && element.value.length === 0

function writeEncoded(elements: readonly Uint8Array[]): void {
  for (const element of elements) {
    writer.tag(1, DELIMITED)
    writer.bytes(element)
  }
}

function writeTexts(type: ValueType, values: readonly PlainValue[]): void {
  const elements = values.map((value) =>
    value instanceof Uint8Array ? value : utf8Encoder.encode(String(value)),
  )
  writeEncoded(type.shape === 'set' ? canonicalEncoded(elements) : elements)
}

function writeNumbers(type: ValueType, values: readonly PlainValue[]): void {
  if (values.length === 0) return
  writer.tag(1, DELIMITED)
  const start = writer.open()
  for (const value of type.shape === 'set' ? setElements(type, values) : values) {
    writeNumber(type.element, value)
  }
  writer.close(start)
}

/** Elements of a set of numbers or booleans in stored order. */
const setElements = (type: ValueType, values: readonly PlainValue[]): readonly PlainValue[] =>
  type.element === 'BOOL'
    ? canonicalBooleans(values as readonly boolean[]) // checked when the value was made
    : canonicalNumbers(type.element as ValueTypeName, values as readonly (number | bigint)[])

function writeNumber(element: ValueTypeName | '', value: PlainValue): void {
  if (element === 'DOUBLE') writer.double(Number(value))
  else if (element === 'FLOAT') writer.float(Number(value))
  else if (element === 'BOOL') writer.uint32(value === true ? 1 : 0)
  else writer.int64(value as number | bigint) // INT32, INT64 and UNIX_TIMESTAMP
}

function writeInner(inner: TypedValue): void {
  if (inner.type !== 'NULL') writeValue(valueType(inner.type), inner.value)
}

function writeValue(type: ValueType, value: PlainValue): void {
  writer.tag(type.number, wireTypeOf(type))
  if (type.heapForm === 'none') writeNumber(type.name, value)
  else if (type.heapForm === 'text') writer.text(String(value))
  else if (value instanceof Uint8Array) writer.bytes(value)
  else {
    const start = writer.open()
    writeMessage(type, value)
    writer.close(start)
  }
}

function wireTypeOf(type: ValueType): number {
  if (type.heapForm !== 'none') return DELIMITED
  if (type.name === 'DOUBLE') return FIXED64
  return type.name === 'FLOAT' ? FIXED32 : VARINT
}

// Reading

function readMessage(type: ValueType, bytes: Uint8Array, depth: number): PlainValue {
  if (depth >= NESTING_MAX) {
    throw new Fault('store_damaged', `a stored message is nested more than ${NESTING_MAX} deep`)
  }
  if (type.name === 'ZONED_TIMESTAMP') return readZoned(bytes)
  if (type.shape === 'map') return readMap(bytes, depth)
  if (type.heapForm === 'packed') return readNumbers(type, bytes)
  if (type.shape === 'nested') {
    return readEach(bytes, (reader) => readValue(reader.bytes(), depth + 1))
  }
  if (type.element === 'MAP') return readEach(bytes, (reader) => readMap(reader.bytes(), depth + 1))
  if (type.element === 'BYTES') return readEach(bytes, (reader) => reader.bytes().slice())
  return readEach(bytes, (reader) => reader.text())
}

/** The occurrences of field 1, each a length-delimited part. */
function readEach<T>(bytes: Uint8Array, readOne: (reader: ProtoReader) => T): T[] {
  const elements: T[] = []
  const reader = new ProtoReader(bytes)
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(DELIMITED)
      elements.push(readOne(reader))
    } else reader.skipValue()
  }
  return elements
}

function readZoned(bytes: Uint8Array): ZonedValue {
  const reader = new ProtoReader(bytes)
  let seconds: number | bigint = 0
  let zone = ''
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(VARINT)
      seconds = reader.int64()
    } else if (reader.field === 2) {
      reader.expect(DELIMITED)
      zone = reader.text()
    } else reader.skipValue()
  }
  return { seconds, zone }
}

function readMap(bytes: Uint8Array, depth: number): MapValue {
  const map = emptyMap()
  readEach(bytes, (outer) => {
    const entry = new ProtoReader(outer.bytes())
    let key = ''
    let inner = TYPED_NULL
    while (entry.next()) {
      if (entry.field > 2) {
        entry.skipValue()
        continue
      }
      entry.expect(DELIMITED)
      if (entry.field === 1) key = entry.text()
      else inner = readValue(entry.bytes(), depth + 1)
    }
    map[key] = inner
  })
  return map
}

/** Packed or one by one: protobuf allows both. */
function readNumbers(type: ValueType, bytes: Uint8Array): PlainValue[] {
  const values: PlainValue[] = []
  const reader = new ProtoReader(bytes)
  while (reader.next()) {
    if (reader.field !== 1) reader.skipValue()
    else if (reader.wireType === DELIMITED) {
      const packed = new ProtoReader(reader.bytes())
      while (!packed.isAtEnd) values.push(readNumber(type.element, packed))
    } else {
      reader.expect(wireTypeOf(valueType(type.element as ValueTypeName)))
      values.push(readNumber(type.element, reader))
    }
  }
  return values
}

function readNumber(element: ValueTypeName | '', reader: ProtoReader): number | bigint | boolean {
  if (element === 'DOUBLE') return reader.double()
  if (element === 'FLOAT') return reader.float()
  if (element === 'BOOL') return reader.bool()
  return element === 'INT32' ? reader.int32() : reader.int64()
}

function readValue(bytes: Uint8Array, depth: number): TypedValue {
  const reader = new ProtoReader(bytes)
  let found = TYPED_NULL
  while (reader.next()) {
    const type = valueTypeNumbered(reader.field)
    if (type === undefined) {
      reader.skipValue()
      found = TYPED_NULL
    } else {
      reader.expect(wireTypeOf(type))
      found = { type: type.name, value: readOneOf(type, reader, depth) }
    }
  }
  return found
}

function readOneOf(type: ValueType, reader: ProtoReader, depth: number): PlainValue {
  if (type.heapForm === 'none') return readNumber(type.name, reader)
  if (type.heapForm === 'text') return reader.text()
  if (type.heapForm === 'raw') return reader.bytes().slice()
  return readMessage(type, reader.bytes(), depth)
}
