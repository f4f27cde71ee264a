/** A chunk's columns matched with a view: how each feature and join key of a row is read, decided once. */
import { Fault } from '../base/fault.ts'
import type { Feature, FeatureView, JoinKey, PlainValue } from '../catalog/catalog.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'
import type { KeyValue } from '../row/entity-key.ts'
import type { RowWriter } from '../row/row-writer.ts'
import { coerceKey, coerceValue } from '../row/value.ts'
import type { Column, NumberArray } from './column.ts'
import { cellBytes, int64At, isValid, valueAt } from './column.ts'
import { deletedMarkOf } from './row-marks.ts'
import type { RowNames } from './row-names.ts'
import { checkColumns } from './row-names.ts'
import type { ColumnChunk } from './source.ts'
import { textReader } from './text-reader.ts'
import { typedText } from './typed-text.ts'

/** Puts a row's value into the row under work. */
export type HeapSetter = (writer: RowWriter, row: number) => void

export type BoundColumns = {
  /** By the feature's position. */
  readonly features: readonly Column[]
  /** The same as checked plain values, where no faster way fits. */
  readonly readers: readonly ((row: number) => PlainValue)[]
  readonly fixedPositions: readonly number[]
  readonly heapPositions: readonly number[]
  /** By the feature's position; undefined for features of fixed width. */
  readonly heapSetters: readonly (HeapSetter | undefined)[]
  /** By the join key's place. */
  readonly keyReaders: readonly ((row: number) => KeyValue)[]
  readonly time: Column
  readonly created: Column | undefined
  /** Which rows are deletes; undefined where no column tells. */
  readonly deleted: Column | undefined
}

export function bindColumns(view: FeatureView, names: RowNames, chunk: ColumnChunk): BoundColumns {
  const byName = new Map(chunk.columns.map(({ name, column }) => [name, column]))
  checkColumns(names, [...byName.keys()], chunk.file)
  const columnNamed = (name: string): Column => byName.get(name)! // checked above
  const features = names.features.map(columnNamed)
  const positions = view.features.map(({ position }) => position)
  const isFixed = (position: number): boolean => view.features[position]!.type.slotBytes > 0
  view.features.forEach((feature, position) => {
    refuseTimes(feature.type.name, `feature ${feature.name}`, features[position]!, chunk.file)
  })
  return {
    features,
    readers: view.features.map((feature, position) => featureReader(feature, features[position]!)),
    fixedPositions: positions.filter(isFixed),
    heapPositions: positions.filter((position) => !isFixed(position)),
    heapSetters: view.features.map((feature, position) =>
      isFixed(position) ? undefined : heapSetter(feature, features[position]!),
    ),
    keyReaders: view.joinKeys.map((joinKey, place) => {
      const column = columnNamed(names.joinKeys[place]!)
      refuseTimes(joinKey.type, `join key ${joinKey.name}`, column, chunk.file)
      return keyReader(joinKey, column)
    }),
    time: columnNamed(names.time),
    created: names.created === '' ? undefined : columnNamed(names.created),
    deleted: byName.get(deletedMarkOf(names)),
  }
}

/** A time has no one integer or text: guessing its unit would give numbers that look right. */
function refuseTimes(type: ValueTypeName, what: string, column: Column, where: string): void {
  if (column.form !== 'time' || type === 'UNIX_TIMESTAMP') return
  throw new Fault('source_invalid', `${what} is ${type}, and its column holds times`, {
    where,
    allowed: 'UNIX_TIMESTAMP in the view, or a column of numbers or text',
  })
}

function featureReader(feature: Feature, column: Column): (row: number) => PlainValue {
  const read = jsonReader(feature.type, column)
  return (row) => coerceValue(feature, read(row))
}

function keyReader(joinKey: JoinKey, column: Column): (row: number) => KeyValue {
  if (column.form === 'int64' && joinKey.type === 'INT64') {
    const { words, signed, valid } = column
    if (signed && valid === undefined) return (row) => int64At(words, true, row)
  }
  if (column.form === 'text' && joinKey.type === 'STRING' && column.valid === undefined) {
    return textReader(column.bytes, column.offsets)
  }
  const read = jsonReader({ name: joinKey.type }, column)
  return (row) => coerceKey(joinKey, read(row))
}

/** A row's value as JSON would hold it. */
function jsonReader(
  type: ValueType | { readonly name: ValueTypeName },
  column: Column,
): (row: number) => unknown {
  if (column.form === 'untyped') {
    return (row) => {
      const text = column.at(row)
      return text === null ? null : typedText(type, text)
    }
  }
  const isUuid = type.name === 'UUID' || type.name === 'TIME_UUID'
  if (isUuid && column.form === 'bytes') return (row) => uuidText(valueAt(column, row))
  return (row) => {
    const value = valueAt(column, row)
    return Number.isNaN(value) ? null : value // a missing number, as pandas writes it
  }
}

/** Parquet's own form of a UUID is its 16 bytes. */
function uuidText(value: PlainValue): PlainValue {
  if (!(value instanceof Uint8Array) || value.length !== 16) return value
  return value.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function heapSetter(feature: Feature, column: Column): HeapSetter {
  return directSetter(feature, column) ?? coercedSetter(feature, column)
}

function coercedSetter(feature: Feature, column: Column): HeapSetter {
  const read = featureReader(feature, column)
  return (writer, row) => writer.set(feature.position, read(row))
}

/** Where the column's bytes are the row's. */
function directSetter({ type, position }: Feature, column: Column): HeapSetter | undefined {
  const isText = column.form === 'text' && type.name === 'STRING'
  if (isText || (column.form === 'bytes' && type.name === 'BYTES')) {
    const { bytes, offsets, valid } = column
    return (writer, row) => {
      if (isValid(valid, row)) writer.setHeapBytes(position, cellBytes(bytes, offsets, row))
      else writer.setNull(position)
    }
  }
  return column.form === 'list' ? listSetter(type, position, column) : undefined
}

type ListColumn = Extract<Column, { form: 'list' }>

/** Lists of numbers go without an array of JavaScript for each. */
function listSetter(type: ValueType, position: number, column: ListColumn): HeapSetter | undefined {
  const { child, offsets, valid } = column
  if (child.form !== 'number' || child.valid !== undefined) return undefined
  if (!holdsElements(type, child.values)) return undefined
  const { values } = child
  return (writer, row) => {
    if (!isValid(valid, row)) writer.setNull(position)
    else writer.setNumbers(position, values.subarray(offsets[row], offsets[row + 1]))
  }
}

function holdsElements(type: ValueType, values: NumberArray): boolean {
  if (type.heapForm !== 'packed') return false
  if (type.element === 'FLOAT' || type.element === 'DOUBLE') return true
  const isFloat = values instanceof Float32Array || values instanceof Float64Array
  if (type.element === 'INT64') return !isFloat
  return type.element === 'INT32' && !isFloat && !(values instanceof Uint32Array)
}
