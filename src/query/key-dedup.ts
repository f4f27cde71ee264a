/** Finds keys that a batch holds already, so that each distinct key of a request is read once. */
import type { ReadBatch } from '../store/read-batch.ts'

/** Open addressing over the words of the keys themselves: no text and no object for a key. */
export class KeyDedup {
  /** Place of a key in the batch plus one; 0 is empty. */
  #slots = new Uint32Array(64)
  #mask = 63

  /** Forgets all; at most `keysMax` keys will follow. */
  reset(keysMax: number): void {
    let slots = 64
    while (slots < keysMax * 2) slots *= 2
    if (slots > this.#slots.length) this.#slots = new Uint32Array(slots)
    else this.#slots.fill(0, 0, slots)
    this.#mask = slots - 1
  }

  /**
   * The place of the key whose `bytes` bytes stand at the batch's `keysUsed` (room reserved): of its
   * equal in the same table, or its own, committed.
   */
  placeOf(batch: ReadBatch, table: number, bytes: number): number {
    const start = batch.keysUsed
    zeroTail(batch.keys, start + bytes)
    const words = batch.keyWords
    const first = start >> 2
    const count = (bytes + 3) >> 2
    const slots = this.#slots
    const mask = this.#mask
    let slot = hashWords(words, first, count, table) & mask
    for (let kept = slots[slot]!; kept !== 0; kept = slots[slot]!) {
      const place = kept - 1
      const equal = batch.tables[place] === table && batch.keyBytes[place] === bytes
      if (equal && equalWords(words, batch.keyStarts[place]! >> 2, first, count)) return place
      slot = (slot + 1) & mask
    }
    const place = batch.commitKey(table, bytes)
    slots[slot] = place + 1
    return place
  }
}

/** Keys are compared in whole words: the bytes up to the next word must be zero. */
function zeroTail(keys: Uint8Array, end: number): void {
  for (let at = end; (at & 3) !== 0; at++) keys[at] = 0
}

function hashWords(words: Uint32Array, first: number, count: number, seed: number): number {
  let hash = seed
  for (let at = first; at < first + count; at++) {
    hash = Math.imul(hash ^ words[at]!, 0x9e37_79b1)
    hash ^= hash >>> 15
  }
  return hash
}

function equalWords(words: Uint32Array, left: number, right: number, count: number): boolean {
  for (let at = 0; at < count; at++) {
    if (words[left + at] !== words[right + at]) return false
  }
  return true
}
