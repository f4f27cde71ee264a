/** 64-bit integers between numbers, bigints and the two 32-bit halves of their bytes. */

const HALF = 2 ** 32

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** True for a number that is exactly an integer, and for a bigint that fits 64 bits signed. */
export const isInt64 = (value: unknown): value is number | bigint =>
  typeof value === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX

/** Low half of a value that `isInt64`, unsigned. */
export const lowHalf = (value: number | bigint): number =>
  typeof value === 'number' ? value >>> 0 : Number(BigInt.asUintN(32, value))

/** High half of a value that `isInt64`, signed. */
export const highHalf = (value: number | bigint): number =>
  typeof value === 'number' ? Math.floor(value / HALF) : Number(BigInt.asIntN(32, value >> 32n))

/** From an unsigned low and a signed high half: a number where that is exact, else a bigint. */
export function int64Of(low: number, high: number): number | bigint {
  const near = high * HALF + low
  return Number.isSafeInteger(near) ? near : (BigInt(high) << 32n) | BigInt(low)
}

/** The same value as a number where that is exact. */
export const narrowInt64 = (value: bigint): number | bigint => {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}
