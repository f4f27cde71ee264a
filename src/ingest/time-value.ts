/** Times as sources bring them, made microseconds of UTC since 1970 (an exact double), or refused. */
import { TIME_US_MAX } from '../base/limits.ts'
import { readTimeText, rfc3339Text } from '../base/time-text.ts'
import type { BatchSource } from '../catalog/catalog.ts'
import { describeFound } from '../row/describe-found.ts'
import type { Column } from './column.ts'
import { isValid, timeUsAt, valueAt } from './column.ts'

/** What an integer counts; '' where nothing is declared, and then an integer is no time. */
export type TimeUnit = BatchSource['timestampUnit']

const TICK_US: Readonly<Record<Exclude<TimeUnit, ''>, number>> = {
  s: 1e6,
  ms: 1e3,
  us: 1,
  ns: 1e-3,
}

const INTEGER = /^[+-]?\d{1,20}$/

/** NaN for what is no time, or none that a double holds exactly. */
export function timeUsOf(value: unknown, unit: TimeUnit): number {
  switch (typeof value) {
    case 'string':
      return unit !== '' && INTEGER.test(value) ? ticksUs(BigInt(value), unit) : readTimeText(value)
    case 'number':
      return unit === '' ? NaN : exactUs(Math.floor(value * TICK_US[unit]))
    case 'bigint':
      return unit === '' ? NaN : ticksUs(value, unit)
    default:
      return NaN
  }
}

function ticksUs(ticks: bigint, unit: Exclude<TimeUnit, ''>): number {
  if (unit !== 'ns') return exactUs(Number(ticks) * TICK_US[unit])
  const rest = ((ticks % 1000n) + 1000n) % 1000n // rounded down, also before 1970
  return exactUs(Number((ticks - rest) / 1000n))
}

const exactUs = (timeUs: number): number => (Math.abs(timeUs) <= TIME_US_MAX ? timeUs : NaN)

/** Times of `count` rows from `start` on, into the front of `target`; NaN as in timeUsOf, and for null. */
export function readTimes(
  column: Column,
  unit: TimeUnit,
  start: number,
  count: number,
  target: Float64Array,
): void {
  if (column.form !== 'time') {
    for (let place = 0; place < count; place++) {
      target[place] = timeUsOf(valueAt(column, start + place), unit)
    }
    return
  }
  const { words, ticksPerSecond, valid } = column
  for (let place = 0; place < count; place++) {
    const row = start + place
    target[place] = isValid(valid, row) ? exactUs(timeUsAt(words, ticksPerSecond, row)) : NaN
  }
}

/** Why `timeUsOf` made nothing of a value. */
export function timeReason(value: unknown, unit: TimeUnit): string {
  if (value === null || value === undefined) return 'the event time is missing'
  const isInteger = typeof value !== 'string' || INTEGER.test(value)
  if (unit === '' && isInteger) {
    return `the event time is ${describeFound(value)}, and the source declares no timestamp_unit`
  }
  return `the event time is ${describeFound(value)}, which is no time of the years 1684 to 2255`
}

export const futureReason = (timeUs: number, marginUs: number): string =>
  `the event time ${rfc3339Text(timeUs)} is more than ${marginUs / 1e6} s ahead of the clock: is its unit right?`
