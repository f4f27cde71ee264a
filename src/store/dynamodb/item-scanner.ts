/**
 * One item of a reply, read where it lies: its `values` go straight into row bytes, and of
 * `entity_id` and `event_ts` it is remembered where they stand. One scanner serves one layout.
 *
 *     scanner.open(reply)
 *     const end = scanner.scan(at, space)   // -1: the reply is not well formed
 *
 * and then its fields tell of the item until the next `scan` or `close`. Attributes may come in any
 * order, be missing, or be others: those are passed over.
 */
import { utf8Encoder } from '../../base/utf8.ts'
import type { Layout } from '../../row/layout.ts'
import { PRESENT } from '../../row/layout.ts'
import { DIGIT_VALUES, NO_DIGIT, PAD, decodeBase64 } from './base64-bytes.ts'
import { parseEventText } from './event-text.ts'
import { FeatureNames, isHeadAt } from './feature-names.ts'
import {
  CLOSE,
  COLON,
  COMMA,
  OPEN,
  QUOTE,
  WRONG,
  expectByte,
  isAt,
  nextMember,
  openObject,
  skipSpace,
  skipValue,
  stringBytes,
  stringEnd,
  stringText,
} from './json-bytes.ts'
import type { RowSpace } from './row-space.ts'
import type { ScanCounters } from './scan-counters.ts'
import { FLOAT, ValuePlacer } from './value-placer.ts'

/** The attributes as DynamoDB writes them; other white space and escapes go a longer way. */
const ID = utf8Encoder.encode('"entity_id":{"S":"')
const TIME = utf8Encoder.encode('"event_ts":{"S":"')
const VALUES = utf8Encoder.encode('"values":{"M":{')

/** First of the eight characters of a FLOAT's Value: tag 0x35 and 32 bits are five bytes. */
const FLOAT_HEAD = 0x4e

/** Values of so many characters are decoded while their end is looked for. */
const SHORT_TEXT_BYTES = 256

const NO_BYTES = new Uint8Array(0)

export class ItemScanner {
  readonly layout: Layout
  readonly #names: FeatureNames
  readonly #placer: ValuePlacer
  readonly #counters: ScanCounters
  #bytes: Uint8Array = NO_BYTES
  #view: DataView = new DataView(NO_BYTES.buffer)
  /** The same bytes again, made when they are first wanted. */
  #latin1: Buffer | undefined
  /** The Value under work. */
  #value = new Uint8Array(1024)
  /** Its bytes, or -1 for what is no base64. */
  #valueBytes = 0
  /** The feature of the entry that was read last, or -1. */
  #position = -1

  /** Where the item's entity_id lies in what is scanned; an idStart of -1 where it has none. */
  idStart = -1
  idEnd = -1
  /** Its event time: NaN where there is none. */
  timeUs = NaN
  #timeStart = -1
  #timeEnd = -1
  /** The row, in the space's `rows`; its bytes are -1 for one that is too large. */
  rowStart = 0
  rowBytes = 0

  constructor(layout: Layout, counters: ScanCounters) {
    this.layout = layout
    this.#counters = counters
    this.#names = new FeatureNames(layout)
    this.#placer = new ValuePlacer(layout, counters)
  }

  /** The bytes that are scanned from now on. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#latin1 = undefined
  }

  /** Lets go of what was scanned, and of the rows: a scanner outlives them. */
  close(): void {
    this.open(NO_BYTES)
    this.#placer.close()
  }

  /** Reads the item at `start`, white space before it too; returns the offset behind it, or -1. */
  scan(start: number, space: RowSpace): number {
    this.#begin(space)
    const bytes = this.#bytes
    let at = openObject(bytes, start)
    while (at >= 0 && bytes[at] !== CLOSE) {
      at = this.#attribute(at)
      at = at < 0 ? WRONG : nextMember(bytes, at)
    }
    if (at < 0) return WRONG
    this.#end(space)
    return at + 1
  }

  /** The stored text of event_ts; undefined where the item has none. */
  timeText(): string | undefined {
    return this.#timeStart < 0 ? undefined : stringText(this.#bytes, this.#timeStart, this.#timeEnd)
  }

  /** The entity_id as text; undefined where the item has none. */
  idText(): string | undefined {
    return this.idStart < 0 ? undefined : stringText(this.#bytes, this.idStart, this.idEnd)
  }

  #begin(space: RowSpace): void {
    this.idStart = -1
    this.#timeStart = -1
    this.timeUs = NaN
    this.rowStart = space.rowsUsed
    this.#placer.begin(space)
  }

