/**
 * JSON in which no integer loses a digit: one beyond 2^53 comes out as a bigint. Nearly all texts
 * have none, and are read by JSON.parse; the reader below is for those that do, and for finding the
 * place of a fault.
 */
import { Fault } from './fault.ts'
import { NESTING_MAX } from './limits.ts'
import { compareUtf8 } from './utf8.ts'

/** The shortest integer that a double may not hold has 16 digits. Fractions are often as long. */
const LONG_DIGITS = /(?:^|[^\d.])\d{16}/

/** Duplicate names: the last wins. Syntax faults and nesting beyond NESTING_MAX are `malformed`. */
export function parseJson(text: string): unknown {
  if (LONG_DIGITS.test(text) || mayNestTooDeep(text)) return new JsonReader(text).read()
  try {
    return JSON.parse(text)
  } catch (cause) {
    new JsonReader(text).read() // throws, with the place
    throw new Fault('malformed', 'not JSON', { cause })
  }
}

/** Counts opening brackets, those in texts too: only where there are many is a closer look needed. */
const mayNestTooDeep = (text: string): boolean =>
  hasMoreThan(text, '[', NESTING_MAX / 2) || hasMoreThan(text, '{', NESTING_MAX / 2)

function hasMoreThan(text: string, bracket: string, count: number): boolean {
  let at = -1
  for (let found = 0; found <= count; found++) {
    at = text.indexOf(bracket, at + 1)
    if (at < 0) return false
  }
  return true
}

/**
 * Compact JSON, names in the order of their UTF-8 bytes: equal values give equal texts. For what
 * parseJson gives; a value that JSON has no form for (bytes, NaN) is `malformed`.
 */
export const canonicalJson = (value: unknown): string => canonicalText(value, 0)

function canonicalText(value: unknown, depth: number): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw notJson(String(value))
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (depth >= NESTING_MAX) throw tooDeep()
  if (Array.isArray(value)) {
    return `[${value.map((element: unknown) => canonicalText(element, depth + 1)).join(',')}]`
  }
  if (ArrayBuffer.isView(value)) throw notJson('bytes')
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field, depth + 1)}`)
  return `{${fields.join(',')}}`
}

const notJson = (what: string): Fault => new Fault('malformed', `JSON has no form for ${what}`)

const TOO_DEEP = 'JSON is nested too deep'

const tooDeep = (): Fault => new Fault('malformed', TOO_DEEP, { allowed: `${NESTING_MAX} levels` })

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y
/** A double overflows at 309 digits, and reading a bigint takes the square of its digits. */
const DIGITS_MAX = 400
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['t', true],
  ['f', false],
  ['n', null],
])
const ESCAPED = '"\\/bfnrt'
const FOUR_HEX = /[0-9a-fA-F]{4}/y

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): unknown {
    const value = this.#value(0)
    if (this.#at < this.#text.length) throw this.#fault('the end')
    return value
  }

  #value(depth: number): unknown {
    this.#skipSpace()
    const value = this.#bare(depth)
    this.#skipSpace()
    return value
  }

  #bare(depth: number): unknown {
    const first = this.#text.charAt(this.#at)
    if (first === '{' || first === '[') {
      if (depth >= NESTING_MAX) throw this.#faultOf(TOO_DEEP, `${NESTING_MAX} levels`)
      return first === '{' ? this.#object(depth) : this.#array(depth)
    }
    if (first === '"') return this.#string()
    if (WORDS.has(first)) return this.#word(WORDS.get(first))
    return this.#number()
  }

  #object(depth: number): unknown {
    const object: { [name: string]: unknown } = {}
    this.#at++
    this.#skipSpace()
    if (this.#take('}')) return object
    do {
      this.#skipSpace()
      if (this.#text.charAt(this.#at) !== '"') throw this.#fault('a name in double quotes')
      const name = this.#string()
      this.#skipSpace()
      if (!this.#take(':')) throw this.#fault('":"')
      setField(object, name, this.#value(depth + 1))
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#fault('"," or "}"')
    return object
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = []
    this.#at++
    this.#skipSpace()
    if (this.#take(']')) return array
    do array.push(this.#value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#fault('"," or "]"')
    return array
  }

  #string(): string {
    const start = this.#at++
    let hasEscapes = false
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at)
      if (unit === 0x22) break
      if (Number.isNaN(unit)) throw this.#fault('a closing quote')
      if (unit < 0x20) throw this.#fault('an escape in place of a control character')
      if (unit === 0x5c) {
        hasEscapes = true
        this.#skipEscape()
      }
      this.#at++
    }
    this.#at++
    if (!hasEscapes) return this.#text.slice(start + 1, this.#at - 1)
    return String(JSON.parse(this.#text.slice(start, this.#at)))
  }

  /** From the backslash to the escape's last unit. */
  #skipEscape(): void {
    this.#at++
    const kind = this.#text.charAt(this.#at)
    if (kind === 'u') {
      FOUR_HEX.lastIndex = this.#at + 1
      if (!FOUR_HEX.test(this.#text)) throw this.#fault('four hex digits after \\u')
      this.#at += 4
    } else if (kind === '' || !ESCAPED.includes(kind)) {
      throw this.#fault('one of " \\ / b f n r t u after a backslash')
    }
  }

  #word(value: unknown): unknown {
    const word = String(value)
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('a JSON value')
    this.#at += word.length
    return value
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#fault('a JSON value')
    const [text, fraction, exponent] = match
    if (text.length > DIGITS_MAX) {
      throw this.#faultOf('a number is too long', `${DIGITS_MAX} digits`)
    }
    this.#at = NUMBER.lastIndex
    const near = Number(text)
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(near)) return near
    return BigInt(text)
  }

  #take(unit: string): boolean {
    if (this.#text.charAt(this.#at) !== unit) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return
      this.#at++
    }
  }

  #fault(expected: string): Fault {
    const found = this.#text.codePointAt(this.#at)
    const what = found === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(found))
    return this.#faultOf(`JSON does not go on with ${what} here`, expected)
  }

  #faultOf(message: string, allowed: string): Fault {
    const before = this.#text.slice(0, this.#at)
    const line = before.split('\n').length
    const column = this.#at - before.lastIndexOf('\n')
    const byte = Buffer.byteLength(before)
    return new Fault('malformed', message, {
      where: `line ${line}, column ${column} (byte ${byte})`,
      allowed,
    })
  }
}

/** As JSON.parse does it: `__proto__` is a name like any other. */
function setField(object: { [name: string]: unknown }, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  } else object[name] = value
}
