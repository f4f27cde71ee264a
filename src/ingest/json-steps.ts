/**
 * A large JSON body read in steps. The outline, objects in objects down to a list, is walked byte by
 * byte; the elements of a list are cut into runs, each of which is parsed as the list that it is.
 */
import { parseJson, parseShallowJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import { NESTING_MAX, WRITE_STEP_BYTES } from '../base/limits.ts'
import type { RowRecord } from './source.ts'

/** views, a view, columns: what lies deeper is a value. */
const OUTLINE_DEPTH = 4

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const LIST_OPEN = 0x5b
const LIST_CLOSE = 0x5d
const OBJECT_OPEN = 0x7b
const OBJECT_CLOSE = 0x7d

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const PLACE = /byte (\d+)/

/** Gives what parseJson gives; faults name the byte. */
export const parseJsonInSteps = (bytes: Uint8Array): Generator<void, unknown> =>
  new JsonOutline(bytes).read()

class JsonOutline {
  readonly #bytes: Uint8Array
  #at = 0
  /** Of the value that was stepped over last. */
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  *read(): Generator<void, unknown> {
    const value = yield* this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#bytes.length) throw this.#fault('the end')
    return value
  }

  *#value(depth: number): Generator<void, unknown> {
    this.#skipSpace()
    const first = this.#bytes[this.#at]
    if (first === LIST_OPEN) return yield* this.#list()
    if (first === OBJECT_OPEN && depth < OUTLINE_DEPTH) return yield* this.#object(depth)
    const start = this.#at
    this.#skipValue()
    return this.#parse(start, '', '')
  }

  *#object(depth: number): Generator<void, RowRecord> {
    // Without a prototype: any name is only a name.
    const object = Object.create(null)
    this.#at++
    if (this.#take(OBJECT_CLOSE)) return object
    do {
      this.#skipSpace()
      const start = this.#at
      if (this.#bytes[start] !== QUOTE) throw this.#fault('a name in double quotes')
      this.#skipText()
      const name = String(this.#parse(start, '', ''))
      if (!this.#take(COLON)) throw this.#fault('":"')
      object[name] = yield* this.#value(depth + 1)
    } while (this.#take(COMMA))
    if (!this.#take(OBJECT_CLOSE)) throw this.#fault('"," or "}"')
    return object
  }

  *#list(): Generator<void, unknown[]> {
    const list: unknown[] = []
    this.#at++
    if (this.#take(LIST_CLOSE)) return list
    for (;;) {
      const isEnd = this.#addRun(list)
      if (isEnd) return list
      yield
    }
  }

  /** The elements from here on, as many as a step takes. True if they were the last. */
  #addRun(list: unknown[]): boolean {
    const start = this.#at
    let depth = 0
    for (;;) {
      this.#skipValue()
      depth = Math.max(depth, this.#depth)
      if (this.#bytes[this.#at] !== COMMA || this.#at - start >= WRITE_STEP_BYTES) break
      this.#at++
    }
    const elements = this.#parse(start, '[', ']', depth) as readonly unknown[] // between brackets
    // A comma with nothing behind it may end a run: then the next one is empty.
    if (elements.length === 0) throw this.#fault('a JSON value')
    for (const element of elements) list.push(element)
    if (this.#take(COMMA)) return false
    if (!this.#take(LIST_CLOSE)) throw this.#fault('"," or "]"')
    return true
  }

  /** To the comma or bracket behind a value, or the end. What stands there is not checked. */
  #skipValue(): void {
    const bytes = this.#bytes
    let depth = 0
    this.#depth = 0
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte === QUOTE) {
        this.#skipText()
        this.#at--
      } else if (byte === OBJECT_OPEN || byte === LIST_OPEN) {
        if (++depth > this.#depth) this.#depth = depth
      } else if (byte === OBJECT_CLOSE || byte === LIST_CLOSE) {
        if (depth-- === 0) return
      } else if (byte === COMMA && depth === 0) return
    }
  }

  /** To behind the closing quote of the text that begins here. */
  #skipText(): void {
    const bytes = this.#bytes
    for (this.#at++; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte === BACKSLASH) this.#at++
      else if (byte === QUOTE) {
        this.#at++
        return
      }
    }
    this.#at = bytes.length
    throw this.#fault('a closing quote')
  }

  /** From `start` to here, between what is put around it. `depth` counts its brackets. */
  #parse(start: number, before: string, after: string, depth = NESTING_MAX): unknown {
    try {
      const text = before + utf8.decode(this.#bytes.subarray(start, this.#at)) + after
      return depth + OUTLINE_DEPTH < NESTING_MAX ? parseShallowJson(text) : parseJson(text)
    } catch (thrown) {
      if (thrown instanceof Fault) throw placed(thrown, start - before.length)
      throw notUtf8(start, thrown)
    }
  }

  #take(byte: number): boolean {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  #fault(allowed: string): Fault {
    const isEnd = this.#at >= this.#bytes.length
    const what = isEnd ? 'JSON ends too early' : 'JSON does not go on like this'
    return new Fault('malformed', what, { where: `byte ${this.#at}`, allowed })
  }
}

/** The fault's place counts from `start`. */
function placed(fault: Fault, start: number): Fault {
  const { code, message, where, allowed } = fault
  const byte = start + Number(PLACE.exec(where ?? '')?.[1] ?? 0)
  return new Fault(code, message, { where: `byte ${byte}`, allowed })
}

const notUtf8 = (start: number, cause: unknown): Fault =>
  new Fault('malformed', 'JSON is not UTF-8', {
    where: `behind byte ${start}`,
    allowed: 'UTF-8',
    cause,
  })
