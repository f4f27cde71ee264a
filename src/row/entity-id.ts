/** Feast's `entity_id`: the name of a row's item in DynamoDB. */
import { grown } from '../base/grown.ts'

/**
 * MurmurHash3 x64, 128 bits, seed 0, over prefix and key (entity-key.ts), in hex. Sixty-four bits
 * are two unsigned words here, low and high: bigints would cost ten times as much.
 */
export function entityId(prefix: Uint8Array, key: Uint8Array): string {
  const length = prefix.length + key.length
  // The hash reads whole blocks of 16: zeros behind the end change nothing.
  const padded = (length + 15) & ~15
  if (padded > input.length) input = grown(input, new Uint8Array(padded * 2))
  input.set(prefix)
  input.set(key, prefix.length)
  input.fill(0, length, padded)
  return hash(new DataView(input.buffer), length)
}

/** Shared by all calls: none gives way to another while it hashes. */
let input = new Uint8Array(2048)

/** State and the operand under work, each as a low and a high word. */
const h1 = new Uint32Array(2)
const h2 = new Uint32Array(2)
const k = new Uint32Array(2)

const C1 = Uint32Array.of(0x114253d5, 0x87c37b91)
const C2 = Uint32Array.of(0x2745937f, 0x4cf5ad43)
const FINAL_1 = Uint32Array.of(0xed558ccd, 0xff51afd7)
const FINAL_2 = Uint32Array.of(0x1a85ec53, 0xc4ceb9fe)
const FIVE = Uint32Array.of(5, 0)

function hash(bytes: DataView, length: number): string {
  h1.fill(0)
  h2.fill(0)
  const wholeEnd = length & ~15
  for (let at = 0; at < wholeEnd; at += 16) {
    mixLow(bytes, at)
    rotate(h1, 27)
    add(h1, h2[0]!, h2[1]!)
    multiply(h1, FIVE)
    add(h1, 0x52dce729, 0)
    mixHigh(bytes, at + 8)
    rotate(h2, 31)
    add(h2, h1[0]!, h1[1]!)
    multiply(h2, FIVE)
    add(h2, 0x38495ab5, 0)
  }
  // Of a last part of at most 8 bytes the upper half is zero, and mixing in zero changes nothing.
  if (length > wholeEnd) {
    mixHigh(bytes, wholeEnd + 8)
    mixLow(bytes, wholeEnd)
  }
  return finish(length)
}

function mixLow(bytes: DataView, at: number): void {
  load(bytes, at)
  multiply(k, C1)
  rotate(k, 31)
  multiply(k, C2)
  xor(h1, k[0]!, k[1]!)
}

function mixHigh(bytes: DataView, at: number): void {
  load(bytes, at)
  multiply(k, C2)
  rotate(k, 33)
  multiply(k, C1)
  xor(h2, k[0]!, k[1]!)
}

function load(bytes: DataView, at: number): void {
  k[0] = bytes.getUint32(at, true)
  k[1] = bytes.getUint32(at + 4, true)
}

function finish(length: number): string {
  xor(h1, length, 0)
  xor(h2, length, 0)
  add(h1, h2[0]!, h2[1]!)
  add(h2, h1[0]!, h1[1]!)
  avalanche(h1)
  avalanche(h2)
  add(h1, h2[0]!, h2[1]!)
  add(h2, h1[0]!, h1[1]!)
  return hexOf(h1) + hexOf(h2)
}

function avalanche(a: Uint32Array): void {
  xor(a, a[1]! >>> 1, 0)
  multiply(a, FINAL_1)
  xor(a, a[1]! >>> 1, 0)
  multiply(a, FINAL_2)
  xor(a, a[1]! >>> 1, 0)
}

/** Sixteen digits, the lowest byte first. */
function hexOf(a: Uint32Array): string {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, a[0]!, true)
  view.setUint32(4, a[1]!, true)
  return bytes.toHex()
}

function xor(a: Uint32Array, low: number, high: number): void {
  a[0] = a[0]! ^ low
  a[1] = a[1]! ^ high
}

function add(a: Uint32Array, low: number, high: number): void {
  const sum = a[0]! + low
  a[0] = sum
  a[1] = a[1]! + high + (sum > 0xffff_ffff ? 1 : 0)
}

function rotate(a: Uint32Array, bits: number): void {
  const isSwapped = bits >= 32
  const low = isSwapped ? a[1]! : a[0]!
  const high = isSwapped ? a[0]! : a[1]!
  const rest = bits & 31
  a[0] = (low << rest) | (high >>> (32 - rest))
  a[1] = (high << rest) | (low >>> (32 - rest))
}

function multiply(a: Uint32Array, b: Uint32Array): void {
  const low = a[0]!
  const otherLow = b[0]!
  const crossed = Math.imul(a[1]!, otherLow) + Math.imul(low, b[1]!)
  a[0] = Math.imul(low, otherLow)
  a[1] = highWord(low, otherLow) + crossed
}

/** Upper 32 bits of the product of two unsigned words. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff
  const bLow = b & 0xffff
  const aHigh = a >>> 16
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const other = aLow * bHigh + (middle & 0xffff)
  return aHigh * bHigh + Math.floor(middle / 0x1_0000) + (other >>> 16)
}
