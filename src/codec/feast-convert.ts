/** Entity values as Feast converts them to the type of their join key: Python's int() and str(). */
import { INT64_MAX, INT64_MIN, narrowInt64 } from '../base/int64.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { KeyTypeName } from '../catalog/value-type.ts'
import type { FeastFault } from '../query/feast-fault.ts'
import { plainFault } from '../query/feast-fault.ts'
import { pythonFloatText } from './python-float.ts'
import type { PythonValue } from './python-json.ts'
import { PythonFloat } from './python-json.ts'
import { pythonQuoted } from './python-text.ts'

/** Typed values; null where there is none: for null, for lists and for objects. Throws a FeastFault. */
export function convertColumn(
  values: readonly PythonValue[],
  type: KeyTypeName,
): readonly PlainValue[] {
  switch (type) {
    case 'STRING':
      return values.every(isText) ? values : values.map(textOf)
    case 'BYTES':
      return values.map(bytesOf)
    case 'INT32':
      return convertIntegers(values, -(2n ** 31n), 2n ** 31n - 1n)
    default:
      return convertIntegers(values, INT64_MIN, INT64_MAX)
  }
}

const isText = (value: PythonValue): value is string => typeof value === 'string'

function textOf(value: PythonValue): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value instanceof PythonFloat) return pythonFloatText(value.value)
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}

/** JSON has no bytes. */
function bytesOf(value: PythonValue): null {
  if (value === null || typeof value === 'object') return null
  const name = typeof value === 'string' ? 'str' : typeof value === 'boolean' ? 'bool' : 'int'
  throw plainFault(`Type \`<class '${name}'>\` not in {<class 'bytes'>}`)
}

function convertIntegers(
  values: readonly PythonValue[],
  least: bigint,
  most: bigint,
): readonly PlainValue[] {
  // What nearly every request holds needs neither a copy nor a look at each type.
  if (areNumbersWithin(values, Number(least), Number(most))) return values
  return values.map((value) => {
    const integer = integerOf(value)
    if (integer === null) return null
    if (integer < least || integer > most) throw plainFault(`Value out of range: ${integer}`)
    return typeof integer === 'bigint' ? narrowInt64(integer) : integer
  })
}

function areNumbersWithin(
  values: readonly PythonValue[],
  least: number,
  most: number,
): values is readonly number[] {
  for (let place = 0; place < values.length; place++) {
    const value = values[place]
    if (typeof value !== 'number' || value < least || value > most) return false
  }
  return true
}

function integerOf(value: PythonValue): number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') return parsePythonInt(value)
  return value instanceof PythonFloat ? truncated(value.value) : null
}

function truncated(value: number): number | bigint {
  if (Number.isNaN(value)) throw plainFault('cannot convert float NaN to integer')
  if (!Number.isFinite(value)) throw plainFault('cannot convert float infinity to integer')
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? whole : BigInt(whole)
}

/** Digits of any script, single underscores between them, space around. */
const INTEGER_TEXT = /^\s*([-+]?)(\p{Nd}+(?:_\p{Nd}+)*)\s*$/u
const DIGITS_MAX = 4300

/** As Python's `int(text)`. Throws a FeastFault with Python's words. */
export function parsePythonInt(text: string): number | bigint {
  const match = INTEGER_TEXT.exec(text)
  if (match === null) throw notAnInteger(text)
  const [, sign, grouped = ''] = match
  const digits = asciiDigits(grouped.replaceAll('_', ''))
  if (digits.length > DIGITS_MAX) {
    throw plainFault(
      `Exceeds the limit (${DIGITS_MAX} digits) for integer string conversion: ` +
        `value has ${digits.length} digits; use sys.set_int_max_str_digits() to increase the limit`,
    )
  }
  const integer = BigInt(digits)
  return narrowInt64(sign === '-' ? -integer : integer)
}

const notAnInteger = (text: string): FeastFault =>
  plainFault(`invalid literal for int() with base 10: ${pythonQuoted(text)}`)

const ASCII_DIGITS = /^[0-9]*$/

function asciiDigits(digits: string): string {
  if (ASCII_DIGITS.test(digits)) return digits
  return Array.from(digits, (digit) => String(digitValue(digit.codePointAt(0)!))).join('')
}

const DECIMAL_DIGIT = /^\p{Nd}$/u

/** Digits stand in tens that begin with a zero; the mathematical ones in five tens on end. */
function digitValue(codePoint: number): number {
  let before = 0
  while (DECIMAL_DIGIT.test(String.fromCodePoint(codePoint - before - 1))) before++
  return before % 10
}
