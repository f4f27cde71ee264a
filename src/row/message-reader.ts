/** Reads composite values from messages, also those that another protobuf writer made. */
import { Fault } from '../base/fault.ts'
import { NESTING_MAX } from '../base/limits.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { valueType, valueTypeNumbered } from '../catalog/value-type.ts'
import type { MapValue, TypedValue, ZonedValue } from './plain-forms.ts'
import { TYPED_NULL, emptyMap } from './plain-forms.ts'
import { DELIMITED, ProtoReader, VARINT, wireTypeOf } from './proto-wire.ts'

export function readMessage(type: ValueType, bytes: Uint8Array, depth: number): PlainValue {
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

export function readValue(bytes: Uint8Array, depth: number): TypedValue {
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
