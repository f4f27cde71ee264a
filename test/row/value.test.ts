import { expect, test } from 'bun:test'
import { parseJson } from '../../src/base/exact-json.ts'
import { Fault } from '../../src/base/fault.ts'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import { decodePlain, encodeMessage, untyped } from '../../src/row/composite.ts'
import { parseNestedShape } from '../../src/row/nested-shape.ts'
import { coerceValue } from '../../src/row/value.ts'
import { featureOf } from './random-value.ts'

const coerce = (name: ValueTypeName, value: unknown, nestedType = ''): PlainValue =>
  coerceValue(featureOf(name, nestedType), value)

const UUID = '6BA7B810-9DAD-11D1-80B4-00C04FD430C8'

const ACCEPTED: readonly [ValueTypeName, unknown, PlainValue][] = [
  ['INT32', 7, 7],
  ['INT32', -2147483648, -2147483648],
  ['INT32', '2147483647', 2147483647],
  ['INT32', 2.0, 2],
  ['INT32', 5n, 5],
  ['INT64', 9007199254740991, 9007199254740991],
  ['INT64', 9007199254740993n, 9007199254740993n],
  ['INT64', '9007199254740993', 9007199254740993n],
  ['INT64', '-9223372036854775808', -(2n ** 63n)],
  ['INT64', '+5', 5],
  ['INT64', 12n, 12],
  ['INT64', -0, 0],
  ['DOUBLE', 1, 1],
  ['DOUBLE', 1e300, 1e300],
  ['DOUBLE', 'NaN', null],
  ['DOUBLE', NaN, null],
  ['DOUBLE', '-Infinity', -Infinity],
  ['DOUBLE', 12345678901234567890n, 12345678901234567000],
  ['FLOAT', 0.1, 0.10000000149011612],
  ['FLOAT', 1e300, Infinity],
  ['FLOAT', 'Infinity', Infinity],
  ['FLOAT', -0, -0],
  ['BOOL', true, true],
  ['BOOL', false, false],
  ['STRING', '', ''],
  ['STRING', '用户 😀', '用户 😀'],
  ['BYTES', 'AP8=', Uint8Array.of(0, 255)],
  ['BYTES', '', new Uint8Array(0)],
  ['BYTES', Uint8Array.of(1), Uint8Array.of(1)],
  ['UNIX_TIMESTAMP', 1755770400, 1755770400],
  ['UNIX_TIMESTAMP', '1755770400', 1755770400],
  ['UNIX_TIMESTAMP', '2025-08-21T10:00:00.999Z', 1755770400],
  ['UNIX_TIMESTAMP', '1969-12-31 23:59:59.5', -1],
  ['JSON', '{"b":1, "a":[]}', '{"b":1, "a":[]}'],
  ['JSON', '"text"', '"text"'],
  ['JSON', { b: 1, a: [null, true, 'x'] }, '{"a":[null,true,"x"],"b":1}'],
  ['JSON', 9007199254740993n, '9007199254740993'],
  ['JSON', false, 'false'],
  ['UUID', UUID, UUID.toLowerCase()],
  ['TIME_UUID', UUID, UUID.toLowerCase()],
  ['DECIMAL', '12.50', '12.50'],
  ['DECIMAL', '-1E+2', '-1E+2'],
  ['DECIMAL', '.5', '.5'],
  ['DECIMAL', 12.5, '12.5'],
  ['DECIMAL', 10n ** 30n, '1' + '0'.repeat(30)],
  ['ZONED_TIMESTAMP', '2025-08-21T03:00:00-07:00', { seconds: 1755770400, zone: '-07:00' }],
  ['ZONED_TIMESTAMP', '2025-08-21T10:00:00Z', { seconds: 1755770400, zone: 'UTC' }],
  ['ZONED_TIMESTAMP', '2025-08-21 12:00+0200', { seconds: 1755770400, zone: '+02:00' }],
  [
    'ZONED_TIMESTAMP',
    '2025-08-21T03:00:00-07:00[America/Los_Angeles]',
    { seconds: 1755770400, zone: 'America/Los_Angeles' },
  ],
  ['ZONED_TIMESTAMP', { seconds: '5', zone: 'UTC' }, { seconds: 5, zone: 'UTC' }],
  ['FLOAT_LIST', [1, null, 'NaN', 0.1], [1, NaN, NaN, 0.10000000149011612]],
  ['DOUBLE_LIST', [], []],
  ['INT64_LIST', ['9007199254740993', 1], [9007199254740993n, 1]],
  ['STRING_SET', ['b', 'a', 'b'], ['b', 'a', 'b']],
  ['BYTES_LIST', ['YQ=='], [Uint8Array.of(0x61)]],
  ['UNIX_TIMESTAMP_LIST', ['1970-01-01', 5], [0, 5]],
  ['JSON_LIST', ['1', { a: 1 }], ['1', '{"a":1}']],
  ['UUID_SET', [UUID], [UUID.toLowerCase()]],
  ['DECIMAL_LIST', ['1.10', 2], ['1.10', '2']],
]

