/** Event times in JSON, written straight into bytes: a text for each costs three times as much. */
import { dateNumber } from '../base/time-text.ts'
import type { ByteWriter } from './byte-writer.ts'
import { writeFour, writeTwo } from './digits.ts'

const DAY_SECONDS = 86_400
const SECOND_US = 1_000_000
/** No time's text is longer: "2026-08-20T10:00:00.123456Z" has 29 characters with its quotes. */
const TIME_TEXT_MAX = 32
const QUOTE = 0x22
const DASH = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const T = 0x54
const Z = 0x5a

/** As rfc3339Text writes it, in quotes. */
export function writeTimeText(out: ByteWriter, timeUs: number): void {
  let at = out.reserve(TIME_TEXT_MAX)
  const { bytes } = out
  const seconds = Math.floor(timeUs / SECOND_US)
  const days = Math.floor(seconds / DAY_SECONDS)
  bytes[at] = QUOTE
  writeDate(bytes, at + 1, dateNumber(days))
  bytes[at + 11] = T
  writeClock(bytes, at + 12, seconds - days * DAY_SECONDS)
  at = writeMicros(bytes, at + 20, timeUs - seconds * SECOND_US)
  bytes[at] = Z
  bytes[at + 1] = QUOTE
  out.at = at + 2
}

function writeDate(bytes: Uint8Array, at: number, date: number): void {
  const year = (date / 10_000) | 0
  const monthAndDay = date - year * 10_000
  const month = (monthAndDay / 100) | 0
  writeFour(bytes, at, year)
  bytes[at + 4] = DASH
  writeTwo(bytes, at + 5, month)
  bytes[at + 7] = DASH
  writeTwo(bytes, at + 8, monthAndDay - month * 100)
}

function writeClock(bytes: Uint8Array, at: number, daySeconds: number): void {
  const minutes = (daySeconds / 60) | 0
  const hours = (minutes / 60) | 0
  writeTwo(bytes, at, hours)
  bytes[at + 2] = COLON
  writeTwo(bytes, at + 3, minutes - hours * 60)
  bytes[at + 5] = COLON
  writeTwo(bytes, at + 6, daySeconds - minutes * 60)
}

/** 0, 3 or 6 digits behind a point; returns the place behind them. */
function writeMicros(bytes: Uint8Array, at: number, micros: number): number {
  if (micros === 0) return at
  const millis = (micros / 1000) | 0
  const rest = micros - millis * 1000
  bytes[at] = POINT
  writeThree(bytes, at + 1, millis)
  if (rest === 0) return at + 4
  writeThree(bytes, at + 4, rest)
  return at + 7
}

function writeThree(bytes: Uint8Array, at: number, integer: number): void {
  const hundreds = (integer / 100) | 0
  bytes[at] = ZERO + hundreds
  writeTwo(bytes, at + 1, integer - hundreds * 100)
}
