/** A cursor over the JSON text of a request: exact integers, and the byte of every fault. */
import { Fault } from '../base/fault.ts'
import type { RequestReader, RequestScalar } from './request-reader.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const BRACKET_OPEN = 0x5b
const BACKSLASH = 0x5c
const BRACKET_CLOSE = 0x5d
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y
/** So many digits can't overflow the exact range of a double. */
const EXACT_DIGITS = 15
/** A longer integer fits no 64 bits: it need not be exact, and BigInt is quadratic in the digits. */
const INT64_DIGITS = 20

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class JsonReader implements RequestReader {
  readonly bodyBytes: number
  readonly #text: string
  #at = 0
  /** True between the opening of a container and its first element. */
  #first = false

  constructor(bytes: Uint8Array) {
    this.bodyBytes = bytes.length
    this.#text = decodeUtf8(bytes)
    this.#skipSpace()
  }

  byteOffset(): number {
    return Buffer.byteLength(this.#text.slice(0, this.#at))
  }

  kind(): 'map' | 'array' | 'scalar' {
    const code = this.#text.charCodeAt(this.#at)
    if (code === BRACE_OPEN) return 'map'
    return code === BRACKET_OPEN ? 'array' : 'scalar'
  }

  enterMap(): void {
    this.#step(BRACE_OPEN, '"{"')
    this.#first = true
  }

  nextKey(): string | undefined {
    if (!this.#hasNext(BRACE_CLOSE, '"," or "}"')) return undefined
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#unexpected('a name in quotes')
    const key = this.#readString()
    this.#skipSpace()
    this.#step(COLON, '":"')
    return key
  }

  enterArray(): void {
    this.#step(BRACKET_OPEN, '"["')
    this.#first = true
  }

  nextElement(): boolean {
    return this.#hasNext(BRACKET_CLOSE, '"," or "]"')
  }

  readScalar(): RequestScalar {
    const code = this.#text.charCodeAt(this.#at)
    let scalar: RequestScalar
    if (code === QUOTE) scalar = this.#readString()
    else if (code === MINUS || (code >= ZERO && code <= NINE)) scalar = this.#readNumber()
    else scalar = this.#readWord()
    this.#skipSpace()
    return scalar
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#unexpected('the end')
  }

  /** Steps over a comma, or over the closing bracket of the container, which is then left. */
  #hasNext(close: number, allowed: string): boolean {
    const code = this.#text.charCodeAt(this.#at)
    if (code === close) {
      this.#at++
      this.#skipSpace()
      this.#first = false
      return false
    }
    if (this.#first) this.#first = false
    else this.#step(COMMA, allowed)
    return true
  }

  #step(code: number, allowed: string): void {
    if (this.#text.charCodeAt(this.#at) !== code) throw this.#unexpected(allowed)
    this.#at++
    this.#skipSpace()
  }

  #skipSpace(): void {
    const text = this.#text
    let at = this.#at
    for (;;) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
      at++
    }
    this.#at = at
  }

  #readNumber(): number | bigint {
    const text = this.#text
    const start = this.#at
    const negative = text.charCodeAt(start) === MINUS
    const first = negative ? start + 1 : start
    let at = first
    let number = 0
    let code = text.charCodeAt(at)
    while (code >= ZERO && code <= NINE) {
      number = number * 10 + (code - ZERO)
      code = text.charCodeAt(++at)
    }
    const digits = at - first
    // 0x2e, 0x45 and 0x65: a fraction or an exponent follows.
    const plain = code !== 0x2e && code !== 0x45 && code !== 0x65
    const zeroAhead = digits > 1 && text.charCodeAt(first) === ZERO
    if (!plain || zeroAhead || digits === 0 || digits > EXACT_DIGITS) return this.#readLongNumber()
    this.#at = at
    return negative && number !== 0 ? -number : number
  }

  #readLongNumber(): number | bigint {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#unexpected('a number')
    const [text, fraction, exponent] = match
    this.#at += text.length
    const next = this.#text.charCodeAt(this.#at)
    if (next >= ZERO && next <= NINE) throw this.#unexpected('a number without leading zeros')
    const number = Number(text)
    if (fraction !== undefined || exponent !== undefined) return number
    if (Number.isSafeInteger(number) || text.length > INT64_DIGITS) return number
    return BigInt(text)
  }

  #readString(): string {
    const text = this.#text
    const start = this.#at + 1
    let at = start
    let code = text.charCodeAt(at)
    // Ends at the quote, at an escape, at a control character and at the end (NaN).
    while (code !== QUOTE && code !== BACKSLASH && code >= 0x20) code = text.charCodeAt(++at)
    if (code !== QUOTE) return this.#readEscapedString()
    this.#at = at + 1
    return text.slice(start, at)
  }

  #readEscapedString(): string {
    const text = this.#text
    const start = this.#at
    let at = start + 1
    let code = text.charCodeAt(at)
    while (code !== QUOTE && at < text.length) {
      at += code === BACKSLASH ? 2 : 1
      code = text.charCodeAt(at)
    }
    const value = parseString(text.slice(start, at + 1))
    if (value === undefined) throw this.#unexpected('a string: its end or an escape in it is wrong')
    this.#at = at + 1
    return value
  }

  #readWord(): null | boolean {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    throw this.#unexpected('a JSON value')
  }

  #unexpected(allowed: string): Fault {
    const found = this.#text.codePointAt(this.#at)
    const shown = found === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(found))
    return new Fault('malformed', `JSON is broken: found ${shown}`, {
      where: `byte ${this.byteOffset()}`,
      allowed,
    })
  }
}

/** Undefined for broken JSON and for a lone surrogate, which no UTF-8 can hold. */
function parseString(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted)
    return typeof value === 'string' && value.isWellFormed() ? value : undefined
  } catch {
    return undefined
  }
}

const WORDS: readonly (readonly [string, null | boolean])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
]

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Fault('malformed', 'JSON is not UTF-8', {
      where: `byte ${firstInvalidByte(bytes)}`,
      allowed: 'UTF-8',
      cause,
    })
  }
}

/** Offset of the first byte that starts no UTF-8 character; the length where there is none. */
export function firstInvalidByte(bytes: Uint8Array): number {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let offset = 0
  let from = 0
  for (;;) {
    const found = text.indexOf('\ufffd', from)
    if (found === -1) return bytes.length
    offset += Buffer.byteLength(text.slice(from, found))
    // The replacement character may also be what was sent.
    const sent = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd
    if (!sent) return offset
    offset += 3
    from = found + 1
  }
}
