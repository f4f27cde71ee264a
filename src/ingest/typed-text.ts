/** Text without a type (a CSV cell, a part of a path), made what JSON would have held for its feature. */
import { parseJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import type { ValueType, ValueTypeName } from '../catalog/value-type.ts'

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
/** As Python, Java and pandas write them. */
const FLOAT_WORDS: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
])
const BOOL_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])
/** An integer that was written as a fraction, by pandas or from a decimal column. */
const WHOLE = /^([+-]?\d{1,20})\.0*$/

/** What is not understood stays text: the check of the feature's type refuses it by its own words. */
export function typedText(
  type: ValueType | { readonly name: ValueTypeName },
  text: string,
): unknown {
  switch (type.name) {
    case 'INT32':
    case 'INT64':
    case 'UNIX_TIMESTAMP':
      return WHOLE.exec(text)?.[1] ?? text
    case 'FLOAT':
    case 'DOUBLE':
      return NUMBER.test(text) ? Number(text) : (FLOAT_WORDS.get(text.toLowerCase()) ?? text)
    case 'BOOL':
      return BOOL_WORDS.get(text.toLowerCase()) ?? text
    default:
      return 'shape' in type && type.shape !== 'scalar' ? parsedOr(text) : text
  }
}

/** Lists and maps stand in a cell as JSON. */
function parsedOr(text: string): unknown {
  try {
    return parseJson(text)
  } catch (fault) {
    if (fault instanceof Fault) return text
    throw fault
  }
}
