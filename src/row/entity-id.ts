/** Feast's `entity_id`: the name of a row's item in DynamoDB. */
import { KEY_BYTES_MAX } from '../base/limits.ts'

/** Hexadecimal digits of an id. */
export const ENTITY_ID_BYTES = 32

const BLOCK_BYTES = 16

// The hash's constants, low and high word of each.
const C1_LOW = 0x114253d5
const C1_HIGH = 0x87c37b91
const C2_LOW = 0x2745937f
const C2_HIGH = 0x4cf5ad43
const F1_LOW = 0xed558ccd
const F1_HIGH = 0xff51afd7
const F2_LOW = 0x1a85ec53
const F2_HIGH = 0xc4ceb9fe

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/**
 * MurmurHash3 x64, 128 bits, seed 0, over a table's prefix and a key (entity-key.ts), in hex.
 * Sixty-four bits are two words here, low and high: bigints would cost ten times as much. The whole
 * blocks of the prefix are hashed once.
 */
export class EntityIds {
  readonly #prefixBytes: number
  /** The prefix's last part, then a key, then zeros up to a whole block. */
  readonly #input: Uint8Array
  readonly #words: Int32Array
  readonly #restBytes: number
  /** The state after the prefix's whole blocks: h1 and h2, low and high word of each. */
  readonly #begun: Int32Array
  readonly #state = new Int32Array(4)

