/** One record of a ledger's file (ledger-format.md): made, and checked where it is read. */
import { crc32 } from 'node:zlib'
import { LEDGER_RECORD_ENTRIES_MAX } from '../../base/limits.ts'
import { grown } from '../../base/grown.ts'
import type { SeeEntry } from './ledger-table.ts'

/** Numbers on disk: do not change. */
export const RECORD_BINDING = 1
export const RECORD_ROWS = 2
export const RECORD_INTENTS = 3

const MAGIC = 0x4744_4c53
export const RECORD_HEAD_BYTES = 24
const HEAD_CHECKED_BYTES = 16
export const LEDGER_ENTRY_BYTES = 24
export const CONTENT_BYTES_MAX = LEDGER_RECORD_ENTRIES_MAX * LEDGER_ENTRY_BYTES

/** A whole record, to be written at `offset`. The content's length is a multiple of 8. */
export function makeRecord(kind: number, content: Uint8Array, offset: number): Uint8Array {
  const record = new Uint8Array(RECORD_HEAD_BYTES + content.length)
  const head = new DataView(record.buffer, 0, RECORD_HEAD_BYTES)
  head.setUint32(0, MAGIC, true)
  head.setUint32(4, kind, true)
  head.setUint32(8, content.length, true)
  head.setUint32(12, crc32(content, offset >>> 0), true)
  head.setUint32(16, crc32(record.subarray(0, HEAD_CHECKED_BYTES), offset >>> 0), true)
  record.set(content, RECORD_HEAD_BYTES)
  return record
}

/** Bytes of the record's content if its head holds together at this offset of its file, else -1. */
export function contentBytesOf(head: DataView, at: number, offset: number): number {
  if (head.getUint32(at, true) !== MAGIC || head.getUint32(at + 20, true) !== 0) return -1
  const checked = new Uint8Array(head.buffer, head.byteOffset + at, HEAD_CHECKED_BYTES)
  if (head.getUint32(at + 16, true) !== crc32(checked, offset >>> 0)) return -1
  const bytes = head.getUint32(at + 8, true)
  return bytes % 8 === 0 && bytes <= CONTENT_BYTES_MAX ? bytes : -1
}

export const kindOf = (head: DataView, at: number): number => head.getUint32(at + 4, true)

export const isContentWhole = (
  head: DataView,
  at: number,
  offset: number,
  content: Uint8Array,
): boolean => head.getUint32(at + 12, true) === crc32(content, offset >>> 0)

/** Entries of one or more records, packed as they stand in the file. */
export class LedgerEntries {
  count = 0
  #bytes = new Uint8Array(64 * LEDGER_ENTRY_BYTES)
  #words = new Int32Array(this.#bytes.buffer)
  #doubles = new Float64Array(this.#bytes.buffer)

  add(low: number, high: number, digestLow: number, digestHigh: number, timeUs: number): void {
    if ((this.count + 1) * LEDGER_ENTRY_BYTES > this.#bytes.length) this.#grow()
    const word = this.count * 6
    this.#words[word] = low
    this.#words[word + 1] = high
    this.#words[word + 2] = digestLow
    this.#words[word + 3] = digestHigh
    this.#doubles[this.count * 3 + 2] = timeUs
    this.count++
  }

  visit(see: SeeEntry): void {
    visitEntries(this.#bytes.subarray(0, this.count * LEDGER_ENTRY_BYTES), see)
  }

  /** Views of at most one record's entries each. */
  *contents(): Iterable<Uint8Array> {
    const end = this.count * LEDGER_ENTRY_BYTES
    for (let start = 0; start < end; start += CONTENT_BYTES_MAX) {
      yield this.#bytes.subarray(start, Math.min(start + CONTENT_BYTES_MAX, end))
    }
  }

  clear(): void {
    this.count = 0
  }

  #grow(): void {
    this.#bytes = grown(this.#bytes, new Uint8Array(2 * this.#bytes.length))
    this.#words = new Int32Array(this.#bytes.buffer)
    this.#doubles = new Float64Array(this.#bytes.buffer)
  }
}

/** Entries of a record's content, wherever it lies. */
export function visitEntries(content: Uint8Array, see: SeeEntry): void {
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  for (let at = 0; at + LEDGER_ENTRY_BYTES <= content.length; at += LEDGER_ENTRY_BYTES) {
    see(
      view.getInt32(at, true),
      view.getInt32(at + 4, true),
      view.getInt32(at + 8, true),
      view.getInt32(at + 12, true),
      view.getFloat64(at + 16, true),
    )
  }
}
