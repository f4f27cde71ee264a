/** The one order in which the elements of a set are stored, each once (row/format.md). */
import type { ValueTypeName } from '../catalog/value-type.ts'

/** Numbers by value: -0 is 0, NaN stands last. FLOAT is rounded to 32 bits before it is compared. */
export function canonicalNumbers(
  element: ValueTypeName,
  values: ArrayLike<number | bigint>,
): (number | bigint)[] {
  const rounded = Array.from(values, (value) => canonicalNumber(element, value))
  rounded.sort(compareNumbers)
  return rounded.filter(
    (value, place) => place === 0 || compareNumbers(rounded[place - 1]!, value) !== 0,
  )
}

function canonicalNumber(element: ValueTypeName, value: number | bigint): number | bigint {
  if (typeof value === 'bigint') return value
  return (element === 'FLOAT' ? Math.fround(value) : value) + 0 // -0 + 0 is 0
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** Booleans: false before true. */
export const canonicalBooleans = (values: readonly boolean[]): boolean[] =>
  [false, true].filter((value) => values.includes(value))

/** Encoded elements by their bytes. */
export function canonicalEncoded(elements: readonly Uint8Array[]): Uint8Array[] {
  const sorted = elements.toSorted(Buffer.compare)
  return sorted.filter(
    (element, place) => place === 0 || Buffer.compare(sorted[place - 1]!, element) !== 0,
  )
}
