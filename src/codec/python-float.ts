/** Floats as Python's repr writes them: shortest digits, always a point or an exponent of two digits. */
import type { ByteWriter } from './byte-writer.ts'
import { isFraction } from './float-text.ts'
import { writeFractional, writeInteger } from './json-text.ts'

/** From here on Python writes an exponent, and below the other. */
const EXPONENT_FROM = 1e16
const EXPONENT_BELOW = 1e-4

/** NaN and infinities as the texts that Feast answers with. */
export function writePythonFloat(out: ByteWriter, value: number): void {
  const size = Math.abs(value)
  if (size >= EXPONENT_BELOW && isFraction(size)) writeFractional(out, value, size)
  else if (size < EXPONENT_FROM && Math.trunc(value) === value) {
    if (value === 0 && 1 / value < 0) return out.ascii('-0.0')
    writeInteger(out, value)
    out.ascii('.0')
  } else if (Number.isFinite(value)) out.ascii(exponentText(value))
  else out.ascii(`"${value}"`)
}

/** What `repr` and `str` print. */
export function pythonFloatText(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf').toLowerCase()
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size !== 0 && (size < EXPONENT_BELOW || size >= EXPONENT_FROM)) return exponentText(value)
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** `1e-07`, `1.2345678901234568e+20`: the digits are JavaScript's, which are the shortest too. */
function exponentText(value: number): string {
  const text = value.toExponential()
  const mark = text.indexOf('e')
  const digits = text.slice(mark + 2)
  return `${text.slice(0, mark + 2)}${digits.padStart(2, '0')}`
}
