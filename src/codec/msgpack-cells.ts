/** One cell of a msgpack reply, from the bytes of its row: a writer for each type. */
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import { decodePlain } from '../row/composite.ts'
import type { CellWriter, HeapWriter, NumberWriter } from './columnar-format.ts'
import { elementType, heapCell, slotCell } from './columnar-format.ts'
import {
  beginList,
  writeBin,
  writeFloat32,
  writeFloat64,
  writeInt32,
  writeInt64,
  writePlain,
  writeText,
} from './msgpack-values.ts'
import { forEachElement } from './text-elements.ts'

/** Writes a cell whose value is present. */
export function msgpackCellWriter(type: ValueType): CellWriter {
  return type.heapForm === 'none' ? slotCell(numberWriter(type.name)) : heapCell(heapWriter(type))
}

function numberWriter(name: ValueTypeName): NumberWriter {
  switch (name) {
    case 'FLOAT':
      return (out, rows, at) => writeFloat32(out, rows.words[at >>> 2]!)
    case 'DOUBLE':
      return (out, rows, at) =>
        writeFloat64(out, rows.words[at >>> 2]!, rows.words[(at >>> 2) + 1]!)
    case 'INT32':
      return (out, rows, at) => writeInt32(out, rows.ints[at >>> 2]!)
    case 'BOOL':
      return (out, rows, at) => out.byte(rows.bytes[at] === 0 ? 0xc2 : 0xc3)
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
    return (out, rows, start, end) => writeBin(out, rows.bytes, start, end)
  return (out, rows, start, end) =>
    writePlain(out, decodePlain(type, rows.bytes.subarray(start, end)))
}

function packedWriter(type: ValueType): HeapWriter {
  const write = numberWriter(elementType(type).name)
  return (out, rows, start, end) => {
    beginList(out, (end - start) / type.heapAlign)
    for (let at = start; at < end; at += type.heapAlign) write(out, rows, at)
  }
}

function elementsWriter(type: ValueType): HeapWriter {
  const write = elementType(type).heapForm === 'raw' ? writeBin : writeText
  return (out, { bytes }, start, end) => {
    let count = 0
    forEachElement(bytes, start, end, () => count++)
    beginList(out, count)
    forEachElement(bytes, start, end, (elementStart, elementEnd) => {
      write(out, bytes, elementStart, elementEnd)
    })
  }
}
