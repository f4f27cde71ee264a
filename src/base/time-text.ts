/** Times as text: ISO 8601 in, RFC 3339 out, as microseconds since 1970 in exact integers. */
import { Fault } from './fault.ts'

const ALLOWED =
  'a time such as 2026-08-20T10:00:00Z, 2026-08-20 10:00:00.123456+02:00 or 2026-08-20 (UTC where no offset is given)'

const DAY_SECONDS = 86_400
const SECOND_US = 1_000_000
/** Finer digits are cut off. */
const FRACTION_DIGITS_MAX = 9
const FRACTION_DIGITS_KEPT = 6
const POWERS_OF_TEN = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const

/** Microseconds, or a Fault for text that is no time or lies beyond the years 1684 to 2255. */
export function parseTimeText(text: string): number {
  const timeUs = readTimeText(text)
  if (!Number.isNaN(timeUs)) return timeUs
  throw new Fault('malformed', `${JSON.stringify(text.slice(0, 64))} is not a time`, {
    allowed: ALLOWED,
  })
}

/** As parseTimeText, with NaN in place of the Fault. */
export function readTimeText(text: string): number {
  const seconds = readDate(text) * DAY_SECONDS
  if (text.length === 10) return exactUs(seconds, 0)
  const separator = text.charCodeAt(10)
  // A space, T or t
  if (separator !== 0x20 && (separator | 0x20) !== 0x74) return NaN
  return readClock(text, seconds)
}

/** Days since 1970 of `YYYY-MM-DD` at the front, or NaN. */
function readDate(text: string): number {
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return NaN
  const year = readTwo(text, 0) * 100 + readTwo(text, 2)
  const month = readTwo(text, 5)
  const day = readTwo(text, 8)
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return NaN
  return daysFromCivil(year, month, day)
}

/** `HH:MM`, then seconds, a fraction and an offset as far as they are there. */
function readClock(text: string, daySeconds: number): number {
  const hours = readTwo(text, 11)
  const minutes = text.charCodeAt(13) === 0x3a ? readTwo(text, 14) : NaN
  if (!(hours <= 23 && minutes <= 59)) return NaN
  let at = 16
  let seconds = 0
  let micros = 0
  if (text.charCodeAt(at) === 0x3a) {
    seconds = readTwo(text, at + 1)
    if (!(seconds <= 59)) return NaN
    at += 3
    const point = text.charCodeAt(at)
    if (point === 0x2e || point === 0x2c) {
      const end = fractionEnd(text, at + 1)
      micros = readFraction(text, at + 1, end)
      at = end
    }
  }
  const offset = readOffset(text, at)
  return exactUs(daySeconds + hours * 3600 + minutes * 60 + seconds - offset, micros)
}

function fractionEnd(text: string, start: number): number {
  let end = start
  while (isDigit(text.charCodeAt(end))) end++
  return end
}

function readFraction(text: string, start: number, end: number): number {
  const digits = end - start
  if (digits < 1 || digits > FRACTION_DIGITS_MAX) return NaN
  const kept = Math.min(digits, FRACTION_DIGITS_KEPT)
  let value = 0
  for (let at = start; at < start + kept; at++) value = value * 10 + text.charCodeAt(at) - 0x30
  return value * POWERS_OF_TEN[FRACTION_DIGITS_KEPT - kept]!
}

/** Seconds east of UTC of what stands from `at` to the end: nothing, Z, ±HH, ±HHMM or ±HH:MM. */
function readOffset(text: string, at: number): number {
  const rest = text.length - at
  if (rest === 0) return 0
  const sign = text.charCodeAt(at)
  if (rest === 1) return (sign | 0x20) === 0x7a ? 0 : NaN
  if (sign !== 0x2b && sign !== 0x2d) return NaN
  const hours = readTwo(text, at + 1)
  let minutes = NaN
  if (rest === 3) minutes = 0
  else if (rest === 5) minutes = readTwo(text, at + 3)
  else if (rest === 6 && text.charCodeAt(at + 3) === 0x3a) minutes = readTwo(text, at + 4)
  if (!(hours <= 23 && minutes <= 59)) return NaN
  const offset = hours * 3600 + minutes * 60
  return sign === 0x2d ? -offset : offset
}

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39

/** Two digits as a number, or NaN. */
function readTwo(text: string, at: number): number {
  const tens = text.charCodeAt(at)
  const ones = text.charCodeAt(at + 1)
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : NaN
}

/** The sum where a double holds it exactly, else NaN: a sum that was rounded is never safe. */
function exactUs(seconds: number, micros: number): number {
  const timeUs = seconds * SECOND_US + micros
  return Number.isSafeInteger(timeUs) ? timeUs : NaN
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : MONTH_DAYS[month - 1]!

// The two below count in eras of 400 years that begin in March, so that the leap day comes last.
const ERA_DAYS = 146_097
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468

export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * ERA_DAYS + dayOfEra - EPOCH_DAYS
}

/** The date so many days after 1970-01-01, its digits as one number: 20260820. */
export function dateNumber(days: number): number {
  const shifted = days + EPOCH_DAYS
  const era = Math.floor(shifted / ERA_DAYS)
  const dayOfEra = shifted - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return (year * 100 + month) * 100 + day
}

function dateText(days: number): string {
  const digits = String(dateNumber(days)) // the years are 1684 to 2255
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0')

function clockText(daySeconds: number): string {
  const hours = Math.floor(daySeconds / 3600)
  const minutes = Math.floor(daySeconds / 60) % 60
  return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(daySeconds % 60, 2)}`
}

function timeText(timeUs: number, separator: string, fraction: string, end: string): string {
  const seconds = Math.floor(timeUs / SECOND_US)
  const days = Math.floor(seconds / DAY_SECONDS)
  const clock = clockText(seconds - days * DAY_SECONDS)
  return `${dateText(days)}${separator}${clock}${fraction}${end}`
}

const microsOf = (timeUs: number): number => timeUs - Math.floor(timeUs / SECOND_US) * SECOND_US

/** RFC 3339 in UTC with 0, 3 or 6 fraction digits, whichever is the least that is exact. */
export function rfc3339Text(timeUs: number): string {
  const micros = microsOf(timeUs)
  if (micros === 0) return timeText(timeUs, 'T', '', 'Z')
  if (micros % 1000 === 0) return timeText(timeUs, 'T', `.${padded(micros / 1000, 3)}`, 'Z')
  return timeText(timeUs, 'T', `.${padded(micros, 6)}`, 'Z')
}

/** As Feast keeps an item's `event_ts`: a space, 0 or 6 fraction digits, `+00:00`. */
export function eventTsText(timeUs: number): string {
  const micros = microsOf(timeUs)
  return timeText(timeUs, ' ', micros === 0 ? '' : `.${padded(micros, 6)}`, '+00:00')
}
