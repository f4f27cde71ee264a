/**
 * JSON as Python's json module reads and writes it: an integer and a float stay apart (5 and 5.0 are
 * other texts, and other keys), integers are exact, NaN and Infinity are numbers.
 */
import { NESTING_MAX } from '../base/limits.ts'
import { pythonFloatText } from './python-float.ts'

/** A JSON number with a fraction or an exponent. A plain number or bigint is an integer. */
export class PythonFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

export type PythonValue =
  null | boolean | number | bigint | string | PythonFloat | readonly PythonValue[] | PythonObject
export type PythonObject = { readonly [key: string]: PythonValue }

/** `message` is what Python's decoder says, `position` the character at which it says so. */
export class PythonJsonError extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}

/** Text that Python gives up on without a position: nested too deeply, or an endless integer. */
export class PythonParseError extends Error {}

/** A digit before a point or an exponent, or more digits than a double surely keeps. */
const NEEDS_CARE = /\d[.eE]|\d{16}/

/** Throws PythonJsonError or PythonParseError. */
export function parsePythonJson(text: string): PythonValue {
  if (!NEEDS_CARE.test(text)) {
    try {
      return JSON.parse(text) as PythonValue // without floats and long integers, the types of both are the same
    } catch {
      // The reader below says what is wrong and where, and takes what only Python takes.
    }
  }
  return new PythonJsonReader(text).read()
}

export const isPythonObject = (value: PythonValue): value is PythonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof PythonFloat)

export const isPythonList = (value: PythonValue): value is readonly PythonValue[] =>
  Array.isArray(value)

/** Compact, without ASCII escaping: as FastAPI answers. Throws PythonParseError past the nesting bound. */
export function pythonJsonText(value: PythonValue, depth = 0): string {
  if (depth > NESTING_MAX) throw new PythonParseError('nested too deeply')
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof PythonFloat) return floatText(value.value)
  if (isPythonList(value)) {
    return `[${value.map((each) => pythonJsonText(each, depth + 1)).join(',')}]`
  }
  if (!isPythonObject(value)) return value === null ? 'null' : String(value)
  const entries = Object.keys(value).map(
    (key) => `${JSON.stringify(key)}:${pythonJsonText(value[key]!, depth + 1)}`,
  )
  return `{${entries.join(',')}}`
}

/** NaN and infinities have no JSON. */
const floatText = (value: number): string =>
  Number.isFinite(value) ? pythonFloatText(value) : 'null'

const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const HEX = /[0-9a-fA-F]{4}/y
const WORDS: readonly (readonly [string, PythonValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new PythonFloat(NaN)],
  ['Infinity', new PythonFloat(Infinity)],
  ['-Infinity', new PythonFloat(-Infinity)],
]
const ESCAPES: { readonly [escape: string]: string } = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
/** Python's words, in which four letters stand for four digits. */
const BROKEN_UNICODE = `Invalid \\u${'X'.repeat(4)} escape`
/** Python refuses to turn longer texts into integers. */
const INTEGER_DIGITS_MAX = 4300

class PythonJsonReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): PythonValue {
    this.#skipSpace()
    const value = this.#readValue()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#error('Extra data')
    return value
  }

  #readValue(): PythonValue {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#readString()
      case '{':
        return this.#readObject()
      case '[':
        return this.#readList()
      default:
        return this.#readNumber() ?? this.#readWord()
    }
  }

  #readObject(): PythonObject {
    this.#open()
    const entries: { [key: string]: PythonValue } = {}
    let closed = this.#skip('}')
    while (!closed) {
      if (this.#text[this.#at] !== '"') {
        throw this.#error('Expecting property name enclosed in double quotes')
      }
      const key = this.#readString()
      this.#skipSpace()
      if (!this.#skip(':')) throw this.#error("Expecting ':' delimiter")
      // Not by assignment: `__proto__` is a name like any other.
      const value = this.#readValue()
      Object.defineProperty(entries, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
      closed = this.#closeOrComma('}')
    }
    this.#depth--
    return entries
  }

  #readList(): PythonValue[] {
    this.#open()
    const values: PythonValue[] = []
    let closed = this.#skip(']')
    while (!closed) {
      values.push(this.#readValue())
      closed = this.#closeOrComma(']')
    }
    this.#depth--
    return values
  }

  #open(): void {
    if (++this.#depth > NESTING_MAX) throw new PythonParseError('nested too deeply')
    this.#at++
    this.#skipSpace()
  }

  /** True at the end of the container, false before its next element. */
  #closeOrComma(close: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] === close) {
      this.#at++
      return true
    }
    if (!this.#skip(',')) throw this.#error("Expecting ',' delimiter")
    return false
  }

  /** Steps over the character and the space behind it, if it stands here. */
  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    this.#skipSpace()
    return true
  }

  #skipSpace(): void {
    this.#match(SPACE)
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match !== null) this.#at += match[0].length
    return match
  }

  #readNumber(): PythonValue | undefined {
    const match = this.#match(NUMBER)
    if (match === null) return undefined
    const [text, integer = '', fraction, exponent] = match
    if (fraction !== undefined || exponent !== undefined) return new PythonFloat(Number(text))
    if (integer.length > INTEGER_DIGITS_MAX) throw new PythonParseError('an integer is too long')
    const near = Number(text)
    return Number.isSafeInteger(near) ? near : BigInt(text)
  }

  #readWord(): PythonValue {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    throw this.#error('Expecting value')
  }

  #readString(): string {
    const start = this.#at++
    let value = ''
    for (;;) {
      value += this.#match(PLAIN)![0] // matches nothing too
      const character = this.#text[this.#at]
      if (character === '"') {
        this.#at++
        return value
      }
      if (character === undefined) throw this.#error('Unterminated string starting at', start)
      if (character !== '\\') throw this.#error('Invalid control character at')
      value += this.#readEscape(start)
    }
  }

  #readEscape(start: number): string {
    const escape = this.#text[this.#at + 1]
    if (escape === undefined) throw this.#error('Unterminated string starting at', start)
    if (escape !== 'u') {
      const character = ESCAPES[escape]
      if (character === undefined) throw this.#error('Invalid \\escape')
      this.#at += 2
      return character
    }
    const mark = this.#at + 1
    this.#at = mark + 1
    const hex = this.#match(HEX)
    // Python says the same of four good digits with nothing behind them.
    if (hex === null || this.#at === this.#text.length) {
      throw this.#error(BROKEN_UNICODE, mark)
    }
    return String.fromCharCode(Number.parseInt(hex[0], 16))
  }

  /** Python counts characters, not units of UTF-16. */
  #error(message: string, at = this.#at): PythonJsonError {
    return new PythonJsonError(message, [...this.#text.slice(0, at)].length)
  }
}
