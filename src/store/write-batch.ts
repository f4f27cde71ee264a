/**
 * Rows and tombstones on their way to a store: one table, one layout, packed buffers and no object
 * for each row, so that a batch moves between threads by transfer of its buffers.
 */
import { grown } from '../base/grown.ts'

/** Who writes: decides which queue it waits in and who goes first in a commit group. */
export type Lane = 'direct' | 'stream' | 'batch'

export const ENTRY_ROW = 0
export const ENTRY_TOMBSTONE = 1

const pad8 = (bytes: number): number => (bytes + 7) & ~7

export type WriteBatch = {
  readonly table: number
  readonly layout: number
  readonly lane: Lane
  readonly count: number
  /** ENTRY_ROW or ENTRY_TOMBSTONE. */
  readonly kinds: Uint8Array
  /** Event times in microseconds. */
  readonly times: Float64Array
  /** Keys packed as in ReadBatch: starts are multiples of 8, zeros between. */
  readonly keys: Uint8Array
  readonly keyStarts: Uint32Array
  readonly keyBytes: Uint16Array
  /** Rows packed likewise; a tombstone has no bytes. */
  readonly rows: Uint8Array
  readonly rowStarts: Uint32Array
  readonly rowBytes: Uint32Array
}

/** An OUTCOME (row/order-rule.ts) for each entry of a batch, in its order. */
export type WriteOutcomes = {
  readonly outcomes: Uint8Array
  /** Bytes appended to the store for this batch. */
  readonly bytesWritten: number
  /** Of a store that bills writes by the kilobyte: units spent, and those that change detection saved. */
  readonly writeUnits: number
  readonly writeUnitsSaved: number
}

/** Of a store that bills nothing. */
export const NO_UNITS = Object.freeze({ writeUnits: 0, writeUnitsSaved: 0 })

/** Collects entries and hands them out as one batch; then it is empty and may be filled again. */
export class WriteBatchBuilder {
  count = 0
  keysUsed = 0
  rowsUsed = 0
  /** Where the caller writes a key or a row that it has reserved room for. */
  keys = new Uint8Array(64 * 1024)
  rows = new Uint8Array(256 * 1024)
  #kinds = new Uint8Array(1024)
  #times = new Float64Array(1024)
  #keyStarts = new Uint32Array(1024)
  #keyBytes = new Uint16Array(1024)
  #rowStarts = new Uint32Array(1024)
  #rowBytes = new Uint32Array(1024)

  get bytes(): number {
    return this.keysUsed + this.rowsUsed
  }

  reserveKey(bytesMax: number): number {
    if (this.keysUsed + pad8(bytesMax) > this.keys.length) {
      this.keys = grown(
        this.keys,
        new Uint8Array(Math.max(this.keys.length * 2, this.keysUsed + pad8(bytesMax))),
      )
    }
    return this.keysUsed
  }

  reserveRow(bytesMax: number): number {
    if (this.rowsUsed + pad8(bytesMax) > this.rows.length) {
      this.rows = grown(
        this.rows,
        new Uint8Array(Math.max(this.rows.length * 2, this.rowsUsed + pad8(bytesMax))),
      )
    }
    return this.rowsUsed
  }

  /** Ends the entry whose key and row were written at the reserved places. `rowBytes` % 8 = 0. */
  commit(kind: number, timeUs: number, keyBytes: number, rowBytes: number): void {
    const place = this.count
    if (place === this.#kinds.length) this.#growCount()
    this.#kinds[place] = kind
    this.#times[place] = timeUs
    this.#keyStarts[place] = this.keysUsed
    this.#keyBytes[place] = keyBytes
    this.#rowStarts[place] = this.rowsUsed
    this.#rowBytes[place] = rowBytes
    this.keys.fill(0, this.keysUsed + keyBytes, this.keysUsed + pad8(keyBytes))
    this.keysUsed += pad8(keyBytes)
    this.rowsUsed += rowBytes
    this.count = place + 1
  }

  /** Copies out exactly what is used: the batch owns its buffers, the builder starts anew. */
  take(table: number, layout: number, lane: Lane): WriteBatch {
    const count = this.count
    const batch: WriteBatch = {
      table,
      layout,
      lane,
      count,
      kinds: this.#kinds.slice(0, count),
      times: this.#times.slice(0, count),
      keys: this.keys.slice(0, this.keysUsed),
      keyStarts: this.#keyStarts.slice(0, count),
      keyBytes: this.#keyBytes.slice(0, count),
      rows: this.rows.slice(0, this.rowsUsed),
      rowStarts: this.#rowStarts.slice(0, count),
      rowBytes: this.#rowBytes.slice(0, count),
    }
    this.count = 0
    this.keysUsed = 0
    this.rowsUsed = 0
    return batch
  }

  #growCount(): void {
    const count = this.#kinds.length * 2
    this.#kinds = grown(this.#kinds, new Uint8Array(count))
    this.#times = grown(this.#times, new Float64Array(count))
    this.#keyStarts = grown(this.#keyStarts, new Uint32Array(count))
    this.#keyBytes = grown(this.#keyBytes, new Uint16Array(count))
    this.#rowStarts = grown(this.#rowStarts, new Uint32Array(count))
    this.#rowBytes = grown(this.#rowBytes, new Uint32Array(count))
  }
}

/** The buffers of a batch, for the transfer list of postMessage. */
export const transferList = (batch: WriteBatch): ArrayBuffer[] =>
  [
    batch.kinds,
    batch.times,
    batch.keys,
    batch.keyStarts,
    batch.keyBytes,
    batch.rows,
    batch.rowStarts,
    batch.rowBytes,
  ].map((part) => part.buffer as ArrayBuffer) // slice() above made each its own ArrayBuffer
