/** A feature's `default:` as the plain value of its type. */
import type { PlainValue } from './catalog.ts'
import type { ValueType, ValueTypeName } from './value-type.ts'
import { valueType } from './value-type.ts'

/** Exactly one of the two is told: the value, or what would have been one. */
export type ParsedDefault =
  | { readonly isValid: true; readonly value: PlainValue }
  | { readonly isValid: false; readonly allowed: string }

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const ISO_TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/

const valid = (value: PlainValue): ParsedDefault => ({ isValid: true, value })
const invalid = (allowed: string): ParsedDefault => ({ isValid: false, allowed })

/** `found` is what YAML made of it: integers that a number can't hold are bigints. */
export function parseDefault(type: ValueType, found: unknown): ParsedDefault {
  if (type.shape === 'list' || type.shape === 'set') return parseElements(type, found)
  const parse = PARSERS.get(type.name)
  if (parse === undefined) return invalid(`no default: a ${type.name} can't have one`)
  return parse(found)
}

function parseElements(type: ValueType, found: unknown): ParsedDefault {
  if (type.element === '' || !PARSERS.has(type.element)) {
    return invalid(`no default: a ${type.name} can't have one`)
  }
  if (!Array.isArray(found)) return invalid(`a list of ${type.element} values`)
  const values: PlainValue[] = []
  for (const element of found) {
    const parsed = parseDefault(valueType(type.element), element)
    if (!parsed.isValid) return invalid(`a list, each element ${parsed.allowed}`)
    values.push(parsed.value)
  }
  return valid(values)
}

const PARSERS: ReadonlyMap<ValueTypeName, (found: unknown) => ParsedDefault> = new Map([
  ['BYTES', parseBytes],
  ['STRING', (found) => (typeof found === 'string' ? valid(found) : invalid('a text'))],
  ['INT32', (found) => parseInteger(found, 32)],
  ['INT64', (found) => parseInteger(found, 64)],
  ['DOUBLE', (found) => parseFloating(found, Number.MAX_VALUE)],
  ['FLOAT', (found) => parseFloating(found, FLOAT32_MAX)],
  ['BOOL', (found) => (typeof found === 'boolean' ? valid(found) : invalid('true or false'))],
  ['UNIX_TIMESTAMP', parseTimestamp],
  ['JSON', parseJson],
  ['UUID', parseUuid],
  ['TIME_UUID', parseUuid],
  ['DECIMAL', parseDecimal],
])

function parseBytes(found: unknown): ParsedDefault {
  const allowed = 'bytes as a base64 text'
  if (typeof found !== 'string') return invalid(allowed)
  try {
    return valid(Uint8Array.fromBase64(found))
  } catch {
    return invalid(allowed) // fromBase64 throws a SyntaxError for what is not base64, and only that
  }
}

function parseInteger(found: unknown, bits: 32 | 64): ParsedDefault {
  const allowed = `an integer of ${bits} bits`
  if (typeof found !== 'bigint' && !Number.isInteger(found)) return invalid(allowed)
  const integer = BigInt(found as number | bigint) // one of the two, by the line above
  if (BigInt.asIntN(bits, integer) !== integer) return invalid(allowed)
  return valid(exactNumber(integer))
}

/** The plain form of an integer: a number where that is exact. */
export const exactNumber = (integer: bigint): number | bigint => {
  const near = Number(integer)
  return Number.isSafeInteger(near) ? near : integer
}

const FLOAT32_MAX = 3.4028234663852886e38

/** NaN is never stored, and so no default: `fill: nan` asks for it. */
function parseFloating(found: unknown, max: number): ParsedDefault {
  const value = typeof found === 'bigint' ? Number(found) : found
  const isFloating = typeof value === 'number' && !Number.isNaN(value)
  if (!isFloating || (Number.isFinite(value) && Math.abs(value) > max)) {
    return invalid(max === FLOAT32_MAX ? 'a number that fits 32 bits' : 'a number')
  }
  return valid(value)
}

function parseTimestamp(found: unknown): ParsedDefault {
  if (typeof found !== 'string') {
    const seconds = parseInteger(found, 64)
    return seconds.isValid
      ? seconds
      : invalid('whole seconds since 1970, or a time such as 2026-08-20T10:00:00Z')
  }
  // A text without a zone is UTC, as in every lane.
  const zoned = /[Z+]|\d-\d\d:\d\d$/.test(found) || found.length <= 10 ? found : `${found}Z`
  const ms = ISO_TIME.test(found) ? Date.parse(zoned.replace(' ', 'T')) : Number.NaN
  if (!Number.isNaN(ms)) return valid(Math.floor(ms / 1000))
  return invalid('whole seconds since 1970, or a time such as 2026-08-20T10:00:00Z')
}

function parseJson(found: unknown): ParsedDefault {
  const allowed = `JSON in a text, such as '{"a": 1}'`
  if (typeof found !== 'string') return invalid(allowed)
  try {
    JSON.parse(found)
    return valid(found)
  } catch {
    return invalid(allowed) // JSON.parse throws for what is not JSON, and only for that
  }
}

function parseUuid(found: unknown): ParsedDefault {
  return typeof found === 'string' && UUID.test(found) ? valid(found) : invalid('a UUID')
}

/** Written in quotes: as a YAML number it would have lost its last zeros. */
function parseDecimal(found: unknown): ParsedDefault {
  if (typeof found === 'string' && DECIMAL.test(found)) return valid(found)
  return invalid(`a decimal in quotes, such as '1.10'`)
}
