import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'bun:test'
import { crc32Of, crc32OfWord, crc32OfWords } from '../../src/store/embedded/crc32.ts'
import { KeyHasher } from '../../src/store/key-hash.ts'
import { SeededRandom } from '../base/seeded-random.ts'

describe('the hash of a key', () => {
  test('spreads keys that differ little over all shards and fingerprints', () => {
    const hasher = new KeyHasher(12_345)
    const shards = new Uint32Array(256)
    const seen = new Set<number>()
    const count = 100_000
    for (let id = 0; id < count; id++) {
      hasher.hash(Int32Array.of(4, 8, id, 0), 0, 16, 1)
      shards[hasher.shard]!++
      seen.add((hasher.fingerprint >>> 0) * 256 + hasher.shard)
    }
    expect(count - seen.size).toBeLessThan(3)
    const mean = count / 256
    for (const keys of shards) expect(Math.abs(keys - mean)).toBeLessThan(6 * Math.sqrt(mean))
  })

  test('changes half its bits with any bit of the key', () => {
    const random = new SeededRandom('avalanche')
    const hasher = new KeyHasher(random.below(2 ** 32))
    const flips = new Float64Array(40)
    const rounds = 300
    for (let round = 0; round < rounds; round++) {
      const key = Int32Array.from({ length: 4 }, () => random.below(2 ** 32))
      hasher.hash(key, 0, 16, 1)
      const { fingerprint, shard } = hasher
      for (let bit = 0; bit < 128; bit++) {
        key[bit >> 5]! ^= 1 << (bit & 31)
        hasher.hash(key, 0, 16, 1)
        key[bit >> 5]! ^= 1 << (bit & 31)
        for (let out = 0; out < 32; out++) {
          flips[out]! += ((hasher.fingerprint ^ fingerprint) >>> out) & 1
        }
        for (let out = 0; out < 8; out++) flips[32 + out]! += ((hasher.shard ^ shard) >>> out) & 1
      }
    }
    for (const flipped of flips) expect(Math.abs(flipped / (rounds * 128) - 0.5)).toBeLessThan(0.02)
  })

  test('depends on length, table and seed', () => {
    const words = Int32Array.of(1, 0, 0, 0)
    const hashOf = (seed: number, bytes: number, table: number) => {
      const hasher = new KeyHasher(seed)
      hasher.hash(words, 0, bytes, table)
      return hasher.fingerprint
    }
    const hashes = [hashOf(1, 5, 1), hashOf(1, 6, 1), hashOf(1, 5, 2), hashOf(2, 5, 1)]
    expect(new Set(hashes).size).toBe(4)
  })
})

test("the checksum of words is zlib's, for every length, whichever way it is made", () => {
  const random = new SeededRandom('crc32')
  const bytes = random.bytes(1024)
  const words = new Int32Array(bytes.buffer)
  for (let end = 0; end <= 1024; end += 4) {
    const seed = random.below(2 ** 32)
    const expected = crc32(bytes.subarray(0, end), seed) | 0
    expect(crc32OfWords(seed, words, 0, end / 4)).toBe(expected | 0)
    expect(crc32Of(seed, bytes, words, 0, end)).toBe(expected)
    if (end >= 4) {
      const before = crc32OfWords(seed, words, 0, end / 4 - 1)
      expect(crc32OfWord(before, words[end / 4 - 1]!)).toBe(expected)
    }
  }
})
