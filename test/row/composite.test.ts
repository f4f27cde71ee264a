import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { NESTING_MAX } from '../../src/base/limits.ts'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import {
  decodeMessage,
  decodePlain,
  decodeValue,
  encodeMessage,
  encodeValue,
  untyped,
} from '../../src/row/composite.ts'
import { coerceValue } from '../../src/row/value.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { VALUE_VECTORS } from './feast-vectors.ts'
import { asStored, featureOf, randomValue } from './random-value.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

for (const { hex, type, plain, isCanonical } of VALUE_VECTORS) {
  test(`Feast's Value ${hex || '(empty)'} is read, and written to the same bytes`, () => {
    const value = decodeValue(fromHex(hex))
    expect(value.type).toBe(type)
    if (value.type === 'NULL') {
      expect(value.value).toBeNull()
      if (isCanonical) expect(encodeValue(valueType('STRING'), null)).toEqual(new Uint8Array(0))
      return
    }
    const known = valueType(value.type)
    expect(untyped(known, value.value)).toEqual(plain)
    expect(hexOf(encodeValue(known, value.value))).toBe(hex)
  })
}

test('a message is what stands inside the Value, behind tag and length', () => {
  const random = new SeededRandom('messages inside values')
  for (const type of VALUE_TYPES.filter(({ heapForm }) => heapForm === 'message')) {
    for (let step = 0; step < stepsOf(50); step++) {
      const plain = randomValue(random, type)
      const message = encodeMessage(type, plain)
      const whole = hexOf(encodeValue(type, plain))
      expect(whole.endsWith(hexOf(message))).toBe(true)
      expect(decodeValue(fromHex(whole)).value).toEqual(decodeMessage(type, message))
    }
  }
})

test('every value comes back from a Value with its inner types', () => {
  const random = new SeededRandom('values round trip')
  for (const type of VALUE_TYPES) {
    for (let step = 0; step < stepsOf(50); step++) {
      const plain = randomValue(random, type)
      const bytes = encodeValue(type, plain)
      const back = decodeValue(bytes)
      expect(back.type).toBe(type.name)
      expect(encodeValue(type, back.value)).toEqual(bytes)
      if (type.name !== 'VALUE_SET' && !Bun.inspect(plain, { depth: 20 }).includes('VALUE_SET')) {
        expect(back.value).toEqual(asStored(type, plain))
      }
    }
  }
})

test('a map keeps an integer and a fraction apart', () => {
  const map = coerceValue(featureOf('MAP'), { whole: 1, part: 1.5, none: null, many: [1, 2] })
  expect(decodeMessage(valueType('MAP'), encodeMessage(valueType('MAP'), map))).toEqual({
    many: { type: 'INT64_LIST', value: [1, 2] },
    none: { type: 'NULL', value: null },
    part: { type: 'DOUBLE', value: 1.5 },
    whole: { type: 'INT64', value: 1 },
  })
})

test('maps are written in the order of the UTF-8 bytes of their keys, whatever order they had', () => {
  const feature = featureOf('MAP')
  const one = coerceValue(feature, { '\u{1f600}': 1, '\uffee': 2, b: 3, a: 4, 10: 5, 9: 6 })
  const other = coerceValue(feature, { 9: 6, 10: 5, a: 4, b: 3, '\uffee': 2, '\u{1f600}': 1 })
  const bytes = encodeMessage(feature.type, one)
  expect(encodeMessage(feature.type, other)).toEqual(bytes)
  const keys = [...hexOf(bytes).matchAll(/0a(?:01|02|03|04)((?:..)+?)120220/g)].map(([, hex]) =>
    Buffer.from(hex!, 'hex').toString(),
  )
  expect(keys).toEqual(['10', '9', 'a', 'b', '\uffee', '\u{1f600}'])
})

test('a key named __proto__ is a key', () => {
  const map = coerceValue(featureOf('MAP'), JSON.parse('{"__proto__":{"__proto__":1}}'))
  const plain = decodePlain(valueType('MAP'), encodeMessage(valueType('MAP'), map))
  expect(JSON.stringify(plain)).toBe('{"__proto__":{"__proto__":1}}')
})

