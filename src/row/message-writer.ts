/** Writes composite values as canonical messages (row/format.md, "Heap values"). */
import { compareUtf8, utf8Encoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { valueType } from '../catalog/value-type.ts'
import { canonicalBooleans, canonicalEncoded, canonicalNumbers } from './canonical-set.ts'
import type { MapValue, TypedValue, ZonedValue } from './plain-forms.ts'
import { asElements, asMap, asNested, asZoned } from './plain-forms.ts'
import type { ProtoWriter } from './proto-wire.ts'
import { DELIMITED, VARINT, wireTypeOf } from './proto-wire.ts'

export function writeMessage(out: ProtoWriter, type: ValueType, value: PlainValue): void {
  if (type.name === 'ZONED_TIMESTAMP') writeZoned(out, asZoned(value))
  else if (type.shape === 'map') writeMap(out, asMap(value))
  else if (type.shape === 'nested') writeNested(out, type, asNested(value))
  else if (type.element === 'MAP') writeMapList(out, asElements(value))
  else if (type.heapForm === 'packed') writeNumbers(out, type, asElements(value))
  else writeTexts(out, type, asElements(value))
}

function writeZoned(out: ProtoWriter, value: ZonedValue): void {
  if (Number(value.seconds) !== 0) {
    out.tag(1, VARINT)
    out.int64(value.seconds)
  }
  if (value.zone !== '') {
    out.tag(2, DELIMITED)
    out.text(value.zone)
  }
}

function writeMap(out: ProtoWriter, map: MapValue): void {
  for (const key of Object.keys(map).sort(compareUtf8)) {
    out.tag(1, DELIMITED)
    const entry = out.open()
    out.tag(1, DELIMITED)
    out.text(key)
    out.tag(2, DELIMITED)
    const inner = out.open()
    writeInner(out, map[key]!)
    out.close(inner)
    out.close(entry)
  }
}

function writeMapList(out: ProtoWriter, maps: readonly PlainValue[]): void {
  for (const map of maps) {
    out.tag(1, DELIMITED)
    const start = out.open()
    writeMap(out, asMap(map))
    out.close(start)
  }
}

function writeNested(out: ProtoWriter, type: ValueType, values: readonly TypedValue[]): void {
  const elements = values.map((value) => encodeElement(out, value))
  writeEncoded(out, type.name === 'VALUE_SET' ? canonicalEncoded(elements) : elements)
}

/** An element of a nested list, taken off the end of what is being written. */
function encodeElement(out: ProtoWriter, element: TypedValue): Uint8Array {
  const start = out.used
  // Feast stores an empty list inside a nested one as an empty Value.
  if (!isEmptyList(element)) writeInner(out, element)
  const bytes = out.slice(start)
  out.rewind(start)
  return bytes
}

const isEmptyList = (element: TypedValue): boolean =>
  Array.isArray(element.value) && element.value.length === 0

function writeEncoded(out: ProtoWriter, elements: readonly Uint8Array[]): void {
  for (const element of elements) {
    out.tag(1, DELIMITED)
    out.bytes(element)
  }
}

function writeTexts(out: ProtoWriter, type: ValueType, values: readonly PlainValue[]): void {
  const elements = values.map((value) =>
    value instanceof Uint8Array ? value : utf8Encoder.encode(String(value)),
  )
  writeEncoded(out, type.shape === 'set' ? canonicalEncoded(elements) : elements)
}

function writeNumbers(out: ProtoWriter, type: ValueType, values: readonly PlainValue[]): void {
  if (values.length === 0) return
  out.tag(1, DELIMITED)
  const start = out.open()
  for (const value of type.shape === 'set' ? setElements(type, values) : values) {
    writeNumber(out, type.element, value)
  }
  out.close(start)
}

/** Elements of a set of numbers or booleans in stored order. */
const setElements = (type: ValueType, values: readonly PlainValue[]): readonly PlainValue[] =>
  type.element === 'BOOL'
    ? canonicalBooleans(values as readonly boolean[]) // checked when the value was made
    : canonicalNumbers(type.element as ValueTypeName, values as readonly (number | bigint)[])

function writeNumber(out: ProtoWriter, element: ValueTypeName | '', value: PlainValue): void {
  if (element === 'DOUBLE') out.double(Number(value))
  else if (element === 'FLOAT') out.float(Number(value))
  else if (element === 'BOOL') out.uint32(value === true ? 1 : 0)
  else out.int64(value as number | bigint) // INT32, INT64 and UNIX_TIMESTAMP
}

function writeInner(out: ProtoWriter, inner: TypedValue): void {
  if (inner.type !== 'NULL') writeValue(out, valueType(inner.type), inner.value)
}

export function writeValue(out: ProtoWriter, type: ValueType, value: PlainValue): void {
  out.tag(type.number, wireTypeOf(type))
  if (type.heapForm === 'none') writeNumber(out, type.name, value)
  else if (type.heapForm === 'text') out.text(String(value))
  else if (value instanceof Uint8Array) out.bytes(value)
  else {
    const start = out.open()
    writeMessage(out, type, value)
    out.close(start)
  }
}