test('what JSON and msgpack bring becomes the plain form of its type', () => {
  for (const [name, value, expected] of ACCEPTED)
    expect([name, coerce(name, value)]).toEqual([name, expected])
  for (const name of ['INT32', 'MAP', 'STRING_LIST', 'VALUE_SET'] as const) {
    expect(coerce(name, null)).toBeNull()
    expect(coerce(name, undefined)).toBeNull()
  }
})

const REFUSED: readonly [ValueTypeName, unknown, where?: string][] = [
  ['INT32', 2147483648],
  ['INT32', 2.5],
  ['INT32', true],
  ['INT32', ''],
  ['INT64', 2 ** 53],
  ['INT64', 2n ** 63n],
  ['INT64', '9223372036854775808'],
  ['INT64', '1e3'],
  ['INT64', ' 1'],
  ['INT64', '9'.repeat(100_000)],
  ['INT64', NaN],
  ['DOUBLE', '1.5'],
  ['DOUBLE', 'nan'],
  ['DOUBLE', true],
  ['DOUBLE', 'constructor'],
  ['FLOAT', {}],
  ['BOOL', 1],
  ['BOOL', 'true'],
  ['STRING', 5],
  ['STRING', ['a']],
  ['STRING', '\udc00'],
  ['BYTES', 'AP8'],
  ['BYTES', '!'],
  ['BYTES', [1, 2]],
  ['UNIX_TIMESTAMP', '2025-13-01'],
  ['UNIX_TIMESTAMP', 1.5],
  ['JSON', '{"a":1'],
  ['JSON', 'text'],
  ['JSON', ''],
  ['JSON', Uint8Array.of(1)],
  ['JSON', [NaN]],
  ['UUID', 'not-a-uuid'],
  ['UUID', UUID + '0'],
  ['DECIMAL', '1,5'],
  ['DECIMAL', 'NaN'],
  ['DECIMAL', Infinity],
  ['ZONED_TIMESTAMP', '2025-08-21T03:00:00'],
  ['ZONED_TIMESTAMP', { seconds: 1 }],
  ['ZONED_TIMESTAMP', 5],
  ['FLOAT_LIST', 1],
  ['FLOAT_LIST', [1, 'x'], 'a_float_list[1]'],
  ['FLOAT_SET', [null], 'a_float_set[0]'],
  ['INT64_LIST', [1, null], 'a_int64_list[1]'],
  ['STRING_LIST', 'abc'],
  ['STRING_LIST', ['a', undefined], 'a_string_list[1]'],
  ['MAP', []],
  ['MAP', 'x'],
  ['MAP', Uint8Array.of(1)],
  ['MAP', { a: { b: () => 0 } }, 'a_map["a"]["b"]'],
  ['MAP', { a: [1, 2n ** 64n] }, 'a_map["a"][1]'],
  ['MAP', { '\ud800': 1 }],
  ['MAP_LIST', [{}, 5], 'a_map_list[1]'],
  ['STRUCT', 1],
  ['VALUE_LIST', {}],
  ['VALUE_LIST', [['\udc00']], 'a_value_list[0][0]'],
]

test('a value that does not fit is a fault that names the feature, what was found, what is allowed', () => {
  for (const [name, value, where] of REFUSED) {
    try {
      coerce(name, value)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      expect(fault.code).toBe('invalid_row')
      expect(fault.message).toContain(`feature a_${name.toLowerCase()} is ${name}, found `)
      expect(fault.message.length).toBeLessThan(200)
      expect(fault.where).toBe(where ?? `a_${name.toLowerCase()}`)
      expect(fault.allowed).toBeTruthy()
      continue
    }
    throw new Error(`${name} took ${Bun.inspect(value)}`)
  }
})

