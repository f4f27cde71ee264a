/** Values as JSON text, written straight into bytes. */
import type { PlainValue } from '../catalog/catalog.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { NumberStyle } from './number-run.ts'

const QUOTE = 0x22
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const BACKSLASH = 0x5c
/** Digits that an int32 division can take off at once. */
const CHUNK = 1_000_000_000
/** Up to here an integer, and a decimal of four places, has fewer digits than a double keeps. */
const EXACT_MAX = 1e15
/** No number's text is longer: "-1.7976931348623157e+308" has 24 characters. */
const NUMBER_TEXT_MAX = 32
const SHORT_ESCAPES: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
}

/** An integer within ±2^53. */
export function writeInteger(out: ByteWriter, integer: number): void {
  let at = out.reserve(NUMBER_TEXT_MAX)
  if (integer < 0) out.bytes[at++] = MINUS
  out.at = writeDigits(out.bytes, at, Math.abs(integer))
}

export function writeInt64(out: ByteWriter, low: number, high: number): void {
  const near = high * 2 ** 32 + low
  if (Number.isSafeInteger(near)) writeInteger(out, near)
  else out.ascii(((BigInt(high) << 32n) | BigInt(low)).toString())
}

/** The shortest text that reads back as exactly this double; the texts of JSON's missing numbers. */
export function writeDouble(out: ByteWriter, value: number): void {
  if (Math.abs(value) < EXACT_MAX) {
    if (Math.trunc(value) === value) {
      if (value === 0 && 1 / value < 0) out.ascii('-0')
      else writeInteger(out, value)
      return
    }
    // At most 15 digits that divide back to the value are its shortest text.
    const scaled = Math.round(value * 10_000)
    if (scaled / 10_000 === value && Math.abs(scaled) < EXACT_MAX) return writeDecimal(out, scaled)
  }
  if (Number.isFinite(value)) out.ascii(String(value))
  else out.ascii(`"${value}"`)
}

/** JSON.stringify writes the sign of no zero, and null for what JSON has no number for. */
const isOrdinary = (value: number): boolean =>
  Math.abs(value) < Infinity && (value !== 0 || 1 / value > 0)

export const JSON_NUMBERS: NumberStyle = { isOrdinary, writeOther: writeDouble }

/** `scaled` / 10,000, which is no integer. */
function writeDecimal(out: ByteWriter, scaled: number): void {
  let at = out.reserve(NUMBER_TEXT_MAX)
  const bytes = out.bytes
  const size = Math.abs(scaled)
  const whole = Math.floor(size / 10_000)
  let rest = size - whole * 10_000
  if (scaled < 0) bytes[at++] = MINUS
  at = writeDigits(bytes, at, whole)
  bytes[at++] = POINT
  for (let unit = 1000; rest > 0; unit /= 10) {
    const digit = (rest / unit) | 0
    bytes[at++] = ZERO + digit
    rest -= digit * unit
  }
  out.at = at
}

/** Returns the place behind the last digit. */
function writeDigits(bytes: Uint8Array, at: number, integer: number): number {
  if (integer < CHUNK) {
    const end = at + digitCount(integer)
    writePadded(bytes, at, end, integer)
    return end
  }
  const head = Math.floor(integer / CHUNK)
  const start = writeDigits(bytes, at, head)
  writePadded(bytes, start, start + 9, integer - head * CHUNK)
  return start + 9
}

function writePadded(bytes: Uint8Array, start: number, end: number, integer: number): void {
  let rest = integer | 0
  for (let at = end - 1; at >= start; at--) {
    const tenth = (rest / 10) | 0
    bytes[at] = ZERO + rest - tenth * 10
    rest = tenth
  }
}

function digitCount(integer: number): number {
  let count = 1
  for (let above = 10; integer >= above; above *= 10) count++
  return count
}

/** UTF-8 bytes as a JSON string. */
export function writeText(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  // Each byte may become an escape of six.
  let at = out.reserve(6 * (end - start) + 2)
  const target = out.bytes
  target[at++] = QUOTE
  for (let from = start; from < end; from++) {
    const byte = bytes[from]!
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) target[at++] = byte
    else at = writeEscape(target, at, byte)
  }
  target[at++] = QUOTE
  out.at = at
}

function writeEscape(target: Uint8Array, at: number, byte: number): number {
  const escape = SHORT_ESCAPES[byte] ?? `\\u${byte.toString(16).padStart(4, '0')}`
  for (let place = 0; place < escape.length; place++) target[at + place] = escape.charCodeAt(place)
  return at + escape.length
}

export function writeBase64(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  out.byte(QUOTE)
  out.ascii(bytes.subarray(start, end).toBase64())
  out.byte(QUOTE)
}

/** A value without a schema: what maps and nested lists hold. */
export function writePlain(out: ByteWriter, value: PlainValue): void {
  if (typeof value === 'number') writeDouble(out, value)
  else if (typeof value === 'string') writeString(out, value)
  else if (value === null || typeof value !== 'object')
    out.ascii(String(value)) // a bigint too
  else if (value instanceof Uint8Array) writeBase64(out, value, 0, value.length)
  else if (isList(value)) writeList(out, value)
  else writeMap(out, value)
}

const isList = (value: object): value is readonly PlainValue[] => Array.isArray(value)

function writeString(out: ByteWriter, text: string): void {
  const bytes = utf8Encoder.encode(text)
  writeText(out, bytes, 0, bytes.length)
}

function writeList(out: ByteWriter, values: readonly PlainValue[]): void {
  out.ascii('[')
  values.forEach((value, place) => {
    if (place > 0) out.ascii(',')
    writePlain(out, value)
  })
  out.ascii(']')
}

function writeMap(out: ByteWriter, map: { readonly [key: string]: PlainValue }): void {
  out.ascii('{')
  Object.keys(map).forEach((key, place) => {
    if (place > 0) out.ascii(',')
    writeString(out, key)
    out.ascii(':')
    writePlain(out, map[key]!)
  })
  out.ascii('}')
}