test('messages of other writers are read: fields in any order, unpacked, unknown ones passed over', () => {
  const list = (hex: string) => decodeMessage(valueType('INT64_LIST'), fromHex(hex))
  expect(list('0801' + '08ac02' + '0a0303ff01')).toEqual([1, 300, 3, 255])
  expect(list('1201ff' + '0a0101' + '1d00000000' + '190000000000000000' + '2005')).toEqual([1])
  const map = decodePlain(valueType('MAP'), fromHex('0a07' + '12022001' + '0a016b' + '0a00'))
  expect(map).toEqual({ k: 1, '': null })
  const zoned = decodeMessage(valueType('ZONED_TIMESTAMP'), fromHex('1203555443' + '0805'))
  expect(zoned).toEqual({ seconds: 5, zone: 'UTC' })
  expect(decodeValue(fromHex('2005' + '120161')).value).toBe('a')
})

test('bytes that are no message are a coded fault', () => {
  const broken = [
    '0a',
    '0a05',
    '0aff',
    '08',
    'ffffffffffffffffffffff01',
    '0b',
    '00',
    '0d0000',
    '0f',
  ]
  for (const hex of broken) {
    for (const type of ['MAP', 'INT64_LIST', 'STRING_LIST', 'VALUE_LIST'] as const) {
      expect(() => decodeMessage(valueType(type), fromHex(hex))).toThrow(Fault)
    }
    expect(() => decodeValue(fromHex(`d202${hex.length === 2 ? '01' : '7f'}${hex}`))).toThrow(Fault)
  }
})

test('nesting is bounded on the way in and on the way out', () => {
  let deepest: unknown = 1
  for (let depth = 0; depth < NESTING_MAX; depth++) deepest = { a: deepest }
  const type = valueType('MAP')
  const bytes = encodeMessage(type, coerceValue(featureOf('MAP'), deepest))
  expect(encodeMessage(type, decodeMessage(type, bytes))).toEqual(bytes)
  expect(() => coerceValue(featureOf('MAP'), { a: deepest })).toThrow(Fault)

  let endless = new Uint8Array(0)
  for (let depth = 0; depth < 1000; depth++) {
    endless = Uint8Array.from(encodeMessage(valueType('BYTES_LIST'), [endless]))
    endless = Uint8Array.of(0xd2, 0x02, ...lengthOf(endless), ...endless)
  }
  expect(() => decodeValue(endless)).toThrow('nested')
})

const lengthOf = (bytes: Uint8Array): number[] =>
  bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]

test('a long message keeps the lengths of all its parts', () => {
  for (const length of [126, 127, 128, 16_382, 16_383, 16_384, 300_000]) {
    const map = coerceValue(featureOf('MAP'), {
      long: 'x'.repeat(length),
      more: [{ a: 'y'.repeat(200) }],
    })
    const bytes = encodeMessage(valueType('MAP'), map)
    expect(decodeMessage(valueType('MAP'), bytes)).toEqual(map)
  }
})

test('a zoned timestamp is shown in its zone', () => {
  const show = (seconds: number | bigint, zone: string) =>
    untyped(valueType('ZONED_TIMESTAMP'), { seconds, zone })
  expect(show(1755770400, 'Europe/Berlin')).toBe('2025-08-21T12:00:00+02:00')
  expect(show(1755770400, 'UTC')).toBe('2025-08-21T10:00:00+00:00')
  expect(show(1755770400, '+05:30')).toBe('2025-08-21T15:30:00+05:30')
  expect(show(1755770400, 'No/Such')).toBe('2025-08-21T10:00:00+00:00')
  expect(show(-1, 'America/St_Johns')).toBe('1969-12-31T20:29:59-03:30')
  expect(show(-3_000_000_000, 'Europe/Paris')).toBe('1874-12-07T18:49:21+00:09:21')
  expect(show(-(2n ** 63n), 'UTC')).toBeNull()
  expect(show(2 ** 50, 'UTC')).toBeNull()
})