  #end(space: RowSpace): void {
    const hasTime = this.timeUs === this.timeUs // NaN alone differs from itself
    if (!hasTime) this.#counters.timesUnreadable++
    this.rowBytes = this.#placer.finish(space, hasTime ? this.timeUs : 0)
    if (this.rowBytes < 0) this.#counters.rowsTooLarge++
  }

  /** From an attribute's name to behind its value. */
  #attribute(at: number): number {
    const bytes = this.#bytes
    if (isAt(bytes, at, ID)) return this.#readId(at + ID.length)
    if (isAt(bytes, at, TIME)) return this.#readTime(at + TIME.length)
    if (isAt(bytes, at, VALUES)) return this.#readMap(at + VALUES.length)
    const nameStart = expectByte(bytes, at, QUOTE)
    const nameEnd = nameStart < 0 ? WRONG : stringEnd(bytes, nameStart)
    const colon = nameEnd < 0 ? WRONG : expectByte(bytes, nameEnd + 1, COLON)
    if (colon < 0) return WRONG
    const name = stringText(bytes, nameStart, nameEnd)
    if (name === 'entity_id' || name === 'event_ts') {
      const start = this.#enter(colon, 'S', QUOTE)
      if (start >= 0) return name === 'entity_id' ? this.#readId(start) : this.#readTime(start)
    } else if (name === 'values') {
      const start = this.#enter(colon, 'M', OPEN)
      if (start >= 0) return this.#readMap(start)
    }
    return skipValue(bytes, colon, 0)
  }

  /** From before an attribute of a type to behind the first byte of its value; -1 for another. */
  #enter(start: number, type: string, first: number): number {
    const bytes = this.#bytes
    const at = openObject(bytes, start)
    const nameStart = at < 0 ? WRONG : expectByte(bytes, at, QUOTE)
    const nameEnd = nameStart < 0 ? WRONG : stringEnd(bytes, nameStart)
    const colon = nameEnd < 0 ? WRONG : expectByte(bytes, nameEnd + 1, COLON)
    if (colon < 0 || stringText(bytes, nameStart, nameEnd) !== type) return WRONG
    return expectByte(bytes, colon, first)
  }

  #readId(start: number): number {
    const end = stringEnd(this.#bytes, start)
    if (end < 0) return WRONG
    this.idStart = start
    this.idEnd = end
    return expectByte(this.#bytes, end + 1, CLOSE)
  }

  #readTime(start: number): number {
    const bytes = this.#bytes
    const end = stringEnd(bytes, start)
    if (end < 0) return WRONG
    this.#timeStart = start
    this.#timeEnd = end
    this.timeUs = parseEventText(bytes, start, end)
    if (Number.isNaN(this.timeUs)) this.#readEscapedTime(start, end)
    return expectByte(bytes, end + 1, CLOSE)
  }

  #readEscapedTime(start: number, end: number): void {
    const text = stringBytes(this.#bytes, start, end)
    this.timeUs = parseEventText(text, 0, text.length)
  }

  /**
   * From behind the first brace of `values` to behind the attribute. Nearly all the time of a reply
   * goes by here: a FLOAT at its usual place in its usual form is read without leaving the loop.
   */
  #readMap(start: number): number {
    const bytes = this.#bytes
    const view = this.#view
    const { headBytes, headWords, words, followers } = this.#names
    const { kinds, slotWords, rows, words: rowWords } = this.#placer
    const firstWord = this.#placer.start >> 2
    const presence = this.#placer.start + this.layout.presenceStart
    let previous = kinds.length
    let at = skipSpace(bytes, start)
    while (bytes[at] !== CLOSE) {
      const guess = followers[previous]!
      const head = headBytes[guess]!
      if (isHeadAt(view, at, head, words, headWords[guess]!)) {
        previous = guess
        at += head
        const bits = kinds[guess] === FLOAT ? floatBits(bytes, at) : NOT_USUAL
        if ((bits & 0x7fff_ffff) <= 0x7f80_0000) {
          rowWords[firstWord + slotWords[guess]!] = bits
          const byte = presence + (guess >> 2)
          const shift = 2 * (guess & 3)
          rows[byte] = (rows[byte]! & ~(3 << shift)) | (PRESENT << shift)
          at += FLOAT_TEXT_BYTES
        } else at = this.#readValue(at, guess)
      } else {
        at = this.#readEntry(at)
        if (this.#position >= 0) {
          followers[previous] = this.#position
          previous = this.#position
        }
      }
      if (at < 0) return WRONG
      if (bytes[at] === COMMA && bytes[at + 1] === QUOTE) at++
      else {
        at = nextMember(bytes, at)
        if (at < 0) return WRONG
      }
    }
    return expectByte(bytes, at + 1, CLOSE)
  }

  /** An entry that is not the one that was guessed, or is written otherwise. */
  #readEntry(at: number): number {
    const bytes = this.#bytes
    this.#position = -1
    const nameStart = expectByte(bytes, at, QUOTE)
    const nameEnd = nameStart < 0 ? WRONG : stringEnd(bytes, nameStart)
    const colon = nameEnd < 0 ? WRONG : expectByte(bytes, nameEnd + 1, COLON)
    if (colon < 0) return WRONG
    const position = this.#names.position(stringText(bytes, nameStart, nameEnd))
    if (position < 0) return skipValue(bytes, colon, 0)
    this.#position = position
    const start = this.#enter(colon, 'B', QUOTE)
    if (start >= 0) return this.#readValue(start, position)
    this.#placer.placeAbsent(position)
    this.#counters.valuesUnreadable++
    return skipValue(bytes, colon, 0)
  }

  /** From a Binary's first character to behind the attribute. */
  #readValue(start: number, position: number): number {
    const end = this.#decode(start)
    if (end < 0) return WRONG
    if (this.#valueBytes >= 0) this.#placer.place(position, this.#value, this.#valueBytes)
    else {
      this.#placer.placeAbsent(position)
      this.#counters.valuesUnreadable++
    }
    return expectByte(this.#bytes, end + 1, CLOSE)
  }

  /** Decodes the base64 from `start` to the next quote, and returns where that stands. */
  #decode(start: number): number {
    const bytes = this.#bytes
    const value = this.#value
    const limit = Math.min(start + SHORT_TEXT_BYTES, bytes.length - 4)
    let at = start
    let used = 0
    for (; at < limit; at += 4) {
      const a = DIGIT_VALUES[bytes[at]!]!
      const b = DIGIT_VALUES[bytes[at + 1]!]!
      const c = DIGIT_VALUES[bytes[at + 2]!]!
      const d = DIGIT_VALUES[bytes[at + 3]!]!
      if ((a | b | c | d) >= NO_DIGIT) break
      value[used] = (a << 2) | (b >> 4)
      value[used + 1] = (b << 4) | (c >> 2)
      value[used + 2] = (c << 6) | d
      used += 3
    }
    if (bytes[at] === QUOTE) {
      this.#valueBytes = used
      return at
    }
    if (bytes[at + 4] === QUOTE) {
      this.#valueBytes = decodeBase64(bytes, at, at + 4, value, used)
      if (this.#valueBytes >= 0) return at + 4
    }
    return this.#decodeLong(start)
  }

  #decodeLong(start: number): number {
    const near = this.#bytes.indexOf(QUOTE, start)
    if (near >= 0 && this.#decodeAtOnce(start, near)) return near
    const end = stringEnd(this.#bytes, start)
    if (end < 0) return WRONG
    const text = stringBytes(this.#bytes, start, end)
    this.#growValue(text.length)
    this.#valueBytes = decodeBase64(text, 0, text.length, this.#value, 0)
    return end
  }

  /** By the runtime's decoder, which is faster from some 100 bytes on. False where it finds a fault. */
  #decodeAtOnce(start: number, end: number): boolean {
    const length = end - start
    const pads = this.#bytes[end - 1] !== PAD ? 0 : this.#bytes[end - 2] !== PAD ? 1 : 2
    this.#growValue(length)
    this.#latin1 ??= Buffer.from(this.#view.buffer, this.#view.byteOffset, this.#view.byteLength)
    try {
      const { written } = this.#value.setFromBase64(this.#latin1.toString('latin1', start, end))
      this.#valueBytes = written
      // It passes over white space, which has no place in a Binary.
      return 4 * (written + pads) === 3 * length
    } catch {
      return false // whether it is JSON, and what it holds, is for the longer way to say
    }
  }

  #growValue(bytes: number): void {
    if (bytes > this.#value.length) this.#value = new Uint8Array(Math.max(bytes, 4096))
  }
}

/** A NaN: it is looked at more closely itself, so it can stand for all that has to be. */
const NOT_USUAL = 0x7fc0_0000

/** Eight characters, a quote and a brace. */
const FLOAT_TEXT_BYTES = 10

/** The bits of a FLOAT whose Value's text begins at `at`: tag 0x35 and four bytes; else NOT_USUAL. */
function floatBits(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== FLOAT_HEAD || bytes[at + 7] !== PAD) return NOT_USUAL
  if (bytes[at + 8] !== QUOTE || bytes[at + 9] !== CLOSE) return NOT_USUAL
  const b = DIGIT_VALUES[bytes[at + 1]!]!
  const c = DIGIT_VALUES[bytes[at + 2]!]!
  const d = DIGIT_VALUES[bytes[at + 3]!]!
  const e = DIGIT_VALUES[bytes[at + 4]!]!
  const f = DIGIT_VALUES[bytes[at + 5]!]!
  const g = DIGIT_VALUES[bytes[at + 6]!]!
  if ((b | c | d | e | f | g) >= NO_DIGIT || b >> 4 !== 1) return NOT_USUAL
  const low = ((b & 15) << 4) | (c >> 2) | ((c & 3) << 14) | (d << 8)
  return low | (e << 18) | ((f >> 4) << 16) | ((f & 15) << 28) | ((g >> 2) << 24)
}
