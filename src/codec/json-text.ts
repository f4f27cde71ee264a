/** Values as JSON text, written straight into bytes. */
import type { PlainValue } from '../catalog/catalog.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { ByteWriter } from './byte-writer.ts'
import { writeDigits } from './digits.ts'
import { UNDECIDED, isFraction, writeFraction } from './float-text.ts'

const QUOTE = 0x22
const MINUS = 0x2d
const BACKSLASH = 0x5c
/** Up to here an integer has fewer digits than a double keeps. */
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
  const size = Math.abs(value)
  if (isFraction(size)) writeFractional(out, value, size)
  else if (size < EXACT_MAX && Math.trunc(value) === value) {
    if (value === 0 && 1 / value < 0) out.ascii('-0')
    else writeInteger(out, value)
  } else if (size < Infinity) out.ascii(String(value))
  else out.ascii(`"${value}"`)
}

/** A value whose size is a fraction. */
export function writeFractional(out: ByteWriter, value: number, size: number): void {
  let at = out.reserve(NUMBER_TEXT_MAX)
  if (value < 0) out.bytes[at++] = MINUS
  const end = writeFraction(out.bytes, at, size)
  if (end === UNDECIDED) out.ascii(String(value))
  else out.at = end
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
