/** Items and replies read the plain way, by JSON.parse and src/row: what the scanners are compared with. */
import { Fault } from '../../../src/base/fault.ts'
import type { PlainValue } from '../../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../../src/catalog/value-type.ts'
import { decodeValue } from '../../../src/row/composite.ts'
import type { Layout } from '../../../src/row/layout.ts'
import { NULL, PRESENT } from '../../../src/row/layout.ts'
import { RowWriter } from '../../../src/row/row-writer.ts'
import { parseEventText } from '../../../src/store/dynamodb/event-text.ts'

type Attribute = { readonly [type: string]: unknown }
export type ItemJson = { readonly [attribute: string]: Attribute }

export type ReferenceRow = {
  readonly id: unknown
  readonly timeUs: number
  readonly row: Uint8Array
}

const WIDENED: { readonly [from in ValueTypeName]?: ValueTypeName } = {
  INT32: 'INT64',
  FLOAT: 'DOUBLE',
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export class NotWellFormed extends Error {}

const own = (json: unknown, name: string): unknown =>
  isObject(json) && Object.hasOwn(json, name) ? json[name] : undefined

export const isObject = (json: unknown): json is { readonly [name: string]: unknown } =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** The value of an attribute of that type; undefined for one of another. */
function valueOf(attribute: unknown, type: string): unknown {
  if (!isObject(attribute) || Object.keys(attribute)[0] !== type) return undefined
  const value = attribute[type]
  if (type === 'M' ? !isObject(value) : typeof value !== 'string') return undefined
  if (Object.keys(attribute).length > 1) throw new NotWellFormed('an attribute of two types')
  return value
}

export function referenceRow(layout: Layout, item: unknown): ReferenceRow {
  if (!isObject(item)) throw new NotWellFormed('no item')
  const text = valueOf(own(item, 'event_ts'), 'S')
  const bytes = new TextEncoder().encode(typeof text === 'string' ? text : '')
  const timeUs = parseEventText(bytes, 0, bytes.length)
  const values = valueOf(own(item, 'values'), 'M')
  const writer = new RowWriter(layout)
  writer.begin(Number.isNaN(timeUs) ? 0 : timeUs)
  const ofNaN: number[] = []
  layout.features.forEach(({ name, type }, position) => {
    const binary = valueOf(own(values, name), 'B')
    if (typeof binary !== 'string') return
    const value = place(writer, position, type.name, binary)
    if (Number.isNaN(value)) ofNaN.push(position)
  })
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  for (const position of ofNaN) {
    // A writer makes it null, which has the same slot: here it is shown as it is stored.
    row[layout.presenceStart + (position >> 2)]! ^= (NULL ^ PRESENT) << (2 * (position & 3))
  }
  return { id: valueOf(own(item, 'entity_id'), 'S'), timeUs, row }
}

/** Sets the feature, and returns the value that it has now. */
function place(
  writer: RowWriter,
  position: number,
  type: ValueTypeName,
  binary: string,
): PlainValue | undefined {
  if (!BASE64.test(binary)) return undefined
  try {
    const found = decodeValue(Uint8Array.fromBase64(binary))
    if (found.type !== 'NULL' && found.type !== type && WIDENED[found.type] !== type)
      return undefined
    writer.set(position, found.value)
    return found.value
  } catch (fault) {
    if (fault instanceof Fault) return undefined
    throw fault
  }
}

/** True where JSON.parse would let a later member take an earlier one's place. */
export function hasNameTwice(json: string): boolean {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  const names: Set<string>[] = []
  for (const [place, token] of tokens.entries()) {
    if (token === '{') names.push(new Set())
    else if (token === '}') names.pop()
    else if (token.startsWith('"') && tokens[place + 1] === ':') {
      const name = JSON.parse(token) as string // the whole text was parsed before
      if (names.at(-1)?.has(name)) return true
      names.at(-1)?.add(name)
    }
  }
  return false
}
