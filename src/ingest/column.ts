/**
 * A column of a chunk: packed arrays in the forms that files hold, so that a number goes from the
 * file to its row without becoming an object. Every array has an entry for each row of the chunk.
 */
import { int64Of } from '../base/int64.ts'
import { utf8Decoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'

export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** A bit for each row, from the lowest of the first byte: 1 where there is a value. Undefined: all. */
export type Validity = Uint8Array | undefined

export type Column =
  | { readonly form: 'number'; readonly valid: Validity; readonly values: NumberArray }
  | {
      readonly form: 'int64'
      readonly valid: Validity
      /** Low and high half of each value. */
      readonly words: Int32Array
      readonly signed: boolean
    }
  | {
      /** An instant in UTC, whatever zone the file names (a file without one means UTC). */
      readonly form: 'time'
      readonly valid: Validity
      readonly words: Int32Array
      /** 1, 1e3, 1e6 or 1e9 ticks since 1970. */
      readonly ticksPerSecond: number
    }
  | { readonly form: 'bool'; readonly valid: Validity; readonly bits: Uint8Array }
  | {
      readonly form: 'text' | 'bytes'
      readonly valid: Validity
      readonly bytes: Uint8Array
      /** One more than rows: value i lies from offsets[i] to offsets[i + 1]. */
      readonly offsets: Int32Array
    }
  | {
      readonly form: 'list'
      readonly valid: Validity
      readonly offsets: Int32Array
      readonly child: Column
    }
  | {
      readonly form: 'struct'
      readonly valid: Validity
      readonly names: readonly string[]
      readonly children: readonly Column[]
    }
  | {
      readonly form: 'map'
      readonly valid: Validity
      readonly offsets: Int32Array
      readonly keys: Column
      readonly values: Column
    }
  /** Any value, as JSON has it. */
  | { readonly form: 'value'; readonly at: (row: number) => PlainValue }
  /** Text whose type the view tells: CSV cells, parts of a path, exact decimals. */
  | { readonly form: 'untyped'; readonly at: (row: number) => string | null }

export type NamedColumn = { readonly name: string; readonly column: Column }

export const isValid = (valid: Validity, row: number): boolean =>
  valid === undefined || ((valid[row >> 3]! >> (row & 7)) & 1) === 1

const HALF = 2 ** 32

/**
 * An int64 divided by 1e3 or 1e6, rounded down. Exact wherever a double holds the outcome: the
 * division goes through a remainder that is below 2^53 for divisors up to 2^21.
 */
function dividedInt64(low: number, high: number, divisor: 1e3 | 1e6): number {
  const wholes = Math.floor(high / divisor)
  const rest = (high - wholes * divisor) * HALF + (low >>> 0)
  return wholes * HALF + Math.floor(rest / divisor)
}

/** Rounded down; inexact, and then beyond the bounds of a time, where a double does not hold it. */
export function timeUsAt(words: Int32Array, ticksPerSecond: number, row: number): number {
  const low = words[2 * row]!
  const high = words[2 * row + 1]!
  if (ticksPerSecond === 1e9) return dividedInt64(low, high, 1e3)
  return (high * HALF + (low >>> 0)) * (1e6 / ticksPerSecond)
}

/** Whole seconds of a time column's row, rounded down. */
export function secondsAt(words: Int32Array, ticksPerSecond: number, row: number): number {
  const low = words[2 * row]!
  const high = words[2 * row + 1]!
  if (ticksPerSecond === 1e9) return Math.floor(dividedInt64(low, high, 1e6) / 1e3)
  if (ticksPerSecond === 1e6 || ticksPerSecond === 1e3)
    return dividedInt64(low, high, ticksPerSecond)
  return high * HALF + (low >>> 0)
}

/** The value of one row in its plain form; a time as whole seconds. Copies what it gives. */
export function valueAt(column: Column, row: number): PlainValue {
  if (column.form === 'value' || column.form === 'untyped') return column.at(row)
  if (!isValid(column.valid, row)) return null
  switch (column.form) {
    case 'number':
      return column.values[row]!
    case 'int64':
      return int64At(column.words, column.signed, row)
    case 'time':
      return secondsAt(column.words, column.ticksPerSecond, row)
    case 'bool':
      return isValid(column.bits, row)
    case 'text':
      return utf8Decoder.decode(cellBytes(column.bytes, column.offsets, row))
    case 'bytes':
      return cellBytes(column.bytes, column.offsets, row).slice()
    case 'list':
      return elementsAt(column.child, column.offsets, row)
    case 'struct':
      return objectOf(
        column.names,
        column.children.map((child) => valueAt(child, row)),
      )
    case 'map':
      return objectOf(
        elementsAt(column.keys, column.offsets, row).map(String),
        elementsAt(column.values, column.offsets, row),
      )
  }
}

export const cellBytes = (bytes: Uint8Array, offsets: Int32Array, row: number): Uint8Array =>
  bytes.subarray(offsets[row]!, offsets[row + 1]!)

export function int64At(words: Int32Array, signed: boolean, row: number): number | bigint {
  const low = words[2 * row]! >>> 0
  const high = words[2 * row + 1]!
  if (signed || high >= 0) return int64Of(low, high)
  return (BigInt(high >>> 0) << 32n) | BigInt(low)
}

function elementsAt(child: Column, offsets: Int32Array, row: number): PlainValue[] {
  const elements: PlainValue[] = []
  for (let place = offsets[row]!; place < offsets[row + 1]!; place++) {
    elements.push(valueAt(child, place))
  }
  return elements
}

/** Without a prototype: names come from the file. */
function objectOf(
  names: readonly string[],
  values: readonly PlainValue[],
): { readonly [key: string]: PlainValue } {
  const object: { [key: string]: PlainValue } = Object.create(null)
  names.forEach((name, place) => {
    object[name] = values[place]!
  })
  return object
}
