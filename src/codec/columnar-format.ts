/** What a format of columnar replies (JSON, msgpack) has to say: how it writes structure, and one cell of each type. */
import { valueType } from '../catalog/value-type.ts'
import type { ValueType } from '../catalog/value-type.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Column, RowLanes } from './reply-columns.ts'

/** Writes a cell whose value is present, from the row that starts at `start`. */
export type CellWriter = (out: ByteWriter, rows: RowLanes, start: number, column: Column) => void

export interface ColumnarFormat {
  /** Encodings never overlap: one buffer serves them all. */
  readonly out: ByteWriter
  readonly nullValue: Uint8Array
  readonly nanValue: Uint8Array
  readonly trueValue: Uint8Array
  readonly falseValue: Uint8Array
  encodeText(text: string): Uint8Array
  cellWriter(type: ValueType): CellWriter
  beginMap(entries: number): void
  endMap(): void
  /** Before an entry's value; the key as `encodeText` made it. */
  key(name: Uint8Array): void
  beginList(elements: number): void
  endList(): void
  /** Before each element of a list. */
  element(): void
  integer(value: number): void
  /** An event time in microseconds. */
  time(timeUs: number): void
}

/** Writes the number that lies at a byte offset. */
export type NumberWriter = (out: ByteWriter, rows: RowLanes, at: number) => void
/** Writes a value of the heap that lies between two byte offsets. */
export type HeapWriter = (out: ByteWriter, rows: RowLanes, start: number, end: number) => void

/** A cell writer for a type that has a slot. */
export const slotCell =
  (write: NumberWriter): CellWriter =>
  (out, rows, start, column) =>
    write(out, rows, start + column.slot)

/** A cell writer for a type whose values are in the heap. */
export const heapCell =
  (write: HeapWriter): CellWriter =>
  (out, rows, start, column) =>
    write(out, rows, rows.heapStart(start, column), rows.heapEnd(start, column))

/** Of a list or set. */
export function elementType(type: ValueType): ValueType {
  if (type.element === '') throw new Error(`${type.name} has no elements`)
  return valueType(type.element)
}
