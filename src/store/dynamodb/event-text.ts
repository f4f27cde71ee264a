/**
 * An item's `event_ts` as it lies in a reply: ISO 8601 in the forms that Python's str(datetime) and
 * other writers give it. What we write ourselves is eventTsText (base/time-text.ts).
 */
import { TIME_US_MAX } from '../../base/limits.ts'
import { daysFromCivil, daysInMonth } from '../../base/time-text.ts'

const DAY_SECONDS = 86_400
const SECOND_US = 1_000_000
const MICRO_DIGITS = 6

const PLUS = 0x2b
const DASH = 0x2d
const COLON = 0x3a

/**
 * Microseconds since 1970 of `bytes[start, end)`, or NaN where no time stands there (Feast writes
 * `NaT` for one that is missing). No offset is UTC; digits finer than a microsecond are cut off; a
 * time beyond what rows can hold is the last, or the first, that they can.
 */
export function parseEventText(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 10 || bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NaN
  const year = 100 * twoDigits(bytes, start) + twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  // One that is no number makes the sum too small to be a date.
  if (!(year >= 1 && month >= 1 && month <= 12)) return NaN
  if (!(day >= 1 && day <= daysInMonth(year, month))) return NaN
  const seconds = daysFromCivil(year, month, day) * DAY_SECONDS
  if (end - start === 10) return withinRows(seconds, 0)
  const separator = bytes[start + 10]!
  // A space, T or t
  if (separator !== 0x20 && (separator | 0x20) !== 0x74) return NaN
  return parseClock(bytes, start + 11, end, seconds)
}

/** `HH:MM`, then seconds, a fraction and an offset as far as they are there. */
function parseClock(bytes: Uint8Array, start: number, end: number, daySeconds: number): number {
  if (end - start < 5 || bytes[start + 2] !== COLON) return NaN
  const hours = twoDigits(bytes, start)
  const minutes = twoDigits(bytes, start + 3)
  if (!isSixty(minutes) || !(hours >= 0 && hours <= 23)) return NaN
  let at = start + 5
  let seconds = 0
  let micros = 0
  if (at + 3 <= end && bytes[at] === COLON) {
    seconds = twoDigits(bytes, at + 1)
    if (!isSixty(seconds)) return NaN
    at += 3
    const fractionEnd = at < end ? digitsEnd(bytes, at, end) : at
    micros = fractionMicros(bytes, at + 1, fractionEnd)
    at = fractionEnd
  }
  const offset = at === end ? 0 : parseOffset(bytes, at, end)
  return withinRows(daySeconds + 3600 * hours + 60 * minutes + seconds - offset, micros)
}

/** Behind a fraction that begins at `at` with a point or a comma; `at` where none does. */
function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== 0x2e && bytes[at] !== 0x2c) return at
  let last = at + 1
  while (last < end && isDigit(bytes[last]!)) last++
  return last > at + 1 ? last : at
}

function fractionMicros(bytes: Uint8Array, start: number, end: number): number {
  let micros = 0
  for (let place = 0; place < MICRO_DIGITS; place++) {
    micros = 10 * micros + (start + place < end ? bytes[start + place]! - 0x30 : 0)
  }
  return micros
}

/** Seconds east of UTC: Z, ±HH, ±HHMM, ±HH:MM or ±HH:MM:SS (of zones before they were whole). */
function parseOffset(bytes: Uint8Array, at: number, end: number): number {
  const length = end - at
  const sign = bytes[at]!
  if (length === 1) return (sign | 0x20) === 0x7a ? 0 : NaN
  if (sign !== PLUS && sign !== DASH) return NaN
  const isLong = length === 6 || length === 9
  if (isLong && bytes[at + 3] !== COLON) return NaN
  if (length === 9 && bytes[at + 6] !== COLON) return NaN
  if (!isLong && length !== 3 && length !== 5) return NaN
  const hours = twoDigits(bytes, at + 1)
  const minutes = length === 3 ? 0 : twoDigits(bytes, at + (isLong ? 4 : 3))
  const seconds = length === 9 ? twoDigits(bytes, at + 7) : 0
  if (!(hours >= 0 && hours <= 23 && isSixty(minutes) && isSixty(seconds))) return NaN
  const offset = 3600 * hours + 60 * minutes + seconds
  return sign === DASH ? -offset : offset
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

const isSixty = (value: number): boolean => value >= 0 && value <= 59

/** Two digits as a number, or one far below zero. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : -1_000_000
}

function withinRows(seconds: number, micros: number): number {
  const timeUs = seconds * SECOND_US + micros
  return timeUs > TIME_US_MAX ? TIME_US_MAX : timeUs < -TIME_US_MAX ? -TIME_US_MAX : timeUs
}
