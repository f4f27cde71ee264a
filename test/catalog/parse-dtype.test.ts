/** Every type has a spelling of Feast's, and each spelling names one type. */
import { expect, test } from 'bun:test'
import { dtypeText, parseDtype } from '../../src/catalog/parse-dtype.ts'
import { parseNestedShape } from '../../src/row/nested-shape.ts'
import { VALUE_TYPES } from '../../src/catalog/value-type.ts'

const NESTED = new Set<string>(['VALUE_LIST', 'VALUE_SET'])

test('every type that is not nested is read back from its own spelling and from its enum name', () => {
  for (const type of VALUE_TYPES.filter(({ name }) => !NESTED.has(name))) {
    const dtype = { type, nestedType: '' }
    expect(parseDtype(dtypeText(dtype))).toEqual(dtype)
    expect(parseDtype(type.name)).toEqual(dtype)
    expect(parseDtype(type.name.toLowerCase())).toEqual(dtype)
  }
})

test("Feast's names are those of its Python types", () => {
  const spellings = [
    ['Float32', 'FLOAT'],
    ['FLOAT64', 'DOUBLE'],
    ['UnixTimestamp', 'UNIX_TIMESTAMP'],
    ['Array(UnixTimestamp)', 'UNIX_TIMESTAMP_LIST'],
    ['array( float32 )', 'FLOAT_LIST'],
    ['Set(Uuid)', 'UUID_SET'],
    ['Array(Map)', 'MAP_LIST'],
    ['Array(Struct)', 'STRUCT_LIST'],
    ['Array(Json)', 'JSON_LIST'],
    ['TimeUuid', 'TIME_UUID'],
    ['ZonedTimestamp', 'ZONED_TIMESTAMP'],
    ['ImageBytes', 'BYTES'],
  ] as const
  for (const [text, name] of spellings) {
    expect<string | undefined>(parseDtype(text)?.type.name).toBe(name)
  }
})

test('a nested list keeps the text by which Feast knows its elements', () => {
  const nested = [
    ['Array(Array(Int64))', 'VALUE_LIST', 'Array(Array(INT64))'],
    ['array(set(float32))', 'VALUE_LIST', 'Array(Set(FLOAT32))'],
    ['Set(Array(Float64))', 'VALUE_SET', 'Set(Array(FLOAT64))'],
    ['Array(Array(Array(String)))', 'VALUE_LIST', 'Array(Array(Array(STRING)))'],
    ['Array(Array(UnixTimestamp))', 'VALUE_LIST', 'Array(Array(UNIX_TIMESTAMP))'],
    ['Array(FLOAT_LIST)', 'VALUE_LIST', 'Array(Array(FLOAT32))'],
  ] as const
  for (const [text, name, nestedType] of nested) {
    const dtype = parseDtype(text)
    expect<string | undefined>(dtype?.type.name).toBe(name)
    expect(dtype?.nestedType).toBe(nestedType)
    expect(parseNestedShape(nestedType)).toBeDefined()
    if (dtype !== undefined) expect(parseDtype(dtypeText(dtype))).toEqual(dtype)
  }
})

test('what is no type, or one that can not be stored, is none', () => {
  const texts = [
    '',
    'Int',
    'Array',
    'Array()',
    'Array(Int64',
    'Array(Nope)',
    'Set(Map)',
    'Set(Json)',
    'Array(ZonedTimestamp)',
    'ScalarMap',
    'VALUE_LIST',
    'Null',
    'constructor',
    `${'Array('.repeat(100_000)}Int64${')'.repeat(100_000)}`,
  ]
  for (const text of texts) expect(parseDtype(text)).toBeUndefined()
})
