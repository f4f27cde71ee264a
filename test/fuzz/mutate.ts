/** Bytes that are almost right: valid inputs, broken in the ways that decoders get wrong. */
import type { SeededRandom } from '../base/seeded-random.ts'

/** One change reaches deepest; many find what several do together. */
const CHANGES_MAX = 6
const PIECE_MAX = 32
const WORDS = [0, 1, 7, 8, 63, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** A copy of one of the seeds with a few changes; `pieces` are bits of the format to put in. */
export function mutated(
  random: SeededRandom,
  seeds: readonly Uint8Array[],
  pieces: readonly Uint8Array[],
): Uint8Array {
  let bytes = random.pick(seeds).slice()
  const changes = random.chance(0.6) ? 1 : 1 + random.below(CHANGES_MAX)
  for (let change = 0; change < changes; change++) {
    bytes = changed(random, bytes, seeds, pieces)
  }
  return bytes
}

function changed(
  random: SeededRandom,
  bytes: Uint8Array<ArrayBuffer>,
  seeds: readonly Uint8Array[],
  pieces: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length + 1)
  switch (random.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = random.below(256)
      return bytes
    case 2:
      return bytes.slice(0, at)
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at + random.below(PIECE_MAX)))
    case 4:
      return joined(bytes.subarray(0, at), random.bytes(random.below(9)), bytes.subarray(at))
    case 5: {
      const other = random.pick(seeds)
      const from = random.below(other.length + 1)
      const piece = other.subarray(from, from + random.below(PIECE_MAX))
      return joined(bytes.subarray(0, at), piece, bytes.subarray(at))
    }
    case 6:
      return joined(bytes.subarray(0, at), random.pick(pieces), bytes.subarray(at))
    default: {
      const word = random.below(bytes.length) & ~3
      if (word + 4 > bytes.length) return bytes
      const near = random.chance(0.5) ? random.pick(WORDS) : random.below(2 * bytes.length)
      new DataView(bytes.buffer).setUint32(word, near, random.chance(0.8))
      return bytes
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
