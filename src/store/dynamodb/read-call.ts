/**
 * One BatchGetItem: its body, and where the items of its reply belong. A call holds a table once, in
 * one way of reading it, and a key of a table once: what does not fit is left for another call.
 */
import { ENTITY_ID_BYTES } from '../../row/entity-id.ts'
import { grown } from '../../base/grown.ts'
import { utf8Encoder } from '../../base/utf8.ts'
import type { ReadBatch } from '../read-batch.ts'
import { BodyBytes } from './body-bytes.ts'
import type { ReadTable } from './read-table.ts'

const START = utf8Encoder.encode('{"RequestItems":{')
const KEYS = utf8Encoder.encode(':{"Keys":[')
const KEY = utf8Encoder.encode('{"entity_id":{"S":"')
const KEY_END = utf8Encoder.encode('"}},')
const END = utf8Encoder.encode('}}')

/** What is known of a place of the call after its reply was scanned. */
export const UNANSWERED = 0
export const ANSWERED = 1
/** The store has left it out, and says so. */
export const UNPROCESSED = 2
/** Its row is larger than rows may be. */
export const TOO_LARGE = 3

export class ReadCall {
  readonly #body = new BodyBytes()
  readonly tables: ReadTable[] = []
  /** Numbers of the tables. */
  readonly numbers: number[] = []
  count = 0
  /** For each place of the call: its place in the batch, its table's in `tables`, its id in the body. */
  places = new Uint32Array(128)
  tableOf = new Uint16Array(128)
  #idStarts = new Uint32Array(128)
  marks = new Uint8Array(128)
  /** Places by the hash of table and id, plus one; 0 is free. A power of two, half of it free. */
  #slots = new Uint32Array(256)

  get body(): Uint8Array {
    return this.#body.view()
  }

  /**
   * Takes what it can of the batch's places, `numbers[place]` being each one's table, and returns how
   * many; a place that was taken, here or before, has the number 0.
   */
  fill(
    batch: ReadBatch,
    numbers: Uint16Array,
    tables: readonly (ReadTable | undefined)[],
    keysMax: number,
  ): number {
    this.#reset(batch.count)
    this.#body.raw(START)
    for (let place = 0; place < batch.count && this.count < keysMax; place++) {
      const number = numbers[place]!
      if (number === 0 || !this.#mayHold(tables[number]!, number)) continue
      this.#addTable(batch, numbers, place, tables[number]!, keysMax)
    }
    this.#body.raw(END)
    return this.count
  }

  #reset(count: number): void {
    this.count = 0
    this.tables.length = 0
    this.numbers.length = 0
    this.#body.reset()
    if (count > this.places.length) this.#grow(count)
    this.#slots.fill(0)
  }

  #grow(count: number): void {
    this.places = grown(this.places, new Uint32Array(count))
    this.tableOf = grown(this.tableOf, new Uint16Array(count))
    this.#idStarts = grown(this.#idStarts, new Uint32Array(count))
    this.marks = grown(this.marks, new Uint8Array(count))
    let slots = 256
    while (slots < 2 * count) slots *= 2
    this.#slots = new Uint32Array(slots)
  }

  /** No table of that name yet: one number's keys are all taken when the first of them is met. */
  #mayHold(table: ReadTable, number: number): boolean {
    for (let place = 0; place < this.tables.length; place++) {
      if (this.numbers[place] === number) return false
      if (this.tables[place]!.dynamoName === table.dynamoName) return false
    }
    return true
  }

  #addTable(
    batch: ReadBatch,
    numbers: Uint16Array,
    first: number,
    table: ReadTable,
    keysMax: number,
  ): void {
    const body = this.#body
    const number = numbers[first]!
    if (this.tables.length > 0) body.ascii(',')
    const tableIndex = this.tables.push(table) - 1
    this.numbers.push(number)
    body.raw(table.nameJson)
    body.raw(KEYS)
    for (let place = first; place < batch.count && this.count < keysMax; place++) {
      if (numbers[place] === number && this.#addKey(batch, place, table, tableIndex)) {
        numbers[place] = 0
      }
    }
    body.used-- // the last key's comma
    body.ascii('],')
    body.raw(table.optionsJson)
    body.ascii('}')
  }

  /** False for a key that the call holds already. */
  #addKey(batch: ReadBatch, place: number, table: ReadTable, tableIndex: number): boolean {
    const body = this.#body
    const start = body.reserve(KEY.length + ENTITY_ID_BYTES + KEY_END.length)
    const { bytes } = body
    const idStart = start + KEY.length
    table.ids.write(batch.keys, batch.keyStarts[place]!, batch.keyBytes[place]!, bytes, idStart)
    const slot = this.#slotOf(bytes, idStart, tableIndex)
    if (this.#slots[slot] !== 0) return false
    const own = this.count++
    this.#slots[slot] = own + 1
    this.places[own] = place
    this.tableOf[own] = tableIndex
    this.#idStarts[own] = idStart
    this.marks[own] = UNANSWERED
    for (let at = 0; at < KEY.length; at++) bytes[start + at] = KEY[at]!
    const end = idStart + ENTITY_ID_BYTES
    for (let at = 0; at < KEY_END.length; at++) bytes[end + at] = KEY_END[at]!
    body.used = end + KEY_END.length
    return true
  }

  /** The call's place of an id of a table, as text of 32 bytes at `start`; -1 where none asked for it. */
  placeOf(bytes: Uint8Array, start: number, tableIndex: number): number {
    return this.#slots[this.#slotOf(bytes, start, tableIndex)]! - 1
  }

  /** Where the id is, or would be: its 32 digits are compared as they were sent, not as a number. */
  #slotOf(bytes: Uint8Array, start: number, tableIndex: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hashAt(bytes, start, tableIndex) & mask
    for (;;) {
      const held = slots[slot]! - 1
      if (held < 0) return slot
      if (this.tableOf[held] === tableIndex && this.#isSameId(held, bytes, start)) return slot
      slot = (slot + 1) & mask
    }
  }

  #isSameId(own: number, bytes: Uint8Array, start: number): boolean {
    const held = this.#body.bytes
    const heldStart = this.#idStarts[own]!
    for (let at = 0; at < ENTITY_ID_BYTES; at++) {
      if (bytes[start + at] !== held[heldStart + at]) return false
    }
    return true
  }
}

/** Ids are hashes: eight of their digits and the table spread well enough. */
function hashAt(bytes: Uint8Array, at: number, tableIndex: number): number {
  const first = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  const second =
    bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second + tableIndex, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
