/** One column of an Arrow batch as a Column: views of the batch's buffers wherever the forms agree. */
import { type Batch, type DataType, TimeUnit, Type } from '@uwdata/flechette'
import type { PlainValue } from '../catalog/catalog.ts'
import type { Column, NumberArray, Validity } from './column.ts'
import { isValid } from './column.ts'

const SECONDS_PER_DAY = 86_400

/** The buffers of `batch` are the column's: they have to outlive it. */
export function arrowColumn(batch: Batch<unknown>): Column {
  const { type } = batch
  const valid = validityOf(batch)
  switch (type.typeId) {
    case Type.Int:
      if (type.bitWidth === 64)
        return { form: 'int64', valid, words: words(batch), signed: type.signed }
      return { form: 'number', valid, values: numbers(batch) }
    case Type.Float:
      // Half floats lie as 16 raw bits: read one by one.
      if (type.precision === 0) return { form: 'number', valid, values: readNumbers(batch) }
      return { form: 'number', valid, values: numbers(batch) }
    case Type.Bool:
      return { form: 'bool', valid, bits: bytesOf(batch) }
    case Type.Timestamp:
      return { form: 'time', valid, words: words(batch), ticksPerSecond: ticksPerSecond(type.unit) }
    case Type.Date:
      return dateColumn(batch, type.unit === 0, valid)
    case Type.Utf8:
    case Type.LargeUtf8:
      return { form: 'text', valid, bytes: bytesOf(batch), offsets: offsetsOf(batch) }
    case Type.Binary:
    case Type.LargeBinary:
      return { form: 'bytes', valid, bytes: bytesOf(batch), offsets: offsetsOf(batch) }
    case Type.FixedSizeBinary:
      return { form: 'bytes', valid, bytes: bytesOf(batch), offsets: strides(batch, type.stride) }
    case Type.Decimal:
      return decimalColumn(batch, type.scale)
    default:
      return nestedColumn(batch, type, valid)
  }
}

function nestedColumn(batch: Batch<unknown>, type: DataType, valid: Validity): Column {
  switch (type.typeId) {
    case Type.List:
    case Type.LargeList:
      return { form: 'list', valid, offsets: offsetsOf(batch), child: childOf(batch, 0) }
    case Type.FixedSizeList:
      return { form: 'list', valid, offsets: strides(batch, type.stride), child: childOf(batch, 0) }
    case Type.Struct:
      return {
        form: 'struct',
        valid,
        names: type.children.map((field) => field.name),
        children: batch.children.map(arrowColumn),
      }
    case Type.Map: {
      const entries = batch.children[0]!
      return {
        form: 'map',
        valid,
        offsets: offsetsOf(batch),
        keys: childOf(entries, 0),
        values: childOf(entries, 1),
      }
    }
    default:
      return { form: 'value', at: (row) => plainArrowValue(batch.at(row)) }
  }
}

const childOf = (batch: Batch<unknown>, place: number): Column =>
  arrowColumn(batch.children[place]!)

const validityOf = (batch: Batch<unknown>): Validity =>
  batch.nullCount === 0 || batch.validity.length === 0 ? undefined : batch.validity

// The casts below say what Arrow's type has told already: which array a batch of it holds.
const numbers = (batch: Batch<unknown>): NumberArray => batch.values as NumberArray
const bytesOf = (batch: Batch<unknown>): Uint8Array => batch.values as Uint8Array

function words(batch: Batch<unknown>): Int32Array {
  const { buffer, byteOffset } = batch.values
  return new Int32Array(buffer, byteOffset, batch.length * 2)
}

function readNumbers(batch: Batch<unknown>): Float32Array {
  const values = new Float32Array(batch.length)
  for (let row = 0; row < batch.length; row++) values[row] = Number(batch.value(row))
  return values
}

function offsetsOf(batch: Batch<unknown>): Int32Array {
  const { offsets, length } = batch
  // Arrow allows no offsets at all where there are no rows.
  if (offsets.length === 0) return new Int32Array(1)
  if (offsets instanceof Int32Array) return offsets.subarray(0, length + 1)
  // A batch is far smaller than 2 GiB: the low halves tell all.
  const narrow = new Int32Array(length + 1)
  for (let place = 0; place <= length; place++) narrow[place] = Number(offsets[place])
  return narrow
}

const strides = (batch: Batch<unknown>, stride: number): Int32Array =>
  Int32Array.from({ length: batch.length + 1 }, (_, place) => place * stride)

function ticksPerSecond(unit: number): number {
  if (unit === TimeUnit.SECOND) return 1
  if (unit === TimeUnit.MILLISECOND) return 1e3
  return unit === TimeUnit.MICROSECOND ? 1e6 : 1e9
}

/** A date is its first instant in UTC. */
function dateColumn(batch: Batch<unknown>, isDays: boolean, valid: Validity): Column {
  if (!isDays) return { form: 'time', valid, words: words(batch), ticksPerSecond: 1e3 }
  const days = numbers(batch)
  const seconds = new BigInt64Array(batch.length)
  for (let row = 0; row < batch.length; row++) seconds[row] = BigInt(days[row]! * SECONDS_PER_DAY)
  return { form: 'time', valid, words: new Int32Array(seconds.buffer), ticksPerSecond: 1 }
}

/** Exact: as text, with as many places after the point as the type has. */
function decimalColumn(batch: Batch<unknown>, scale: number): Column {
  const valid = validityOf(batch)
  return {
    form: 'untyped',
    at: (row) =>
      isValid(valid, row) ? decimalText(BigInt(String(batch.value(row))), scale) : null,
  }
}

export function decimalText(scaled: bigint, scale: number): string {
  if (scale <= 0) return String(scaled * 10n ** BigInt(-scale))
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(scale + 1, '0')
  const sign = scaled < 0n ? '-' : ''
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Of the types without a form of their own (dictionaries, views, durations, times of day). */
function plainArrowValue(value: unknown): PlainValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value
  }
  if (value instanceof Uint8Array) return value.slice()
  if (value === null || value === undefined) return null
  if (isIterable(value)) return Array.from(value, plainArrowValue)
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, plainArrowValue(inner)]),
  )
}

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value
