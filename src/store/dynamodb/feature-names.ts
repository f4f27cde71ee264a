/**
 * The names of a layout's features as they stand in the map `values` of an item. Items of one table
 * have them in the same order almost always: the next one is guessed, and compared by words.
 */
import { utf8Encoder } from '../../base/utf8.ts'
import type { Layout } from '../../row/layout.ts'

/** Behind a name up to its first base64 character, as DynamoDB writes it. */
const BINARY = ':{"B":"'

export class FeatureNames {
  /** For each feature the bytes of its head `"name":{"B":"`, and where its words begin in `words`. */
  readonly headBytes: Uint32Array
  readonly headWords: Uint32Array
  /** Whole words; the last of a head overlaps the one before. */
  readonly words: Int32Array
  /** For each feature the one that followed it last; in the last place the one that came first. */
  readonly followers: Uint32Array
  readonly #positions: ReadonlyMap<string, number>

  constructor({ features }: Layout) {
    const heads = features.map(({ name }) => utf8Encoder.encode(JSON.stringify(name) + BINARY))
    this.headBytes = Uint32Array.from(heads, ({ length }) => length)
    const words: number[] = []
    this.headWords = Uint32Array.from(heads, (head) => {
      const start = words.length
      words.push(...wordsOf(head))
      return start
    })
    this.words = Int32Array.from(words)
    const last = features.length - 1
    this.followers = Uint32Array.from([...features, ''], (_, at) => (at < last ? at + 1 : 0))
    this.#positions = new Map(features.map(({ name }, position) => [name, position]))
  }

  /** A feature by its name, or -1. */
  position(name: string): number {
    return this.#positions.get(name) ?? -1
  }
}

/** True where so many bytes at `at` are those of the head whose words begin at `word`. */
export function isHeadAt(
  view: DataView,
  at: number,
  bytes: number,
  words: Int32Array,
  word: number,
): boolean {
  const last = at + bytes - 4
  if (last + 4 > view.byteLength) return false
  for (let from = at; from < last; from += 4) {
    if (view.getInt32(from, true) !== words[word++]) return false
  }
  return view.getInt32(last, true) === words[word]
}

/** A head has the seven bytes of BINARY and two quotes at least. */
function wordsOf(pattern: Uint8Array): number[] {
  const view = new DataView(pattern.buffer, pattern.byteOffset, pattern.length)
  const words: number[] = []
  for (let at = 0; at < pattern.length - 4; at += 4) words.push(view.getInt32(at, true))
  words.push(view.getInt32(pattern.length - 4, true))
  return words
}
