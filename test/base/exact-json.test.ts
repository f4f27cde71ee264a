import { expect, test } from 'bun:test'
import { canonicalJson, parseJson } from '../../src/base/exact-json.ts'
import { Fault } from '../../src/base/fault.ts'
import { NESTING_MAX } from '../../src/base/limits.ts'
import { SeededRandom, stepsOf } from './seeded-random.ts'

function faultOf(text: string): Fault {
  try {
    parseJson(text)
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
  throw new Error(`no fault for ${text}`)
}

test('an integer beyond 2^53 keeps every digit', () => {
  expect(
    parseJson('[9007199254740991,9007199254740992,9007199254740993,-9007199254740993]'),
  ).toEqual([9007199254740991, 9007199254740992n, 9007199254740993n, -9007199254740993n])
  expect(parseJson('{"id":-9223372036854775808,"n":1e3,"d":1234567890123456.5}')).toEqual({
    id: -9223372036854775808n,
    n: 1000,
    d: 1234567890123456.5,
  })
  expect(parseJson(`1${'0'.repeat(390)}`)).toBe(10n ** 390n)
  expect(parseJson('0000000000000001'.slice(15))).toBe(1)
})

test('a text that looks like a long number stays a text', () => {
  const text = '{"a":"12345678901234567890","b\\"1234567890123456":"\\u00e9\\n\\/😀"}'
  expect(parseJson(text)).toEqual(JSON.parse(text))
})

test('the last of equal names wins, and __proto__ is a name', () => {
  for (const digits of ['1', '12345678901234567']) {
    const parsed = parseJson(`{"a":1,"__proto__":{"b":${digits}},"a":2}`)
    expect(Object.entries(parsed as object)).toEqual([
      ['a', 2],
      ['__proto__', { b: digits === '1' ? 1 : 12345678901234567n }],
    ])
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  }
})

test('a fault names line, column and byte, and what could have stood there', () => {
  const places: [string, string, string][] = [
    ['', 'line 1, column 1 (byte 0)', 'a JSON value'],
    ['{"a":1,}', 'line 1, column 8 (byte 7)', 'a name in double quotes'],
    ['[1,2', 'line 1, column 5 (byte 4)', '"," or "]"'],
    ['{"é":\n 01}', 'line 2, column 3 (byte 9)', '"," or "}"'],
    ['[1] x', 'line 1, column 5 (byte 4)', 'the end'],
    ['{a:1}', 'line 1, column 2 (byte 1)', 'a name in double quotes'],
    ['{"a" 1}', 'line 1, column 6 (byte 5)', '":"'],
    ['"a\u0001"', 'line 1, column 3 (byte 2)', 'an escape in place of a control character'],
    ['"\\u12x4"', 'line 1, column 3 (byte 2)', 'four hex digits after \\u'],
    ['"open', 'line 1, column 6 (byte 5)', 'a closing quote'],
    ['[tru]', 'line 1, column 2 (byte 1)', 'a JSON value'],
    ['NaN', 'line 1, column 1 (byte 0)', 'a JSON value'],
    ['\u00a01', 'line 1, column 1 (byte 0)', 'a JSON value'],
  ]
  for (const [text, where, allowed] of places) {
    const fault = faultOf(text)
    expect([fault.code, fault.where, fault.allowed]).toEqual(['malformed', where, allowed])
  }
})

test('nesting is bounded, and neither depth nor digits can bring it down', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  expect(parseJson(nested(NESTING_MAX))).toEqual(JSON.parse(nested(NESTING_MAX)))
  expect(faultOf(nested(NESTING_MAX + 1)).message).toContain('too deep')
  expect(faultOf('{"a":'.repeat(100_000)).message).toContain('too deep')
  expect(faultOf('['.repeat(1_000_000)).message).toContain('too deep')
  expect(faultOf('1'.repeat(1_000_000)).message).toContain('too long')
  const flat = `[${'[{}],'.repeat(10_000)}0]`
  expect(parseJson(flat)).toEqual(JSON.parse(flat))
})

test('what has no long digits is exactly what JSON.parse gives, and faults where it does', () => {
  const random = new SeededRandom('exact json')
  const parts = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"a"',
    '1',
    '-',
    '.5',
    'e9',
    'true',
    'null',
    ' ',
    '0',
  ]
  for (let step = 0; step < stepsOf(5000); step++) {
    const text = random.list(8, () => random.pick(parts)).join('')
    let expected: unknown
    try {
      expected = JSON.parse(text)
    } catch {
      expect(faultOf(text).code).toBe('malformed')
      continue
    }
    expect(parseJson(text)).toEqual(expected)
  }
})

/** A whole number past 2^53 comes back as a bigint, on purpose: that is held elsewhere. */
const inexactAsHalf = (value: number): number =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? 0.5 : value

test('random values survive the slow reader', () => {
  const random = new SeededRandom('slow json')
  const make = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 5 : 7)
    if (kind === 0) return random.text(10)
    if (kind === 1) return inexactAsHalf(random.double()) + 0 || 0
    if (kind === 2) return random.chance(0.5)
    if (kind === 3) return null
    if (kind === 4) return random.below(1e9)
    if (kind === 5) return random.list(4, () => make(depth + 1))
    return Object.fromEntries(random.list(4, () => [random.text(5), make(depth + 1)]))
  }
  for (let step = 0; step < stepsOf(300); step++) {
    const value = JSON.parse(JSON.stringify(make(0))) as unknown
    const text = JSON.stringify([value, 1], undefined, random.below(3)).replace(
      /1(\s*\])$/,
      '12345678901234567$1',
    )
    expect(parseJson(text)).toEqual([value, 12345678901234567n])
  }
})

test('canonical JSON is the same text for equal values', () => {
  expect(canonicalJson({ b: 1, a: [true, null, 'x"'], '\u{1f600}': 1, '\uffee': 2n ** 60n })).toBe(
    '{"a":[true,null,"x\\""],"b":1,"\uffee":1152921504606846976,"\u{1f600}":1}',
  )
  expect(canonicalJson({ a: undefined, b: 1.5 })).toBe('{"b":1.5}')
  for (const value of [NaN, [Infinity], { a: Uint8Array.of(1) }]) {
    expect(() => canonicalJson(value)).toThrow(Fault)
  }
  let endless: unknown[] = []
  for (let depth = 0; depth < 100_000; depth++) endless = [endless]
  expect(() => canonicalJson(endless)).toThrow('too deep')
})
