import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { KEY_BYTES_MAX } from '../../src/base/limits.ts'
import type { JoinKey, PlainValue } from '../../src/catalog/catalog.ts'
import { EntityIds, entityId } from '../../src/row/entity-id.ts'
import { decodeKey, keyPrefix, keySignature, makeKeyWriter } from '../../src/row/entity-key.ts'
import { coerceKey } from '../../src/row/value.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { KEY_VECTORS } from './feast-vectors.ts'

function encodeKey(keys: readonly JoinKey[], values: readonly PlainValue[]): Uint8Array {
  const target = new Uint8Array(KEY_BYTES_MAX + 16).fill(0xee)
  const bytes = makeKeyWriter(keys).write(values, target, 8)
  return target.slice(8, 8 + bytes)
}

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
  throw new Error('no fault')
}

for (const { keys, values, hex, entityId: id } of KEY_VECTORS) {
  const name = keys.map((key, place) => `${key.name}=${String(values[place])}`).join(' ')
  test(`prefix and key are Feast's serialization: ${name || 'entityless'}`, () => {
    const key = encodeKey(keys, values)
    expect(Buffer.concat([keyPrefix(keys), key]).toString('hex')).toBe(hex)
    expect(entityId(keyPrefix(keys), key)).toBe(id)
    expect(decodeKey(keys, key)).toEqual(
      values.map((value) => (value === 1002n ? 1002 : value)) as PlainValue[],
    )
  })
}

test('entity ids are those of MurmurHash3 for any length of key', () => {
  const empty = new Uint8Array(0)
  const idOf = (text: string): string => entityId(empty, new TextEncoder().encode(text))
  expect(idOf('')).toBe('0'.repeat(32))
  expect(idOf('hello')).toBe('029bbd41b3a7d8cb191dae486a901e5b')
  expect(idOf('foo')).toBe('6145f501578671e2877dba2be487af7e')
  for (let length = 0; length <= 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, place) => place * 37 + length)
    expect(entityId(bytes.subarray(0, 5), bytes.subarray(5))).toBe(murmurByBigints(bytes))
  }
})

test('a table gives the ids of one key after another, whatever its prefix', () => {
  const random = new SeededRandom('entity ids')
  const target = new Uint8Array(64)
  for (let step = 0; step < stepsOf(200); step++) {
    const prefix = random.bytes(random.below(70))
    const ids = new EntityIds(prefix)
    for (let key = 0; key < 5; key++) {
      const bytes = random.bytes(random.below(random.pick([8, 40, 1025])))
      const start = random.below(8)
      ids.write(Buffer.concat([random.bytes(start), bytes]), start, bytes.length, target, start)
      const text = new TextDecoder().decode(target.subarray(start, start + 32))
      expect(text).toBe(murmurByBigints(Buffer.concat([prefix, bytes])))
    }
  }
})

/** The algorithm written down plainly. */
function murmurByBigints(bytes: Uint8Array): string {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
  const rotl = (value: bigint, bits: bigint): bigint =>
    wrap((value << bits) | (value >> (64n - bits)))
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn]
  const mix1 = (word: bigint): bigint => wrap(rotl(wrap(word * c1), 31n) * c2)
  const mix2 = (word: bigint): bigint => wrap(rotl(wrap(word * c2), 33n) * c1)
  const wordAt = (start: number, end: number): bigint => {
    let word = 0n
    for (let at = end - 1; at >= start; at--) word = (word << 8n) | BigInt(bytes[at] ?? 0)
    return word
  }
  let [h1, h2] = [0n, 0n]
  let at = 0
  for (; at + 16 <= bytes.length; at += 16) {
    h1 = wrap((rotl(h1 ^ mix1(wordAt(at, at + 8)), 27n) + h2) * 5n + 0x52dce729n)
    h2 = wrap((rotl(h2 ^ mix2(wordAt(at + 8, at + 16)), 31n) + h1) * 5n + 0x38495ab5n)
  }
  h2 ^= mix2(wordAt(at + 8, at + 16))
  h1 ^= mix1(wordAt(at, at + 8))
  const scramble = (start: bigint): bigint => {
    let word = wrap((start ^ (start >> 33n)) * 0xff51afd7ed558ccdn)
    word = wrap((word ^ (word >> 33n)) * 0xc4ceb9fe1a85ec53n)
    return word ^ (word >> 33n)
  }
  const length = BigInt(bytes.length)
  h1 = wrap((h1 ^ length) + (h2 ^ length))
  h2 = wrap((h2 ^ length) + h1)
  ;[h1, h2] = [scramble(h1), scramble(h2)]
  h1 = wrap(h1 + h2)
  h2 = wrap(h2 + h1)
  const target = new DataView(new ArrayBuffer(16))
  target.setBigUint64(0, h1, true)
  target.setBigUint64(8, h2, true)
  return Buffer.from(target.buffer).toString('hex')
}

test('an int64 key is exact beyond 2^53, whether number or bigint', () => {
  const keys: JoinKey[] = [{ name: 'id', type: 'INT64' }]
  const values = [0, -1, 2 ** 53 - 1, -(2 ** 53) + 1, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n]
  for (const value of values) {
    const key = encodeKey(keys, [value])
    expect(Buffer.from(key).readBigInt64LE(8)).toBe(BigInt(value))
    expect(decodeKey(keys, key)).toEqual([value])
  }
})

