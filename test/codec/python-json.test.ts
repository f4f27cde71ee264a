import { describe, expect, test } from 'bun:test'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import { pythonFloatText, writePythonFloat } from '../../src/codec/python-float.ts'
import {
  PythonFloat,
  PythonJsonError,
  PythonParseError,
  parsePythonJson,
  pythonJsonText,
} from '../../src/codec/python-json.ts'
import { asciiJson, pythonQuoted } from '../../src/codec/python-text.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

const written = (value: number): string => {
  const out = new ByteWriter()
  writePythonFloat(out, value)
  return new TextDecoder().decode(out.take())
}

describe("a float has the text of Python's repr", () => {
  test.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-2.5, '-2.5'],
    [0.1, '0.1'],
    [1e-4, '0.0001'],
    [9.9999e-5, '9.9999e-05'],
    [1e-7, '1e-07'],
    [1.5e-10, '1.5e-10'],
    [5e-324, '5e-324'],
    [9999999999999998, '9999999999999998.0'],
    [1e16, '1e+16'],
    [123456789012345680000, '1.2345678901234568e+20'],
    [1e21, '1e+21'],
    [1e300, '1e+300'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [Math.fround(0.1), '0.10000000149011612'],
    [Math.fround(3.4028234663852886e38), '3.4028234663852886e+38'],
  ])('%p', (value, text) => {
    expect(written(value)).toBe(text)
    expect(pythonFloatText(value)).toBe(text)
  })

  test('in replies as in keys, whatever its size', () => {
    const random = new SeededRandom('python floats')
    const makers = [
      () => random.double(),
      () => Math.fround((random.next() - 0.5) * 10 ** (random.below(40) - 20)),
      () => Math.round((random.next() - 0.5) * 10 ** random.below(20)) / 10 ** random.below(7),
    ]
    for (let step = stepsOf(5000); step > 0; step--) {
      const value = random.pick(makers)()
      const text = written(value)
      if (Number.isFinite(value) && text !== pythonFloatText(value)) {
        expect(text).toBe(pythonFloatText(value))
      }
    }
    expect(written(0.1)).toBe('0.1')
  })

  test('what is no number has a text in replies and a word in keys', () => {
    expect([NaN, Infinity, -Infinity].map(written)).toEqual(['"NaN"', '"Infinity"', '"-Infinity"'])
    expect([NaN, Infinity, -Infinity].map(pythonFloatText)).toEqual(['nan', 'inf', '-inf'])
  })

  test('every text reads back as its float, and as no integer', () => {
    const random = new SeededRandom('python floats')
    for (let step = 0; step < stepsOf(2000); step++) {
      const value = random.chance(0.5) ? random.double() : Math.fround(random.double())
      if (!Number.isFinite(value)) continue
      const text = written(value)
      expect(Object.is(Number(text), value)).toBe(true)
      expect(text).toMatch(/^-?\d+(\.\d+|(\.\d+)?e[+-]\d{2,})$/)
      expect(pythonFloatText(value)).toBe(text)
    }
  })
})

describe('JSON is read as Python reads it', () => {
  test('integers are exact and floats stay floats', () => {
    expect(parsePythonJson('[1, 9007199254740993, -9223372036854775808, 5.0, 1e3]')).toEqual([
      1,
      9007199254740993n,
      -9223372036854775808n,
      new PythonFloat(5),
      new PythonFloat(1000),
    ])
  })

  test('what goes in comes out, floats with their point', () => {
    for (const text of [
      '{"a":[1,2.5,5.0,1e+16,-0.0,null,true,"x"],"":{}}',
      '{"__proto__":1.0,"constructor":[]}',
      '"\\u0001 \\" \\\\ é 😀"',
      '[12345678901234567890123]',
    ]) {
      expect(pythonJsonText(parsePythonJson(text))).toBe(text)
    }
  })

  test('NaN and infinities are numbers, also beyond the range of a double', () => {
    expect(parsePythonJson('[NaN, -Infinity, 1e999]')).toEqual([
      new PythonFloat(NaN),
      new PythonFloat(-Infinity),
      new PythonFloat(Infinity),
    ])
  })

  test.each([
    ['{"a": [', 7, 'Expecting value'],
    ['{"a": 1,}', 8, 'Expecting property name enclosed in double quotes'],
    ['{"a" 1}', 5, "Expecting ':' delimiter"],
    ['[1 2]', 3, "Expecting ',' delimiter"],
    ['[1,]', 3, 'Expecting value'],
    ['[01]', 2, "Expecting ',' delimiter"],
    ['1 x', 2, 'Extra data'],
    ['["abc', 1, 'Unterminated string starting at'],
    ['["a\nb"]', 3, 'Invalid control character at'],
    ['["\\q"]', 2, 'Invalid \\escape'],
    ['["\\u12g4"]', 3, 'Invalid \\uXXXX escape'],
    ['["😀", x]', 6, 'Expecting value'],
    ['[-]', 1, 'Expecting value'],
  ])('%p is broken where Python says', (text, position, message) => {
    try {
      parsePythonJson(text)
    } catch (error) {
      if (!(error instanceof PythonJsonError)) throw error
      expect([error.position, error.message]).toEqual([position, message])
      return
    }
    throw new Error('it was read')
  })

  test('nesting has a bound, read and shown', () => {
    const deep = `${'[1.5,'.repeat(100_000)}1${']'.repeat(100_000)}`
    expect(() => parsePythonJson(deep)).toThrow(PythonParseError)
    const plain = `${'['.repeat(1000)}${']'.repeat(1000)}`
    expect(() => pythonJsonText(parsePythonJson(plain))).toThrow(PythonParseError)
  })
})

describe("text is quoted as Python's repr and json.dumps quote it", () => {
  test.each([
    ['abc', "'abc'"],
    ["it's", '"it\'s"'],
    ['it\'s "x"', "'it\\'s \"x\"'"],
    ['a\n\t\\', "'a\\n\\t\\\\'"],
    ['\u0000\u007f\u00ad\u3000', "'\\x00\\x7f\\xad\\u3000'"],
    ['é 😀', "'é 😀'"],
  ])('%p', (text, quoted) => {
    expect(pythonQuoted(text)).toBe(quoted)
  })

  test('in ASCII', () => {
    expect(asciiJson('é"\n\u007f😀')).toBe('"\\u00e9\\"\\n\\u007f\\ud83d\\ude00"')
  })
})
