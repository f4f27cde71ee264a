/**
 * JSON where it lies, without making values of it. Each function takes the offset where something
 * begins and returns the one behind it, or -1 for bytes that JSON.parse would not take either.
 */
import { NESTING_MAX } from '../../base/limits.ts'
import { utf8Encoder } from '../../base/utf8.ts'

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_LIST = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_LIST = 0x5d
export const OPEN = 0x7b
export const CLOSE = 0x7d

export const WRONG = -1

/** The first offset from `at` where no white space stands. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte > 0x20) return at
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
  }
  return at
}

/** Behind the one byte that has to come next, white space aside. */
export function expectByte(bytes: Uint8Array, at: number, byte: number): number {
  const found = bytes[at] === byte ? at : skipSpace(bytes, at)
  return bytes[found] === byte ? found + 1 : WRONG
}

/** From before an object: its first name's quote, or its end. */
export function openObject(bytes: Uint8Array, at: number): number {
  const start = expectByte(bytes, at, OPEN)
  return start < 0 ? WRONG : skipSpace(bytes, start)
}

/** From behind a member's value: the next name's quote, or the object's end. */
export function nextMember(bytes: Uint8Array, at: number): number {
  const found = skipSpace(bytes, at)
  if (bytes[found] === CLOSE) return found
  if (bytes[found] !== COMMA) return WRONG
  const next = skipSpace(bytes, found + 1)
  return bytes[next] === QUOTE ? next : WRONG
}

/** From behind an element: the start of the next one, or the list's end. */
export function nextElement(bytes: Uint8Array, at: number): number {
  const found = skipSpace(bytes, at)
  if (bytes[found] === CLOSE_LIST) return found
  if (bytes[found] !== COMMA) return WRONG
  const next = skipSpace(bytes, found + 1)
  return bytes[next] === CLOSE_LIST ? WRONG : next
}

/** From behind a string's first quote: where its last quote stands. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) return at
    if (byte < 0x20) return WRONG
    if (byte !== BACKSLASH) continue
    const more = escapeBytes(bytes, at + 1)
    if (more < 0) return WRONG
    at += more
  }
  return WRONG
}

/** Bytes of an escape behind its backslash. */
function escapeBytes(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 1
    case 0x75: // u
      for (let place = 1; place <= 4; place++) if (!isHex(bytes[at + place])) return WRONG
      return 5
    default:
      return WRONG
  }
}

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined &&
  ((byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66))

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text between the quotes of a string that `stringEnd` has passed. */
export function stringText(bytes: Uint8Array, start: number, end: number): string {
  const raw = decoder.decode(bytes.subarray(start, end))
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw // it is one string
}

/** True where the text between the quotes holds an escape: then it is not its own bytes. */
export function hasEscape(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true
  return false
}

/** As stringText, in UTF-8. */
export const stringBytes = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  hasEscape(bytes, start, end)
    ? utf8Encoder.encode(stringText(bytes, start, end))
    : bytes.subarray(start, end)

/** Behind any value, white space before it too. */
export function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  const start = skipSpace(bytes, at)
  switch (bytes[start]) {
    case QUOTE: {
      const end = stringEnd(bytes, start + 1)
      return end < 0 ? WRONG : end + 1
    }
    case OPEN:
      return depth >= NESTING_MAX ? WRONG : skipObject(bytes, start, depth + 1)
    case OPEN_LIST:
      return depth >= NESTING_MAX ? WRONG : skipList(bytes, start, depth + 1)
    case 0x74: // t
      return skipWord(bytes, start, TRUE)
    case 0x66: // f
      return skipWord(bytes, start, FALSE)
    case 0x6e: // n
      return skipWord(bytes, start, NULL)
    default:
      return skipNumber(bytes, start)
  }
}

const TRUE = utf8Encoder.encode('true')
const FALSE = utf8Encoder.encode('false')
const NULL = utf8Encoder.encode('null')

const skipWord = (bytes: Uint8Array, at: number, word: Uint8Array): number =>
  isAt(bytes, at, word) ? at + word.length : WRONG

/** True where exactly these bytes stand at `at`. */
export function isAt(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  if (at + expected.length > bytes.length) return false
  for (let place = 0; place < expected.length; place++) {
    if (bytes[at + place] !== expected[place]) return false
  }
  return true
}

function skipObject(bytes: Uint8Array, start: number, depth: number): number {
  let at = openObject(bytes, start)
  while (at >= 0 && bytes[at] !== CLOSE) {
    at = skipName(bytes, at)
    at = at < 0 ? WRONG : skipValue(bytes, at, depth)
    at = at < 0 ? WRONG : nextMember(bytes, at)
  }
  return at < 0 ? WRONG : at + 1
}

/** Behind the colon of a member. */
export function skipName(bytes: Uint8Array, at: number): number {
  const start = expectByte(bytes, at, QUOTE)
  const end = start < 0 ? WRONG : stringEnd(bytes, start)
  return end < 0 ? WRONG : expectByte(bytes, end + 1, COLON)
}

function skipList(bytes: Uint8Array, start: number, depth: number): number {
  let at = skipSpace(bytes, start + 1)
  while (at >= 0 && bytes[at] !== CLOSE_LIST) {
    at = skipValue(bytes, at, depth)
    at = at < 0 ? WRONG : nextElement(bytes, at)
  }
  return at < 0 ? WRONG : at + 1
}

function skipNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === 0x2d ? start + 1 : start // minus
  const whole = skipDigits(bytes, at)
  if (whole === at || (bytes[at] === 0x30 && whole > at + 1)) return WRONG
  at = whole
  if (bytes[at] === 0x2e) {
    const end = skipDigits(bytes, at + 1)
    if (end === at + 1) return WRONG
    at = end
  }
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at // e, E
  at += bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d ? 2 : 1 // plus, minus
  const end = skipDigits(bytes, at)
  return end === at ? WRONG : end
}

function skipDigits(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++
  return at
}