const WRONG: readonly [JoinKey['type'], PlainValue][] = [
  ['INT64', null],
  ['INT64', 1.5],
  ['INT64', 2 ** 53],
  ['INT64', NaN],
  ['INT64', 2n ** 63n],
  ['INT64', -(2n ** 63n) - 1n],
  ['INT64', '1001'],
  ['INT32', 2 ** 31],
  ['INT32', -(2 ** 31) - 1],
  ['INT32', 0.5],
  ['INT32', 1n],
  ['STRING', 1],
  ['STRING', null],
  ['STRING', 'half a pair \ud800'],
  ['BYTES', 'AP8='],
  ['UNIX_TIMESTAMP', '2026-08-20'],
  ['STRING', ['a']],
  ['STRING', true],
]

test('a null or wrongly typed key value is a fault that names the key, what was found, what is allowed', () => {
  for (const [type, value] of WRONG) {
    const fault = faultOf(() => encodeKey([{ name: 'the_key', type }], [value]))
    expect(fault.code).toBe('invalid_entity')
    expect(fault.where).toBe('the_key')
    expect(fault.message).toContain(`the_key is ${type}, found`)
    expect(fault.allowed).not.toBe('')
  }
  const missing = faultOf(() => encodeKey([{ name: 'the_key', type: 'STRING' }], []))
  expect(missing.message).toContain('found null')
})

test('a key of exactly the largest size is written, and one byte more is refused', () => {
  const text: JoinKey = { name: 'a', type: 'STRING' }
  const int: JoinKey = { name: 'b', type: 'INT64' }
  const small: JoinKey = { name: 'c', type: 'INT32' }
  const bytes: JoinKey = { name: 'd', type: 'BYTES' }
  const largest = KEY_BYTES_MAX - 8
  expect(encodeKey([text], ['x'.repeat(largest)]).length).toBe(KEY_BYTES_MAX)
  expect(encodeKey([text], ['é'.repeat(largest / 2)]).length).toBe(KEY_BYTES_MAX)
  expect(encodeKey([text, int], ['x'.repeat(largest - 16), 1]).length).toBe(KEY_BYTES_MAX)
  expect(encodeKey([text, small], ['x'.repeat(largest - 12), 1]).length).toBe(KEY_BYTES_MAX)
  expect(encodeKey([bytes], [new Uint8Array(largest)]).length).toBe(KEY_BYTES_MAX)
  expect(encodeKey([text, bytes], ['x'.repeat(largest - 8), new Uint8Array(0)]).length).toBe(
    KEY_BYTES_MAX,
  )
  const tooLarge: [JoinKey[], PlainValue[]][] = [
    [[text], ['x'.repeat(largest + 1)]],
    [[text], ['é'.repeat(largest / 2) + 'x']],
    [
      [text, int],
      ['x'.repeat(largest - 15), 1],
    ],
    [
      [text, small],
      ['x'.repeat(largest - 11), 1],
    ],
    [[bytes], [new Uint8Array(largest + 1)]],
    [
      [text, bytes],
      ['x'.repeat(largest - 7), new Uint8Array(0)],
    ],
    [
      [text, { name: 'e', type: 'STRING' }],
      ['x'.repeat(largest - 7), ''],
    ],
  ]
  for (const [keys, values] of tooLarge) {
    expect(faultOf(() => encodeKey(keys, values)).code).toBe('too_large')
  }
})

test('a key that is not of its join keys is a fault, never a wrong value', () => {
  const keys: JoinKey[] = [
    { name: 'a', type: 'INT64' },
    { name: 'b', type: 'STRING' },
  ]
  const key = encodeKey(keys, [7, 'seven'])
  for (let cut = 0; cut < key.length; cut++) {
    expect(faultOf(() => decodeKey(keys, key.subarray(0, cut))).code).toBe('store_damaged')
  }
  expect(faultOf(() => decodeKey(keys, Buffer.concat([key, key]))).code).toBe('store_damaged')
  expect(faultOf(() => decodeKey(keys.toReversed(), key)).code).toBe('store_damaged')
})

test('join keys out of key order are refused at once', () => {
  const keys: JoinKey[] = [
    { name: 'b', type: 'INT64' },
    { name: 'a', type: 'INT64' },
  ]
  expect(() => makeKeyWriter(keys)).toThrow('out of order')
})

test('a key signature names the keys in the order of their UTF-8 bytes', () => {
  expect(keySignature([])).toBe('__dummy_id:STRING')
  const keys: JoinKey[] = [
    { name: '\u{1f600}', type: 'INT32' },
    { name: '\uffee', type: 'STRING' },
    { name: 'a', type: 'BYTES' },
  ]
  expect(keySignature(keys)).toBe('a:BYTES,\uffee:STRING,\u{1f600}:INT32')
})

test('key values from outside become typed ones, or a fault', () => {
  const key = (type: JoinKey['type']): JoinKey => ({ name: 'k', type })
  expect(coerceKey(key('INT64'), '9007199254740993')).toBe(9007199254740993n)
  expect(coerceKey(key('INT32'), '-7')).toBe(-7)
  expect(coerceKey(key('BYTES'), 'AP8=')).toEqual(Uint8Array.of(0, 255))
  expect(coerceKey(key('UNIX_TIMESTAMP'), '2025-09-25T18:07:36Z')).toBe(1758823656)
  expect(coerceKey(key('STRING'), '')).toBe('')
  for (const value of [null, undefined, {}, 1.5]) {
    const fault = faultOf(() => coerceKey(key('INT64'), value))
    expect([fault.code, fault.where]).toEqual(['invalid_entity', 'k'])
  }
})