test('what lies in a map is taken for what it looks like', () => {
  const map = coerce(
    'MAP',
    parseJson('{"i":1,"n":9007199254740993,"d":1.5,"s":"x","b":true,"z":null}'),
  )
  expect(map).toEqual({
    i: { type: 'INT64', value: 1 },
    n: { type: 'INT64', value: 9007199254740993n },
    d: { type: 'DOUBLE', value: 1.5 },
    s: { type: 'STRING', value: 'x' },
    b: { type: 'BOOL', value: true },
    z: { type: 'NULL', value: null },
  })
  expect(coerce('STRUCT', { huge: 1e300, minus: -0, nan: NaN, raw: Uint8Array.of(1) })).toEqual({
    huge: { type: 'DOUBLE', value: 1e300 },
    minus: { type: 'DOUBLE', value: -0 },
    nan: { type: 'NULL', value: null },
    raw: { type: 'BYTES', value: Uint8Array.of(1) },
  })
})

test('a list in a map has the type of its elements, or is a nested list', () => {
  const typeOf = (value: unknown): string => {
    const map = coerce('MAP', { v: value }) as { v: { type: string } }
    return map.v.type
  }
  expect(typeOf([1, 2n])).toBe('INT64_LIST')
  expect(typeOf([1, 2.5])).toBe('DOUBLE_LIST')
  expect(typeOf([2n ** 60n, 2.5])).toBe('VALUE_LIST')
  expect(typeOf(['a'])).toBe('STRING_LIST')
  expect(typeOf([true])).toBe('BOOL_LIST')
  expect(typeOf([{}, { a: 1 }])).toBe('MAP_LIST')
  expect(typeOf([[1]])).toBe('VALUE_LIST')
  expect(typeOf([1, 'a'])).toBe('VALUE_LIST')
  expect(typeOf([1, null])).toBe('VALUE_LIST')
  expect(typeOf([])).toBe('VALUE_LIST')
  expect(typeOf({})).toBe('MAP')
})

test('a nested list follows its declared inner type, else what it looks like', () => {
  const declared = coerce('VALUE_LIST', [[1, 2], [], null, ['3']], 'Array(Array(INT64))')
  expect(declared).toEqual([
    { type: 'INT64_LIST', value: [1, 2] },
    { type: 'INT64_LIST', value: [] },
    { type: 'NULL', value: null },
    { type: 'INT64_LIST', value: [3] },
  ])
  expect(coerce('VALUE_LIST', [[[1]]], 'Array(Array(Array(FLOAT32)))')).toEqual([
    { type: 'VALUE_LIST', value: [{ type: 'FLOAT_LIST', value: [1] }] },
  ])
  expect(coerce('VALUE_SET', [['a']], 'Set(Set(STRING))')).toEqual([
    { type: 'STRING_SET', value: ['a'] },
  ])
  expect(coerce('VALUE_LIST', [[1, 2.5], 'x'])).toEqual([
    { type: 'DOUBLE_LIST', value: [1, 2.5] },
    { type: 'STRING', value: 'x' },
  ])
  expect(() => coerce('VALUE_LIST', [[1.5]], 'Array(Array(INT64))')).toThrow(Fault)
  expect(coerce('VALUE_LIST', [[1.5]], 'Array(Array(NOPE))')).toEqual([
    { type: 'DOUBLE_LIST', value: [1.5] },
  ])
})

test('nested type names of Feast are understood', () => {
  expect(parseNestedShape('Array(Array(INT64))')?.element?.type.name).toBe('INT64_LIST')
  expect(parseNestedShape(' array( set(Float64) ) ')?.element?.type.name).toBe('DOUBLE_SET')
  expect(parseNestedShape('Array(Array(Map))')?.element?.type.name).toBe('MAP_LIST')
  expect(parseNestedShape('Array(INT64)')?.type.name).toBe('INT64_LIST')
  for (const text of ['', 'Array(', 'Array()', 'List(INT64)', 'Array(Array(X))']) {
    expect(parseNestedShape(text)).toBeUndefined()
  }
})

test('a map from outside comes back as the same JSON', () => {
  const { type } = featureOf('MAP')
  const text = '{"a":1,"b":"two","c":null,"d":[1,2],"e":{"f":1.5,"g":[{"h":[[1],["x",null]]}]}}'
  const map = coerce('MAP', parseJson(text))
  expect(JSON.stringify(decodePlain(type, encodeMessage(type, map)))).toBe(text)
  expect(JSON.stringify(untyped(type, map))).toBe(text)
})
