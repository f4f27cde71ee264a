/**
 * A batch of keys to look up, and the place where their rows arrive. The caller owns it and may use
 * it again after `reset`; nothing in it is valid after that.
 *
 * Keys are packed in `keys`, each starting at a multiple of 8 and followed by zeros up to the next,
 * so that a store hashes and compares whole 32-bit words. Rows arrive in `rows` the same way.
 */

import { Fault } from '../base/fault.ts'
import { grown } from '../base/grown.ts'
import { READ_BYTES_MAX } from '../base/limits.ts'

/** State of one key's look-up. */
export const FOUND = 1
export const MISSING = 2
export const FAILED = 3
export const PENDING = 0

const pad8 = (bytes: number): number => (bytes + 7) & ~7

export class ReadBatch {
  count = 0
  /** For each key its table's number in the store (0: no such table). */
  tables = new Uint16Array(0)
  /** Byte offset of each key in `keys`, and its length without padding. */
  keyStarts = new Uint32Array(0)
  keyBytes = new Uint16Array(0)
  keys = new Uint8Array(0)
  keyWords = new Uint32Array(0)
  keysUsed = 0

  /** The answer. `rowStarts` are byte offsets in `rows`, multiples of 8. */
  states = new Uint8Array(0)
  times = new Float64Array(0)
  layouts = new Uint16Array(0)
  /** Reading of `performance.now()` when a remote store was asked; other stores leave it alone. */
  asOfMs = new Float64Array(0)
  /** FOUND rows that are kept copies past their bound, given because the store failed. */
  staleRows = 0
  rowStarts = new Uint32Array(0)
  rowBytes = new Uint32Array(0)
  rows = new Uint8Array(0)
  rowWords = new Uint32Array(0)
  rowsUsed = 0

  constructor(keysMax: number, keyBytesMax: number, rowBytesMax: number) {
    this.#growCount(Math.max(keysMax, 16))
    this.#growKeys(Math.max(keyBytesMax, 256))
    this.#growRows(Math.max(rowBytesMax, 1024))
  }

  reset(): void {
    this.count = 0
    this.keysUsed = 0
    this.rowsUsed = 0
    this.staleRows = 0
  }

  /** Makes room for one key and returns the byte offset where the caller writes its bytes. */
  reserveKey(bytesMax: number): number {
    if (this.count === this.tables.length) this.#growCount(this.count * 2)
    if (this.keysUsed + pad8(bytesMax) > this.keys.length) {
      this.#growKeys(Math.max(this.keys.length * 2, this.keysUsed + pad8(bytesMax)))
    }
    return this.keysUsed
  }

  /** Ends the key begun at `reserveKey`'s offset; returns its place in the batch. */
  commitKey(table: number, bytes: number): number {
    const start = this.keysUsed
    const end = start + pad8(bytes)
    this.keys.fill(0, start + bytes, end)
    const place = this.count++
    this.tables[place] = table
    this.keyStarts[place] = start
    this.keyBytes[place] = bytes
    this.states[place] = PENDING
    this.keysUsed = end
    return place
  }

  /**
   * Makes room for a row of so many bytes (a multiple of 8) and returns its offset in `rows`. Throws
   * `too_large` past READ_BYTES_MAX: the batch is then of no more use.
   */
  reserveRow(bytes: number): number {
    const start = this.rowsUsed
    if (start + bytes > this.rows.length) this.#makeRoom(start + bytes)
    this.rowsUsed = start + bytes
    return start
  }

  #makeRoom(bytes: number): void {
    if (bytes > READ_BYTES_MAX) {
      throw new Fault('too_large', 'the rows of one request are too large together', {
        allowed: `at most ${READ_BYTES_MAX} bytes: ask for fewer rows`,
      })
    }
    this.#growRows(Math.min(Math.max(this.rows.length * 2, bytes), READ_BYTES_MAX))
  }

  #growCount(count: number): void {
    this.tables = grown(this.tables, new Uint16Array(count))
    this.keyStarts = grown(this.keyStarts, new Uint32Array(count))
    this.keyBytes = grown(this.keyBytes, new Uint16Array(count))
    this.states = grown(this.states, new Uint8Array(count))
    this.times = grown(this.times, new Float64Array(count))
    this.asOfMs = grown(this.asOfMs, new Float64Array(count))
    this.layouts = grown(this.layouts, new Uint16Array(count))
    this.rowStarts = grown(this.rowStarts, new Uint32Array(count))
    this.rowBytes = grown(this.rowBytes, new Uint32Array(count))
  }

  #growKeys(bytes: number): void {
    this.keys = grown(this.keys, new Uint8Array(pad8(bytes)))
    this.keyWords = new Uint32Array(this.keys.buffer)
  }

  #growRows(bytes: number): void {
    this.rows = grown(this.rows, new Uint8Array(pad8(bytes)))
    this.rowWords = new Uint32Array(this.rows.buffer)
  }
}
