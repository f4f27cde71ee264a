/** One scalar as JSON, msgpack and files bring it, made into its plain form, for each scalar type. */
import { canonicalJson, parseJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import { isInt64, narrowInt64 } from '../base/int64.ts'
import { readTimeText } from '../base/time-text.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueTypeName } from '../catalog/value-type.ts'
import type { ZonedValue } from './plain-forms.ts'

export type ScalarRule = {
  /** The plain form, or undefined for a value that is not of the type. NaN stays NaN. */
  readonly coerce: (value: unknown) => PlainValue | undefined
  /** What `coerce` takes, in the words of a Fault. */
  readonly allowed: string
}

const SECOND_US = 1_000_000
/** Texts shorter than this are integers that a number holds exactly. */
const SAFE_DIGITS = 16
const DIGITS = /^[+-]?\d{1,20}$/
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** `2025-08-21T03:00:00-07:00`, and behind it, as RFC 9557 has it, `[America/Los_Angeles]`. */
const ZONED = /^([^[\]]*?)(Z|[+-]\d{2}(?::?\d{2})?)(?:\[([^[\]]+)\])?$/i

const FLOAT_TEXTS: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

/** Half a surrogate pair has no UTF-8: it would come back as another text. */
const coerceText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.isWellFormed() ? value : undefined

function coerceBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string') return undefined
  try {
    return Uint8Array.fromBase64(value, { lastChunkHandling: 'strict' })
  } catch {
    return undefined // not base64: the caller says what is allowed
  }
}

function coerceInt64(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined
  if (typeof value === 'bigint') return isInt64(value) ? narrowInt64(value) : undefined
  if (typeof value !== 'string' || !DIGITS.test(value)) return undefined
  return coerceInt64(value.length < SAFE_DIGITS ? Number(value) : BigInt(value))
}

function coerceInt32(value: unknown): number | undefined {
  const integer = coerceInt64(value)
  return typeof integer === 'number' && (integer | 0) === integer ? integer : undefined
}

function coerceDouble(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' ? FLOAT_TEXTS.get(value) : undefined
}

function coerceFloat(value: unknown): number | undefined {
  const number = coerceDouble(value)
  return number === undefined ? undefined : Math.fround(number)
}

const coerceBool = (value: unknown): boolean | undefined =>
  typeof value === 'boolean' ? value : undefined

/** Seconds, or text of a time; what is finer than a second is cut off. */
function coerceSeconds(value: unknown): number | bigint | undefined {
  const seconds = coerceInt64(value)
  if (seconds !== undefined || typeof value !== 'string') return seconds
  const timeUs = readTimeText(value)
  return Number.isNaN(timeUs) ? undefined : Math.floor(timeUs / SECOND_US)
}

function coerceJson(value: unknown): string | undefined {
  try {
    if (typeof value !== 'string') return canonicalJson(value)
    parseJson(value)
    return coerceText(value)
  } catch (cause) {
    if (cause instanceof Fault) return undefined // not JSON: the caller says what is allowed
    throw cause
  }
}

const coerceUuid = (value: unknown): string | undefined =>
  typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : undefined

/** Kept as written: 1.10 and 1.1 are two decimals. */
function coerceDecimal(value: unknown): string | undefined {
  if (typeof value === 'string') return DECIMAL.test(value) ? value : undefined
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value)
  return undefined
}

function coerceZoned(value: unknown): ZonedValue | undefined {
  if (typeof value === 'string') return parseZoned(value)
  if (typeof value !== 'object' || value === null) return undefined
  if (!('seconds' in value && 'zone' in value)) return undefined
  const seconds = coerceInt64(value.seconds)
  const zone = coerceText(value.zone)
  return seconds === undefined || zone === undefined ? undefined : { seconds, zone }
}

function parseZoned(text: string): ZonedValue | undefined {
  const [, time, offset, zone] = ZONED.exec(text) ?? []
  if (time === undefined || offset === undefined) return undefined
  const timeUs = readTimeText(time + offset)
  if (Number.isNaN(timeUs)) return undefined
  return { seconds: Math.floor(timeUs / SECOND_US), zone: zone ?? zoneOf(offset) }
}

/** The name of a zone that has this offset always. */
function zoneOf(offset: string): string {
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0')
  if (/^z$/i.test(offset) || digits === '0000') return 'UTC'
  return `${offset.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`
}

const UUID_RULE = {
  coerce: coerceUuid,
  allowed: 'a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8',
}

const RULES: { readonly [name in ValueTypeName]?: ScalarRule } = {
  BYTES: { coerce: coerceBytes, allowed: 'bytes, or base64 text (standard alphabet, padded)' },
  STRING: { coerce: coerceText, allowed: 'text of whole code points' },
  INT32: { coerce: coerceInt32, allowed: 'an integer from -2147483648 to 2147483647' },
  INT64: {
    coerce: coerceInt64,
    allowed:
      'an integer from -9223372036854775808 to 9223372036854775807 (beyond 2^53 in digits: as a JSON integer or text)',
  },
  DOUBLE: { coerce: coerceDouble, allowed: 'a number, "NaN", "Infinity" or "-Infinity"' },
  FLOAT: { coerce: coerceFloat, allowed: 'a number, "NaN", "Infinity" or "-Infinity"' },
  BOOL: { coerce: coerceBool, allowed: 'true or false' },
  UNIX_TIMESTAMP: {
    coerce: coerceSeconds,
    allowed: 'seconds since 1970 as an integer, or a time such as 2026-08-20T10:00:00Z',
  },
  JSON: { coerce: coerceJson, allowed: 'the text of a JSON value, or a JSON value' },
  UUID: UUID_RULE,
  TIME_UUID: UUID_RULE,
  DECIMAL: { coerce: coerceDecimal, allowed: 'a decimal number, or its text such as "12.50"' },
  ZONED_TIMESTAMP: {
    coerce: coerceZoned,
    allowed:
      'a time with its offset such as 2026-08-20T10:00:00+02:00 or ...+02:00[Europe/Berlin], or an object with seconds and zone',
  },
}

/** Undefined for a type that is not a scalar. */
export const scalarRule = (name: ValueTypeName | ''): ScalarRule | undefined =>
  name === '' ? undefined : RULES[name]
