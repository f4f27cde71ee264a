import { describe, expect, test } from 'bun:test'
import { convertColumn, parsePythonInt } from '../../src/codec/feast-convert.ts'
import { PythonFloat } from '../../src/codec/python-json.ts'
import { FeastFault } from '../../src/query/feast-fault.ts'

const refusal = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    if (error instanceof FeastFault) return error.message
    throw error
  }
  throw new Error('no refusal')
}

describe('a text is an integer where Python says so', () => {
  test.each([
    ['1001', 1001],
    [' +7\n', 7],
    ['-0', 0],
    ['1_0_0', 100],
    ['007', 7],
    ['١٢٣', 123],
    ['１２', 12],
    ['𝟙𝟚', 12],
    ['9223372036854775808', 9223372036854775808n],
  ])('%p', (text, integer) => {
    expect(parsePythonInt(text)).toBe(integer)
  })

  test.each(['', ' ', '1.0', '1e3', '0x1', '1__0', '_1', '1_', '+ 1', '²', "it's"])(
    'not %p',
    (text) => {
      const quoted = text.includes("'") ? `"${text}"` : `'${text}'`
      expect(refusal(() => parsePythonInt(text))).toBe(
        `invalid literal for int() with base 10: ${quoted}`,
      )
    },
  )

  test('not an endless one', () => {
    expect(refusal(() => parsePythonInt('1'.repeat(5000)))).toContain('Exceeds the limit (4300')
  })
})

describe('a column takes the type of its key', () => {
  test('integers cost no copy', () => {
    const values = [1, -1, 2 ** 53 - 1]
    expect(convertColumn(values, 'INT64')).toBe(values)
  })

  test('floats are cut off, booleans count, texts are read', () => {
    const values = [new PythonFloat(1001.9), new PythonFloat(-1.9), true, '12', null, [1]]
    expect(convertColumn(values, 'INT32')).toEqual([1001, -1, 1, 12, null, null])
  })

  test('nothing leaves the range of its type', () => {
    expect(refusal(() => convertColumn([2 ** 31], 'INT32'))).toBe('Value out of range: 2147483648')
    expect(refusal(() => convertColumn([new PythonFloat(1e300)], 'INT64'))).toMatch(/^Value out/)
    expect(convertColumn([-(2n ** 63n)], 'UNIX_TIMESTAMP')).toEqual([-(2n ** 63n)])
    expect(refusal(() => convertColumn([new PythonFloat(NaN)], 'INT64'))).toContain('float NaN')
    expect(refusal(() => convertColumn([new PythonFloat(Infinity)], 'INT64'))).toContain('infinity')
  })

  test('numbers and booleans become text as str() writes them', () => {
    const values = [5, 2n ** 60n, new PythonFloat(5), new PythonFloat(1e-7), true, false, 'x', {}]
    expect(convertColumn(values, 'STRING')).toEqual([
      '5',
      '1152921504606846976',
      '5.0',
      '1e-07',
      'True',
      'False',
      'x',
      null,
    ])
  })
})
