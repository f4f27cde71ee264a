/** One cell of a JSON reply, from the bytes of its row: a writer for each type. */
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { decodePlain } from '../row/composite.ts'
import type { CellWriter, HeapWriter, NumberWriter } from './columnar-format.ts'
import { elementType, heapCell, slotCell } from './columnar-format.ts'
import {
  writeBase64,
  writeDouble,
  writeInt64,
  writeInteger,
  writePlain,
  writeText,
} from './json-text.ts'
import { forEachElement } from './text-elements.ts'

/** Writes a cell whose value is present. */
export function jsonCellWriter(type: ValueType): CellWriter {
  return type.heapForm === 'none' ? slotCell(numberWriter(type.name)) : heapCell(heapWriter(type))
}

function numberWriter(name: ValueTypeName): NumberWriter {
  switch (name) {
    case 'FLOAT':
      return (out, rows, at) => writeDouble(out, rows.floats[at >>> 2]!)
    case 'DOUBLE':
      return (out, rows, at) => writeDouble(out, rows.doubles[at / 8]!)
    case 'INT32':
      return (out, rows, at) => writeInteger(out, rows.ints[at >>> 2]!)
    case 'BOOL':
      return (out, rows, at) => out.ascii(rows.bytes[at] === 0 ? 'false' : 'true')
    default: // INT64 and UNIX_TIMESTAMP
      return (out, rows, at) => writeInt64(out, rows.words[at >>> 2]!, rows.ints[(at >>> 2) + 1]!)
  }
}

function heapWriter(type: ValueType): HeapWriter {
  if (type.heapForm === 'packed') return packedWriter(type)
  const isList = type.shape === 'list' || type.shape === 'set'
  if (isList && type.element !== 'MAP') return elementsWriter(type)
  if (type.heapForm === 'text')
    return (out, rows, start, end) => writeText(out, rows.bytes, start, end)
  if (type.heapForm === 'raw')
    return (out, rows, start, end) => writeBase64(out, rows.bytes, start, end)
  return (out, rows, start, end) =>
    writePlain(out, decodePlain(type, rows.bytes.subarray(start, end)))
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

function elementsWriter(type: ValueType): HeapWriter {
  const write = elementType(type).heapForm === 'raw' ? writeBase64 : writeText
  return (out, { bytes }, start, end) => {
    out.ascii('[')
    forEachElement(bytes, start, end, (elementStart, elementEnd) => {
      if (out.bytes[out.at - 1] !== 0x5b) out.ascii(',')
      write(out, bytes, elementStart, elementEnd)
    })
    out.ascii(']')
  }
}