  constructor(prefix: Uint8Array) {
    const wholeBytes = prefix.length - (prefix.length % BLOCK_BYTES)
    this.#prefixBytes = prefix.length
    this.#restBytes = prefix.length - wholeBytes
    const room = Math.max(wholeBytes, this.#restBytes + KEY_BYTES_MAX) + BLOCK_BYTES
    this.#input = new Uint8Array(room - (room % BLOCK_BYTES))
    this.#words = new Int32Array(this.#input.buffer)
    this.#input.set(prefix.subarray(0, wholeBytes))
    mixBlocks(this.#state, this.#words, wholeBytes)
    this.#begun = this.#state.slice()
    this.#input.set(prefix.subarray(wholeBytes))
  }

  /** Writes the 32 digits of the id of `keys[start, start + bytes)` at `at` of `target`. */
  write(keys: Uint8Array, start: number, bytes: number, target: Uint8Array, at: number): void {
    const input = this.#input
    const end = this.#restBytes + bytes
    const paddedEnd = (end + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1)
    for (let place = 0; place < bytes; place++)
      input[this.#restBytes + place] = keys[start + place]!
    for (let place = end; place < paddedEnd; place++) input[place] = 0
    const state = this.#state
    for (let word = 0; word < 4; word++) state[word] = this.#begun[word]!
    mixBlocks(state, this.#words, end)
    finish(state, this.#prefixBytes + bytes)
    for (let word = 0; word < 4; word++) writeHex(state[word]!, target, at + 8 * word)
  }
}

/** The id as text: for what is not on the way of every read. */
export function entityId(prefix: Uint8Array, key: Uint8Array): string {
  const digits = new Uint8Array(ENTITY_ID_BYTES)
  new EntityIds(prefix).write(key, 0, key.length, digits, 0)
  return String.fromCharCode(...digits)
}

/** Mixes `bytes` bytes into the state; a last part block is followed by zeros. */
function mixBlocks(state: Int32Array, words: Int32Array, bytes: number): void {
  let h1Low = state[0]!
  let h1High = state[1]!
  let h2Low = state[2]!
  let h2High = state[3]!
  const wordsEnd = (bytes + 3) >> 2
  const wholeEnd = (bytes >> 4) << 2
  for (let at = 0; at < wordsEnd; at += 4) {
    // k1 = rotate(k1 * c1, 31) * c2
    let low = words[at]!
    let high = words[at + 1]!
    high = (mulHigh(low, C1_LOW) + Math.imul(high, C1_LOW) + Math.imul(low, C1_HIGH)) | 0
    low = Math.imul(low, C1_LOW)
    let turned = (low << 31) | (high >>> 1)
    high = (high << 31) | (low >>> 1)
    high = (mulHigh(turned, C2_LOW) + Math.imul(high, C2_LOW) + Math.imul(turned, C2_HIGH)) | 0
    h1Low ^= Math.imul(turned, C2_LOW)
    h1High ^= high
    // k2 = rotate(k2 * c2, 33) * c1
    low = words[at + 2]!
    high = words[at + 3]!
    high = (mulHigh(low, C2_LOW) + Math.imul(high, C2_LOW) + Math.imul(low, C2_HIGH)) | 0
    low = Math.imul(low, C2_LOW)
    turned = (high << 1) | (low >>> 31)
    high = (low << 1) | (high >>> 31)
    high = (mulHigh(turned, C1_LOW) + Math.imul(high, C1_LOW) + Math.imul(turned, C1_HIGH)) | 0
    low = Math.imul(turned, C1_LOW)
    if (at >= wholeEnd) {
      // The last part: its missing bytes are zeros, and mixing in zero changes nothing.
      h2Low ^= low
      h2High ^= high
      break
    }
    // h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729
    turned = (h1Low << 27) | (h1High >>> 5)
    h1High = (h1High << 27) | (h1Low >>> 5)
    h1Low = (turned + h2Low) | 0
    h1High = (h1High + h2High + carry(h1Low, h2Low)) | 0
    h1High = (Math.imul(h1High, 5) + mulHigh(h1Low, 5)) | 0
    h1Low = (Math.imul(h1Low, 5) + 0x52dce729) | 0
    h1High = (h1High + carry(h1Low, 0x52dce729)) | 0
    // h2 = (rotate(h2 ^ k2, 31) + h1) * 5 + 0x38495ab5
    h2Low ^= low
    h2High ^= high
    turned = (h2Low << 31) | (h2High >>> 1)
    h2High = (h2High << 31) | (h2Low >>> 1)
    h2Low = (turned + h1Low) | 0
    h2High = (h2High + h1High + carry(h2Low, h1Low)) | 0
    h2High = (Math.imul(h2High, 5) + mulHigh(h2Low, 5)) | 0
    h2Low = (Math.imul(h2Low, 5) + 0x38495ab5) | 0
    h2High = (h2High + carry(h2Low, 0x38495ab5)) | 0
  }
  state[0] = h1Low
  state[1] = h1High
  state[2] = h2Low
  state[3] = h2High
}

function finish(state: Int32Array, length: number): void {
  state[0]! ^= length
  state[2]! ^= length
  addHalves(state, 0, 2)
  addHalves(state, 2, 0)
  avalanche(state, 0)
  avalanche(state, 2)
  addHalves(state, 0, 2)
  addHalves(state, 2, 0)
}

/** Adds the number at `from` to the one at `to`. */
function addHalves(state: Int32Array, to: number, from: number): void {
  const low = (state[to]! + state[from]!) | 0
  state[to + 1]! += state[from + 1]! + carry(low, state[from]!)
  state[to] = low
}

function avalanche(state: Int32Array, at: number): void {
  let low = state[at]!
  let high = state[at + 1]!
  low ^= high >>> 1
  high = (mulHigh(low, F1_LOW) + Math.imul(high, F1_LOW) + Math.imul(low, F1_HIGH)) | 0
  low = Math.imul(low, F1_LOW)
  low ^= high >>> 1
  high = (mulHigh(low, F2_LOW) + Math.imul(high, F2_LOW) + Math.imul(low, F2_HIGH)) | 0
  low = Math.imul(low, F2_LOW)
  state[at] = low ^ (high >>> 1)
  state[at + 1] = high
}

/** 1 where the sum of two words, of which one is `addend`, went past 32 bits. */
const carry = (sum: number, addend: number): number => (sum >>> 0 < addend >>> 0 ? 1 : 0)

/** Upper 32 bits of the product of two unsigned words. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const bLow = b & 0xffff
  const aHigh = a >>> 16
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0
  const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0
}

/** Eight digits, the lowest byte first. */
function writeHex(word: number, target: Uint8Array, at: number): void {
  for (let place = at; place < at + 8; place += 2) {
    target[place] = HEX[(word >> 4) & 15]!
    target[place + 1] = HEX[word & 15]!
    word >>>= 8
  }
}
