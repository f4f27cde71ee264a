/** One key of a batch at a time, hashed: moved from key to key, so that no key is an object. */

/** A hash of a key's words; whoever sends keys should not be able to foresee it. */
export type KeyHash = {
  fingerprint: number
  hash(words: Int32Array, start: number, bytes: number, table: number): void
}

type PackedKeys = {
  readonly keys: Uint8Array
  readonly keyStarts: Uint32Array
  readonly keyBytes: Uint16Array
}

export class KeyCursor {
  words: Int32Array = new Int32Array(0)
  /** First word of the key in `words`. */
  start = 0
  bytes = 0
  /** Of the key alone: the same key in two tables has one hash. */
  hash = 0
  #keys: PackedKeys = {
    keys: new Uint8Array(0),
    keyStarts: new Uint32Array(0),
    keyBytes: new Uint16Array(0),
  }
  readonly #hasher: KeyHash

  constructor(hasher: KeyHash) {
    this.#hasher = hasher
  }

  /** Turns to a batch: its keys start at multiples of 8 with zeros between. */
  open(keys: PackedKeys): void {
    this.#keys = keys
    const { buffer, byteOffset, length } = keys.keys
    const isSame = this.words.buffer === buffer && this.words.byteOffset === byteOffset
    if (!isSame || this.words.byteLength !== length) {
      this.words = new Int32Array(buffer, byteOffset, length >> 2)
    }
  }

  moveTo(place: number): void {
    this.pointAt(place)
    this.#hasher.hash(this.words, this.start, this.bytes, 0)
    this.hash = this.#hasher.fingerprint
  }

  /** As moveTo, for one who has the hash already: `hash` is left as it is. */
  pointAt(place: number): void {
    this.start = this.#keys.keyStarts[place]! >> 2
    this.bytes = this.#keys.keyBytes[place]!
  }
}

/** The hash of a key in one table. */
export function tableHash(keyHash: number, table: number): number {
  const mixed = Math.imul(keyHash ^ Math.imul(table, 0x9e37_79b1), 0x85eb_ca6b)
  return mixed ^ (mixed >>> 15)
}
