/** One cell of a reply on Feast's path, from the bytes of its row: a writer for each type. */
import type { PlainValue } from '../catalog/catalog.ts'
import { valueType } from '../catalog/value-type.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { decodeMessage } from '../row/composite.ts'
import type { TypedValue } from '../row/plain-forms.ts'
import { asMap, asNested, asZoned } from '../row/plain-forms.ts'
import { zonedText } from '../row/zoned-text.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { CellWriter, HeapWriter, NumberWriter } from './columnar-format.ts'
import { elementType, heapCell, slotCell } from './columnar-format.ts'
import { writeBase64, writeInt64, writeInteger, writePlain, writeText } from './json-text.ts'
import { writePythonFloat } from './python-float.ts'

/** Writes a cell whose value is present. */
export function feastCellWriter(type: ValueType): CellWriter {
  return type.heapForm === 'none' ? slotCell(numberWriter(type.name)) : heapCell(heapWriter(type))
}

function numberWriter(name: ValueTypeName): NumberWriter {
  switch (name) {
    case 'FLOAT':
      return (out, rows, at) => writePythonFloat(out, rows.floats[at >>> 2]!)
    case 'DOUBLE':
      return (out, rows, at) => writePythonFloat(out, rows.doubles[at / 8]!)
    case 'INT32':
      return (out, rows, at) => writeInteger(out, rows.ints[at >>> 2]!)
    case 'BOOL':
      return (out, rows, at) => out.ascii(rows.bytes[at] === 0 ? 'false' : 'true')
    default: // INT64 and UNIX_TIMESTAMP
      return (out, rows, at) => writeInt64(out, rows.words[at >>> 2]!, rows.ints[(at >>> 2) + 1]!)
  }
}

function heapWriter(type: ValueType): HeapWriter {
  switch (type.heapForm) {
    case 'text':
      return (out, rows, start, end) => writeText(out, rows.bytes, start, end)
    case 'raw':
      return (out, rows, start, end) => writeBase64(out, rows.bytes, start, end)
    case 'packed':
      return packedWriter(type)
    default:
      return (out, rows, start, end) =>
        writeTyped(out, type, decodeMessage(type, rows.bytes.subarray(start, end)))
  }
}

function packedWriter(type: ValueType): HeapWriter {
  const write = numberWriter(elementType(type).name)
  return (out, rows, start, end) => {
    out.ascii('[')
    for (let at = start; at < end; at += type.heapAlign) {
      if (at > start) out.ascii(',')
      write(out, rows, at)
    }
    out.ascii(']')
  }
}

/** A value of a type, in the plain form that row/plain-forms.ts gives it. */
export function writeTyped(out: ByteWriter, type: ValueType, value: PlainValue): void {
  if (value === null) out.ascii('null')
  else if (type.name === 'ZONED_TIMESTAMP') writePlain(out, zonedText(asZoned(value)))
  else if (type.shape === 'map') writeMap(out, value)
  else if (type.shape === 'nested') writeNested(out, asNested(value))
  else if (type.shape === 'scalar') writeScalar(out, type.name, value)
  else writeElements(out, elementType(type), value as readonly PlainValue[]) // a list or a set
}

function writeScalar(out: ByteWriter, name: ValueTypeName, value: PlainValue): void {
  if (typeof value === 'number' && (name === 'FLOAT' || name === 'DOUBLE')) {
    writePythonFloat(out, value)
  } else writePlain(out, value)
}

function writeElements(out: ByteWriter, type: ValueType, values: readonly PlainValue[]): void {
  out.ascii('[')
  values.forEach((value, place) => {
    if (place > 0) out.ascii(',')
    writeTyped(out, type, value)
  })
  out.ascii(']')
}

function writeMap(out: ByteWriter, value: PlainValue): void {
  const map = asMap(value)
  out.ascii('{')
  Object.keys(map).forEach((key, place) => {
    if (place > 0) out.ascii(',')
    writePlain(out, key)
    out.ascii(':')
    writeInner(out, map[key]!)
  })
  out.ascii('}')
}

function writeNested(out: ByteWriter, values: readonly TypedValue[]): void {
  out.ascii('[')
  values.forEach((value, place) => {
    if (place > 0) out.ascii(',')
    writeInner(out, value)
  })
  out.ascii(']')
}

function writeInner(out: ByteWriter, { type, value }: TypedValue): void {
  if (type === 'NULL') out.ascii('null')
  else writeTyped(out, valueType(type), value)
}
