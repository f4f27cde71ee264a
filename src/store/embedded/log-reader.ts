/** Reads commit groups: the only judge of whether a whole group stands at a place of a segment. */
import { GROUP_BYTES_MAX } from '../../base/limits.ts'
import { crc32OfWord } from './crc32.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  FLAG_UNSYNCED,
  KIND_GROUP_END,
  WORD_HEADER_CHECKSUM,
  entryBytesOf,
  flagsOf,
  isBody,
  isHeader,
  kindOf,
  sequenceOf,
} from './log-entry.ts'
import { UNIT_BYTES } from './segment.ts'

const UNIT_WORDS = UNIT_BYTES / 4

export class GroupReader {
  /** Of the last group that was whole: was it acknowledged after a sync? Its entries, without the end. */
  isSynced = false
  count = 0
  /** Of the last group that was not: the byte offset of the first wrong entry, and what is wrong. */
  faultOffset = 0
  fault = ''
  readonly #view: LogView

  constructor(view: LogView) {
    this.#view = view
  }

  /** Byte offset behind the whole group that begins at byte `start`, or 0 if none does. */
  read(start: number): number {
    const { words, checksumSeed } = this.#view
    let chain = checksumSeed
    let count = 0
    for (let at = start / 4; (at - start / 4) * 4 < GROUP_BYTES_MAX;) {
      if (!this.#isEntry(at)) return 0
      const next = at + entryBytesOf(words, at) / 4
      if (kindOf(words, at) === KIND_GROUP_END) {
        return this.#isEndOf(start / 4, at, count, chain) ? next * 4 : 0
      }
      chain = crc32OfWord(chain, words[at + WORD_HEADER_CHECKSUM]!)
      count++
      at = next
    }
    return this.#refuse(start / 4, 'a group without an end')
  }

  /**
   * Byte offset of the first whole group that begins at `start` or anywhere behind it, or 0. One pass:
   * a run of good entries is remembered, and a group end says how many of them are its own.
   */
  findWhole(start: number): number {
    const { words } = this.#view
    const run: number[] = []
    for (let at = start / 4; at + BODY_WORD <= words.length;) {
      if (!this.#isEntry(at)) {
        run.length = 0
        at += UNIT_WORDS
        continue
      }
      if (kindOf(words, at) === KIND_GROUP_END) {
        const first = run.at(-words[at + BODY_WORD + 2]!)
        if (first !== undefined && this.read(first * 4) > 0) return first * 4
        run.length = 0
      } else {
        run.push(at)
      }
      at += entryBytesOf(words, at) / 4
    }
    return 0
  }

  #isEntry(at: number): boolean {
    if (!isHeader(this.#view, at)) {
      this.#refuse(at, 'no entry header that its checksum confirms')
      return false
    }
    if (!isBody(this.#view, at)) {
      this.#refuse(at, 'the body checksum is wrong')
      return false
    }
    return true
  }

  #isEndOf(first: number, at: number, count: number, chain: number): boolean {
    const { words, doubles } = this.#view
    const isOwn =
      count > 0 &&
      words[at + BODY_WORD + 2] === count &&
      words[at + BODY_WORD + 3] === chain &&
      doubles[(at + BODY_WORD) >> 1] === sequenceOf(doubles, first)
    if (!isOwn) {
      this.#refuse(at, 'a group end that does not fit the entries before it')
      return false
    }
    this.isSynced = (flagsOf(words, at) & FLAG_UNSYNCED) === 0
    this.count = count
    return true
  }

  #refuse(at: number, fault: string): 0 {
    this.faultOffset = at * 4
    this.fault = fault
    return 0
  }
}
