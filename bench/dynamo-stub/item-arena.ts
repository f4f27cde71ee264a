/**
 * Every item's bytes in one buffer, behind them room for replies: a reply is put together by copies
 * within that buffer, without an object for each item.
 */
import { ENTITY_ID_CHARS, stubItem } from './stub-items.ts'

/** Slots for each item, so that a look-up takes one or two steps. */
const SLOTS_PER_ITEM = 4

export class ItemArena {
  readonly bytes: Uint8Array
  /** Where the room for replies begins. */
  readonly itemsEnd: number
  readonly itemBytesMax: number
  readonly #view: DataView
  /** Byte offset of each item; that of the next is its end. */
  readonly #starts: Uint32Array
  /** Offset of each item's entity id. */
  readonly #idOffset: number
  /** Item and one, by hash of its entity id; 0 is empty. */
  readonly #slots: Uint32Array
  readonly #mask: number

  constructor(rows: number, roomBytes: (itemBytesMax: number) => number) {
    const items = Array.from({ length: rows }, (_, id) => Buffer.from(stubItem(id), 'latin1'))
    this.itemsEnd = items.reduce((sum, item) => sum + item.length, 0)
    this.itemBytesMax = items.reduce((most, item) => Math.max(most, item.length), 0)
    this.bytes = new Uint8Array(this.itemsEnd + roomBytes(this.itemBytesMax))
    this.#view = new DataView(this.bytes.buffer)
    this.#starts = new Uint32Array(rows + 1)
    this.#idOffset = '{"entity_id":{"S":"'.length
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(rows * SLOTS_PER_ITEM)))
    this.#mask = this.#slots.length - 1
    items.forEach((item, index) => this.#place(item, index))
  }

  #place(item: Uint8Array, index: number): void {
    const start = this.#starts[index]!
    this.bytes.set(item, start)
    this.#starts[index + 1] = start + item.length
    let slot = hash(this.#view, start + this.#idOffset) & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = index + 1
  }

  /** The item whose entity id stands in `text` at `at`, or -1. */
  find(text: DataView, at: number): number {
    let slot = hash(text, at) & this.#mask
    for (let held = this.#slots[slot]!; held !== 0; held = this.#slots[slot]!) {
      if (this.#isId(held - 1, text, at)) return held - 1
      slot = (slot + 1) & this.#mask
    }
    return -1
  }

  #isId(item: number, text: DataView, at: number): boolean {
    const start = this.#starts[item]! + this.#idOffset
    for (let offset = 0; offset < ENTITY_ID_CHARS; offset += 4) {
      if (this.#view.getUint32(start + offset) !== text.getUint32(at + offset)) return false
    }
    return true
  }

  itemBytes(item: number): number {
    return this.#starts[item + 1]! - this.#starts[item]!
  }

  /** Copies the item to `target`, an offset in the same buffer; returns where it ends. */
  copyItem(item: number, target: number): number {
    const start = this.#starts[item]!
    const end = this.#starts[item + 1]!
    this.bytes.copyWithin(target, start, end)
    return target + end - start
  }
}

/** Entity ids are hashes in hex: some of their digits, mixed, are enough. */
function hash(text: DataView, at: number): number {
  const mixed = Math.imul(text.getUint32(at), 0x9e3779b1) ^ text.getUint32(at + 4)
  return (Math.imul(mixed, 0x85ebca6b) ^ (mixed >>> 13)) >>> 8
}
