/**
 * A BatchGetItem's reply, read in one pass: its items become rows of the batch, and the call's marks
 * say which places were answered. What is not well formed leaves the batch as it was.
 */
import { utf8Decoder, utf8Encoder } from '../../base/utf8.ts'
import { ENTITY_ID_BYTES } from '../../row/entity-id.ts'
import type { ReadBatch } from '../read-batch.ts'
import {
  CLOSE,
  CLOSE_LIST,
  COLON,
  OPEN_LIST,
  QUOTE,
  WRONG,
  expectByte,
  isAt,
  nextElement,
  nextMember,
  openObject,
  skipSpace,
  skipValue,
  stringBytes,
  stringEnd,
  stringText,
} from './json-bytes.ts'
import type { ReadCall } from './read-call.ts'
import { ANSWERED, TOO_LARGE, UNPROCESSED } from './read-call.ts'
import type { ReadTable } from './read-table.ts'

/** For a writer: the stored text of each place's event_ts. */
export type TimeTexts = (string | undefined)[]

export class ReplyScanner {
  #bytes: Uint8Array = new Uint8Array(0)
  #call: ReadCall
  #batch: ReadBatch
  #texts: TimeTexts | undefined
  /** Items that no key of the call asked for. */
  unasked = 0

  constructor(call: ReadCall, batch: ReadBatch, texts: TimeTexts | undefined) {
    this.#call = call
    this.#batch = batch
    this.#texts = texts
  }

  /** False for a reply that is not well formed. */
  scan(bytes: Uint8Array): boolean {
    this.#bytes = bytes
    const { rowsUsed } = this.#batch
    const isWhole = this.#scanReply()
    if (!isWhole) this.#batch.rowsUsed = rowsUsed
    return isWhole
  }

  #scanReply(): boolean {
    const bytes = this.#bytes
    let hasResponses = false
    let at = openObject(bytes, 0)
    while (at >= 0 && bytes[at] !== CLOSE) {
      const colon = this.#colonAfter(at)
      if (colon < 0) return false
      const name = this.#nameAt(at)
      if (name === 'Responses') {
        hasResponses = true
        at = this.#scanResponses(colon)
      } else if (name === 'UnprocessedKeys') at = this.#scanUnprocessed(colon)
      else at = skipValue(bytes, colon, 0)
      at = at < 0 ? WRONG : nextMember(bytes, at)
    }
    return at >= 0 && hasResponses && skipSpace(bytes, at + 1) === bytes.length
  }

  /** Behind the colon of the member whose name's quote is at `at`. */
  #colonAfter(at: number): number {
    const start = expectByte(this.#bytes, at, QUOTE)
    const end = start < 0 ? WRONG : stringEnd(this.#bytes, start)
    return end < 0 ? WRONG : expectByte(this.#bytes, end + 1, COLON)
  }

  /** Of a member that `#colonAfter` has passed. */
  #nameAt(at: number): string {
    return stringText(this.#bytes, at + 1, stringEnd(this.#bytes, at + 1))
  }

  #scanResponses(start: number): number {
    const bytes = this.#bytes
    let at = openObject(bytes, start)
    while (at >= 0 && bytes[at] !== CLOSE) {
      const colon = this.#colonAfter(at)
      if (colon < 0) return WRONG
      const index = this.#tableAt(at)
      at = index < 0 ? skipValue(bytes, colon, 0) : this.#scanItems(colon, index)
      at = at < 0 ? WRONG : nextMember(bytes, at)
    }
    return at < 0 ? WRONG : at + 1
  }

  /** The call's table whose name stands at `at`, or -1. */
  #tableAt(at: number): number {
    const { tables } = this.#call
    const index = tables.findIndex(({ nameJson }) => isAt(this.#bytes, at, nameJson))
    return index >= 0 ? index : this.#tableNamed(this.#nameAt(at))
  }

  #tableNamed(name: string): number {
    return this.#call.tables.findIndex(({ dynamoName }) => dynamoName === name)
  }

  #scanItems(start: number, index: number): number {
    const bytes = this.#bytes
    const table = this.#call.tables[index]!
    table.scanner.open(bytes)
    let at = expectByte(bytes, start, OPEN_LIST)
    at = at < 0 ? WRONG : skipSpace(bytes, at)
    while (at >= 0 && bytes[at] !== CLOSE_LIST) {
      at = table.scanner.scan(at, this.#batch)
      if (at >= 0) this.#takeRow(table, index)
      at = at < 0 ? WRONG : nextElement(bytes, at)
    }
    table.scanner.close()
    return at < 0 ? WRONG : at + 1
  }

  #takeRow({ scanner, layout }: ReadTable, index: number): void {
    const batch = this.#batch
    const own = this.#placeOf(this.#bytes, scanner.idStart, scanner.idEnd, index)
    const isAgain = own >= 0 && this.#call.marks[own] === ANSWERED
    if (own < 0 || isAgain || scanner.rowBytes < 0) {
      batch.rowsUsed = scanner.rowStart
      if (own < 0 || isAgain) this.unasked++
      else this.#call.marks[own] = TOO_LARGE
      return
    }
    const place = this.#call.places[own]!
    this.#call.marks[own] = ANSWERED
    batch.layouts[place] = layout
    batch.rowStarts[place] = scanner.rowStart
    batch.rowBytes[place] = scanner.rowBytes
    batch.times[place] = scanner.timeUs === scanner.timeUs ? scanner.timeUs : 0 // NaN: no time
    if (this.#texts !== undefined) this.#texts[place] = scanner.timeText()
  }

  #placeOf(bytes: Uint8Array, start: number, end: number, index: number): number {
    if (start < 0) return -1
    if (end - start === ENTITY_ID_BYTES) return this.#call.placeOf(bytes, start, index)
    const text = stringBytes(bytes, start, end) // an escape may have made it longer
    return text.length === ENTITY_ID_BYTES ? this.#call.placeOf(text, 0, index) : -1
  }

  /** `{"table": {"Keys": [{"entity_id": {"S": "…"}}], …}}`: rare, and short where it comes. */
  #scanUnprocessed(start: number): number {
    const end = skipValue(this.#bytes, start, 0)
    if (end < 0) return WRONG
    const text = utf8Decoder.decode(this.#bytes.subarray(start, end))
    const parsed: unknown = JSON.parse(text) // skipValue passed it: it is JSON
    if (!isObject(parsed)) return WRONG
    for (const [name, left] of Object.entries(parsed)) {
      const keys = isObject(left) ? left['Keys'] : undefined
      if (!Array.isArray(keys)) return WRONG
      const index = this.#tableNamed(name)
      if (index < 0) continue
      for (const key of keys as unknown[]) if (!this.#markUnprocessed(key, index)) return WRONG
    }
    return end
  }

  /** False for what is no key: whichever it means would pass for one that has no item. */
  #markUnprocessed(key: unknown, index: number): boolean {
    const attribute = isObject(key) ? key['entity_id'] : undefined
    const id = isObject(attribute) ? attribute['S'] : undefined
    if (typeof id !== 'string') return false
    const digits = utf8Encoder.encode(id)
    const own = this.#placeOf(digits, 0, digits.length, index)
    if (own >= 0 && this.#call.marks[own] !== ANSWERED) this.#call.marks[own] = UNPROCESSED
    return own >= 0
  }
}

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
