/** The fields of one log entry (log-format.md), and the checks that it is what was written. */
import { KEY_BYTES_MAX, ROW_BYTES_MAX } from '../../base/limits.ts'
import { crc32Of, crc32OfWords } from './crc32.ts'
import { UNIT_BYTES } from './segment.ts'

/** On disk: do not change. */
export const ENTRY_MAGIC = 0x4c56_4153
export const KIND_ROW = 1
export const KIND_TOMBSTONE = 2
export const KIND_TOUCH = 3
export const KIND_GROUP_END = 4
export const FLAG_UNSYNCED = 1

export const HEADER_BYTES = 40
export const TOUCH_BYTES = 16
export const GROUP_END_BODY_BYTES = 16
export const GROUP_END_BYTES = 64

/** Places of the fields in 32-bit words from the entry's first, and in 64-bit ones. */
export const WORD_HEADER_CHECKSUM = 1
export const WORD_BODY_CHECKSUM = 2
export const WORD_KIND = 3
export const WORD_ROW_BYTES = 4
export const WORD_TABLE = 5
export const DOUBLE_SEQUENCE = 3
export const DOUBLE_TIME = 4
export const BODY_WORD = HEADER_BYTES / 4
/** The header checksum covers the words from here to the body. */
const WORD_CHECKED = 2

export const pad8 = (bytes: number): number => (bytes + 7) & ~7
export const padUnit = (bytes: number): number => (bytes + UNIT_BYTES - 1) & ~(UNIT_BYTES - 1)

/**
 * Memory that holds entries, as bytes, words and doubles. Of a mapped segment: views, not copies, and
 * where the checksums of its entries begin.
 */
export class LogView {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly checksumSeed: number

  constructor(bytes: Uint8Array<ArrayBuffer>, checksumSeed: number) {
    this.checksumSeed = checksumSeed
    this.bytes = bytes
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    this.doubles = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
  }
}

export const kindOf = (words: Int32Array, at: number): number => words[at + WORD_KIND]! & 255
export const flagsOf = (words: Int32Array, at: number): number =>
  (words[at + WORD_KIND]! >>> 8) & 255
export const keyBytesOf = (words: Int32Array, at: number): number => words[at + WORD_KIND]! >>> 16
export const rowBytesOf = (words: Int32Array, at: number): number => words[at + WORD_ROW_BYTES]!
export const tableOf = (words: Int32Array, at: number): number => words[at + WORD_TABLE]! & 0xffff
export const layoutOf = (words: Int32Array, at: number): number => words[at + WORD_TABLE]! >>> 16
export const sequenceOf = (doubles: Float64Array, at: number): number =>
  doubles[(at >> 1) + DOUBLE_SEQUENCE]!
export const timeOf = (doubles: Float64Array, at: number): number =>
  doubles[(at >> 1) + DOUBLE_TIME]!

/** First word of an entry's row. */
export const rowWordOf = (words: Int32Array, at: number): number =>
  at + BODY_WORD + pad8(keyBytesOf(words, at)) / 4

/** Bytes of the entry that begins at word `at`, its end padding included. */
export const entryBytesOf = (words: Int32Array, at: number): number =>
  padUnit(HEADER_BYTES + pad8(keyBytesOf(words, at)) + rowBytesOf(words, at))

/** Bytes that an entry of such a key and row takes. */
export const entryBytes = (keyBytes: number, rowBytes: number): number =>
  padUnit(HEADER_BYTES + pad8(keyBytes) + rowBytes)

export function headerChecksum(words: Int32Array, at: number, seed: number): number {
  return crc32OfWords(seed, words, at + WORD_CHECKED, at + BODY_WORD)
}

export function bodyChecksum(view: LogView, at: number, seed: number): number {
  const start = at * 4 + HEADER_BYTES
  const end = start + pad8(keyBytesOf(view.words, at)) + rowBytesOf(view.words, at)
  return crc32Of(seed, view.bytes, view.words, start, end)
}

/** True if a whole header of a possible entry stands at word `at` and its entry ends within the view. */
export function isHeader(view: LogView, at: number): boolean {
  const { words, checksumSeed } = view
  if (at + BODY_WORD > words.length || words[at] !== ENTRY_MAGIC) return false
  if (words[at + WORD_HEADER_CHECKSUM] !== headerChecksum(words, at, checksumSeed)) return false
  return isPossible(words, at)
}

/** The sizes that an entry of its kind may have. Checked before anything is read by them. */
export function isPossible(words: Int32Array, at: number): boolean {
  const keyBytes = keyBytesOf(words, at)
  const rowBytes = rowBytesOf(words, at)
  if (rowBytes < 0 || (rowBytes & 7) !== 0 || keyBytes > KEY_BYTES_MAX) return false
  if (at + entryBytesOf(words, at) / 4 > words.length) return false
  switch (kindOf(words, at)) {
    case KIND_ROW:
      return rowBytes <= ROW_BYTES_MAX
    case KIND_TOMBSTONE:
      return rowBytes === 0
    case KIND_TOUCH:
      return keyBytes === 0 && rowBytes % TOUCH_BYTES === 0
    case KIND_GROUP_END:
      return keyBytes === 0 && rowBytes === GROUP_END_BODY_BYTES
    default:
      return false
  }
}

/** True if the body of an entry whose header is right is right too. */
export const isBody = (view: LogView, at: number): boolean =>
  view.words[at + WORD_BODY_CHECKSUM] === bodyChecksum(view, at, view.checksumSeed)
