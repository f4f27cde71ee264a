/** Puts entries together into one commit group in memory, ready to be written at one place. */
import { GROUP_BYTES_MAX } from '../../base/limits.ts'
import { crc32OfWord } from './crc32.ts'
import {
  BODY_WORD,
  DOUBLE_SEQUENCE,
  DOUBLE_TIME,
  ENTRY_MAGIC,
  FLAG_UNSYNCED,
  GROUP_END_BODY_BYTES,
  GROUP_END_BYTES,
  HEADER_BYTES,
  KIND_GROUP_END,
  KIND_TOUCH,
  LogView,
  TOUCH_BYTES,
  WORD_BODY_CHECKSUM,
  WORD_HEADER_CHECKSUM,
  WORD_KIND,
  WORD_ROW_BYTES,
  WORD_TABLE,
  bodyChecksum,
  entryBytes,
  entryBytesOf,
  headerChecksum,
  pad8,
  padUnit,
} from './log-entry.ts'

/** A row or tombstone to be added. One is kept and filled again: no object for each row. */
export type EntryDraft = {
  kind: number
  table: number
  layout: number
  sequence: number
  timeUs: number
  keyWords: Int32Array
  keyStart: number
  keyBytes: number
  rowWords: Int32Array
  rowStart: number
  rowBytes: number
}

/** From so many words on, a view and a memcpy cost less than a loop. */
const COPY_CALL_WORDS_MIN = 128

function copyWords(
  target: Int32Array,
  to: number,
  source: Int32Array,
  from: number,
  count: number,
) {
  if (count >= COPY_CALL_WORDS_MIN) {
    target.set(source.subarray(from, from + count), to)
    return
  }
  for (let place = 0; place < count; place++) target[to + place] = source[from + place]!
}

export class GroupBuilder {
  readonly view: LogView
  /** Bytes and entries of the group so far. */
  used = 0
  count = 0
  #checksumSeed = 0
  #bytesMax = 0

  constructor(groupBytesMax = GROUP_BYTES_MAX) {
    this.view = new LogView(new Uint8Array(groupBytesMax), 0)
  }

  /** Starts an empty group for a segment that has so much room left. */
  begin(checksumSeed: number, roomBytes: number): void {
    this.used = 0
    this.count = 0
    this.#checksumSeed = checksumSeed
    this.#bytesMax = Math.min(this.view.bytes.length, roomBytes) - GROUP_END_BYTES
  }

  /** True if so many bytes of entries still fit, with the group end behind them. */
  fits(bytes: number): boolean {
    return this.used + bytes <= this.#bytesMax
  }

  /** Adds an entry that fits, and returns its first word in the group. */
  add(draft: EntryDraft): number {
    const { words } = this.view
    const at = this.#header(draft.kind, draft.keyBytes, draft.rowBytes)
    words[at + WORD_TABLE] = draft.table | (draft.layout << 16)
    this.#stamp(at, draft.sequence, draft.timeUs)
    const keyWords = pad8(draft.keyBytes) / 4
    const rowWord = at + BODY_WORD + keyWords
    copyWords(words, at + BODY_WORD, draft.keyWords, draft.keyStart, keyWords)
    copyWords(words, rowWord, draft.rowWords, draft.rowStart, draft.rowBytes / 4)
    this.#close(rowWord + draft.rowBytes / 4, at, entryBytes(draft.keyBytes, draft.rowBytes))
    return at
  }

  /** Adds a copy of an entry as it stands at word `from` of another segment, with its time as of now. */
  addCopy(source: LogView, from: number, timeUs: number): number {
    const at = this.used / 4
    const bytes = entryBytesOf(source.words, from)
    copyWords(this.view.words, at, source.words, from, bytes / 4)
    this.view.doubles[(at >> 1) + DOUBLE_TIME] = timeUs
    this.used += bytes
    this.count++
    return at
  }

  /** Opens a touch entry for `count` touches; they are filled in by `setTouch`. Must fit. */
  addTouches(count: number, sequence: number): number {
    const at = this.#header(KIND_TOUCH, 0, count * TOUCH_BYTES)
    this.view.words[at + WORD_TABLE] = 0
    this.#stamp(at, sequence, 0)
    const bodyEnd = at + BODY_WORD + (count * TOUCH_BYTES) / 4
    this.#close(bodyEnd, at, touchEntryBytes(count))
    return at
  }

  setTouch(at: number, place: number, location: number, sequence: number, timeUs: number): void {
    const word = at + BODY_WORD + place * (TOUCH_BYTES / 4)
    this.view.words[word] = location
    this.view.words[word + 1] = sequence // an Int32Array keeps the low half
    this.view.doubles[(word >> 1) + 1] = timeUs
  }

  /** Advances the time of an entry that is not written yet. */
  setTime(at: number, timeUs: number): void {
    this.view.doubles[(at >> 1) + DOUBLE_TIME] = timeUs
  }

  /** Checksums every entry, adds the group end and returns the bytes to write: a view. */
  finish(isSynced: boolean): Uint8Array {
    const { words, doubles } = this.view
    const entriesEnd = this.used / 4
    const firstSequence = doubles[DOUBLE_SEQUENCE]!
    const count = this.count
    let chain = this.#checksumSeed
    let lastSequence = firstSequence
    for (let at = 0; at < entriesEnd; at += entryBytesOf(words, at) / 4) {
      chain = crc32OfWord(chain, this.#checksum(at))
      lastSequence = doubles[(at >> 1) + DOUBLE_SEQUENCE]!
    }
    const at = this.#header(KIND_GROUP_END, 0, GROUP_END_BODY_BYTES)
    if (!isSynced) words[at + WORD_KIND]! |= FLAG_UNSYNCED << 8
    words[at + WORD_TABLE] = 0
    this.#stamp(at, lastSequence, 0)
    doubles[(at + BODY_WORD) >> 1] = firstSequence
    words[at + BODY_WORD + 2] = count
    words[at + BODY_WORD + 3] = chain
    this.#close(at + BODY_WORD + GROUP_END_BODY_BYTES / 4, at, GROUP_END_BYTES)
    this.#checksum(at)
    return this.view.bytes.subarray(0, this.used)
  }

  #header(kind: number, keyBytes: number, rowBytes: number): number {
    const { words } = this.view
    const at = this.used / 4
    words[at] = ENTRY_MAGIC
    words[at + WORD_KIND] = kind | (keyBytes << 16)
    words[at + WORD_ROW_BYTES] = rowBytes
    return at
  }

  #stamp(at: number, sequence: number, timeUs: number): void {
    this.view.doubles[(at >> 1) + DOUBLE_SEQUENCE] = sequence
    this.view.doubles[(at >> 1) + DOUBLE_TIME] = timeUs
  }

  /** Zeros behind the body up to the entry's end: the buffer holds what an earlier group left. */
  #close(bodyEnd: number, at: number, bytes: number): void {
    const end = at + bytes / 4
    for (let place = bodyEnd; place < end; place++) this.view.words[place] = 0
    this.used = end * 4
    this.count++
  }

  #checksum(at: number): number {
    const { words } = this.view
    words[at + WORD_BODY_CHECKSUM] = bodyChecksum(this.view, at, this.#checksumSeed)
    const checksum = headerChecksum(words, at, this.#checksumSeed)
    words[at + WORD_HEADER_CHECKSUM] = checksum
    return checksum
  }
}

/** Bytes of a touch entry of so many touches. */
export const touchEntryBytes = (count: number): number =>
  padUnit(HEADER_BYTES + count * TOUCH_BYTES)
