/** The buffers of one request under way; they serve one request after another. */
import { KEY_BYTES_MAX } from '../base/limits.ts'
import { ReadBatch } from '../store/read-batch.ts'
import { KeyDedup } from './key-dedup.ts'

const KEYS_AT_FIRST = 256

export class Workspace {
  readonly batch = new ReadBatch(KEYS_AT_FIRST, 16 * 1024, 64 * 1024)
  /** For each block the number of keys before its own: what a block adds, it owns. */
  readonly firstPlaces: number[] = []
  /** ROW_* for each place. */
  rowStates = new Uint8Array(KEYS_AT_FIRST)
  #places = new Uint32Array(KEYS_AT_FIRST)
  #placesUsed = 0
  readonly #dedup = new KeyDedup()

  /** Empties all, and makes room for so many keys. */
  reset(keysMax: number): void {
    this.batch.reset()
    this.firstPlaces.length = 0
    this.#placesUsed = 0
    this.#dedup.reset(keysMax)
    if (keysMax <= this.#places.length) return
    this.#places = new Uint32Array(keysMax)
    this.rowStates = new Uint8Array(keysMax)
  }

  takePlaces(count: number): Uint32Array {
    const start = this.#placesUsed
    this.#placesUsed += count
    return this.#places.subarray(start, start + count)
  }

  /** Offset in `batch.keys` where the next key is to be written; room for the longest. */
  reserveKey(): number {
    return this.batch.reserveKey(KEY_BYTES_MAX)
  }

  /** Place of the key just written: that of its equal, if the batch has one. */
  commitKey(table: number, bytes: number): number {
    return this.#dedup.placeOf(this.batch, table, bytes)
  }

  get byteLength(): number {
    const { rows, keys } = this.batch
    return rows.length + keys.length
  }
}
