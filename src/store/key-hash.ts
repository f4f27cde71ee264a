/**
 * Two 32-bit hashes of a key: one is its fingerprint in an index and says where in it it lies, the
 * other chooses a shard of it. Over whole words, seeded by the store; nothing is allocated.
 */

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

/** Every input bit changes each output bit with a chance of one half (murmur3's finalizer). */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85eb_ca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2_ae35)
  return mixed ^ (mixed >>> 16)
}

export class KeyHasher {
  /** Of the key last hashed: a signed 32-bit number. */
  fingerprint = 0
  /** Of the key last hashed: 0 to 255. */
  shard = 0
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed | 0
  }

  /** `words` hold the key from `start`, with zeros up to a multiple of 8 bytes. */
  hash(words: Int32Array | Uint32Array, start: number, bytes: number, table: number): void {
    let first = this.#seed ^ Math.imul(table, 0x9e37_79b1)
    let second = rotate(this.#seed, 16) ^ bytes
    const end = start + ((bytes + 7) >> 3) * 2
    for (let place = start; place < end; place += 2) {
      first = Math.imul(rotate(first ^ words[place]!, 15), 0xcc9e_2d51) + second
      second = Math.imul(rotate(second ^ words[place + 1]!, 13), 0x1b87_3593) + first
    }
    const fingerprint = mix(first ^ rotate(second, 11))
    this.fingerprint = fingerprint
    this.shard = (mix(second + fingerprint) >>> 24) & 255
  }
}
