/**
 * The names of a layout's features as they stand in the map `values` of an item. Items of one table
 * have them in the same order almost always: the next one is guessed, and compared by words.
 */
import { utf8Encoder } from '../../base/utf8.ts'
import type { Layout } from '../../row/layout.ts'

/** Behind a name up to its first base64 character, as DynamoDB writes it. */
const BINARY = ':{"B":"'

export class FeatureNames {
  /** For each feature `"name":{"B":"` in whole words, the last overlapping the one before. */
  readonly #words: Uint32Array
  readonly #starts: Uint32Array
  readonly #bytes: Uint32Array
  /** For each feature the one that followed it last; in the last place the one that was first. */
  readonly #followers: Uint32Array
  readonly #positions: ReadonlyMap<string, number>
  #previous: number

  constructor({ features }: Layout) {
    const patterns = features.map(({ name }) => utf8Encoder.encode(JSON.stringify(name) + BINARY))
    this.#bytes = Uint32Array.from(patterns, ({ length }) => length)
    this.#starts = new Uint32Array(features.length)
    const words: number[] = []
    patterns.forEach((pattern, position) => {
      this.#starts[position] = words.length
      words.push(...wordsOf(pattern))
    })
    this.#words = Uint32Array.from(words)
    this.#positions = new Map(features.map(({ name }, position) => [name, position]))
    const last = features.length - 1
    this.#followers = Uint32Array.from([...features, ''], (_, place) =>
      place < last ? place + 1 : 0,
    )
    this.#previous = features.length
  }

  /** Before the first name of an item. */
  restart(): void {
    this.#previous = this.#followers.length - 1
  }

  /** The feature that is likely to stand next. */
  guess(): number {
    return this.#followers[this.#previous]!
  }

  /** Bytes of `"name":{"B":"` if it stands at `at` for this feature, else 0. */
  bytesAt(view: DataView, at: number, position: number): number {
    const bytes = this.#bytes[position]!
    if (at + bytes > view.byteLength) return 0
    const last = at + bytes - 4
    let word = this.#starts[position]!
    for (let from = at; from < last; from += 4) {
      if (view.getUint32(from, true) !== this.#words[word++]) return 0
    }
    return view.getUint32(last, true) === this.#words[word] ? bytes : 0
  }

  /** Says which feature stood there: the guess, or another that will be the guess next time. */
  found(position: number): void {
    this.#followers[this.#previous] = position
    this.#previous = position
  }

  /** A feature by its name, or -1. */
  position(name: string): number {
    return this.#positions.get(name) ?? -1
  }
}

/** A pattern has the seven bytes of BINARY and two quotes at least. */
function wordsOf(pattern: Uint8Array): number[] {
  const view = new DataView(pattern.buffer, pattern.byteOffset, pattern.length)
  const words: number[] = []
  for (let at = 0; at < pattern.length - 4; at += 4) words.push(view.getUint32(at, true))
  words.push(view.getUint32(pattern.length - 4, true))
  return words
}
