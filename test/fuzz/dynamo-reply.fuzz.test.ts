/**
 * Replies of BatchGetItem as writers and stores may send them, and broken in every way: the reader
 * finds in them what JSON.parse and src/row find, or nothing at all. SEED= repeats, STEPS= lengthens.
 */
import { expect, test } from 'bun:test'
import { utf8Decoder } from '../../src/base/utf8.ts'
import { encodeValue } from '../../src/row/composite.ts'
import { EntityIds } from '../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../src/row/entity-key.ts'
import type { Layout, LayoutFeature } from '../../src/row/layout.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { DynamoReader } from '../../src/store/dynamodb/dynamo-reader.ts'
import { FOUND, MISSING, PENDING, ReadBatch } from '../../src/store/read-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { randomFeatures, randomValue } from '../row/random-value.ts'
import {
  NotWellFormed,
  hasNameTwice,
  isObject,
  referenceRow,
} from '../store/dynamodb/reference-items.ts'
import { mutated } from './mutate.ts'

/** Long runs take long: not a promise about time. */
const TIMEOUT_MS = 24 * 3600 * 1000

const JOIN_KEYS = [{ name: 'k', type: 'INT64' }] as const
const PREFIX = keyPrefix(JOIN_KEYS)

type Table = { readonly name: string; readonly layout: Layout; readonly ids: readonly string[] }

/** What a place of the batch holds after the reply; undefined for a whole batch without an answer. */
type Places = readonly (
  { readonly state: number; readonly row?: string; readonly timeUs?: number } | undefined
)[]

const idsOf = (keys: readonly number[]): string[] =>
  keys.map((key) => {
    const bytes = new Uint8Array(1024)
    const digits = new Uint8Array(32)
    const length = makeKeyWriter(JOIN_KEYS).write([key], bytes, 0)
    new EntityIds(PREFIX).write(bytes, 0, length, digits, 0)
    return utf8Decoder.decode(digits)
  })

function randomTable(random: SeededRandom, name: string): Table {
  const features = randomFeatures(random, 6).map((feature, place): LayoutFeature => ({
    ...feature,
    name: `${random.text(4)}${place}`,
  }))
  const count = 1 + random.below(4)
  const ids = idsOf(Array.from({ length: count }, (_, place) => place))
  return { name, layout: makeLayout(features, random.chance(0.2)), ids }
}

/** JSON as no serializer would write it: white space and escapes anywhere. */
class OddJson {
  readonly #random: SeededRandom
  readonly #oddness: number

  constructor(random: SeededRandom) {
    this.#random = random
    this.#oddness = random.pick([0, 0, 0.02, 0.3])
  }

  object(members: readonly (readonly [name: string, json: string])[]): string {
    const parts = members.map(
      ([name, json]) => `${this.text(name)}${this.#gap()}:${this.#gap()}${json}`,
    )
    return this.#around('{', parts, '}')
  }

  list(elements: readonly string[]): string {
    return this.#around('[', elements, ']')
  }

  text(text: string): string {
    const units = Array.from({ length: text.length }, (_, place) => text.charCodeAt(place))
    const written = units.map((unit, place) =>
      this.#random.chance(this.#oddness / 4)
        ? `\\u${unit.toString(16).padStart(4, '0')}`
        : JSON.stringify(text[place]).slice(1, -1),
    )
    // A pair of surrogates that was not escaped has to be whole again.
    const whole = `"${written.join('')}"`
    return JSON.parse(whole) === text && whole.isWellFormed() ? whole : JSON.stringify(text)
  }

  #around(open: string, parts: readonly string[], close: string): string {
    const inner = parts.map((part) => `${this.#gap()}${part}${this.#gap()}`).join(',')
    return open + inner + this.#gap() + close
  }

  #gap(): string {
    return this.#random.chance(this.#oddness) ? this.#random.pick([' ', '\n', '\t\r', '  ']) : ''
  }
}

function randomItem(random: SeededRandom, json: OddJson, { layout }: Table, id: string): string {
  const values = layout.features
    .filter(() => random.chance(0.8))
    .map(({ name, type }) => {
      const kind = random.chance(0.9) ? type : random.pick(layout.features).type
      const value = random.chance(0.1)
        ? new Uint8Array(0)
        : encodeValue(kind, randomValue(random, kind))
      return [name, json.object([['B', json.text(value.toBase64())]])] as const
    })
  const strange = ['zzz', json.object([['L', json.list(['{"S":"x"}', '1e5', 'null'])]])] as const
  const entries = random.chance(0.3) ? [...values, strange] : values
  const order = random.chance(0.5) ? entries : random.shuffled(entries)
  const time = random.pick(['2026-08-20 10:00:00+00:00', '2026-08-20T10:00:00.5', 'NaT'])
  const attributes = [
    ['entity_id', json.object([['S', json.text(id)]])],
    ['event_ts', json.object([['S', json.text(time)]])],
    ['values', json.object([['M', json.object(order)]])],
    ['created', json.object([['N', json.text('1')]])],
  ] as const
  return json.object(random.shuffled(attributes.filter(() => random.chance(0.97))))
}

function randomReply(random: SeededRandom, tables: readonly Table[]): string {
  const json = new OddJson(random)
  const left: [string, string][] = []
  const responses = tables.map((table) => {
    const there = table.ids.filter(() => random.chance(0.8))
    const unprocessed = table.ids.filter((id) => !there.includes(id) && random.chance(0.5))
    const keys = unprocessed.map((id) =>
      json.object([['entity_id', json.object([['S', json.text(id)]])]]),
    )
    if (keys.length > 0) left.push([table.name, json.object([['Keys', json.list(keys)]])])
    const items = random.shuffled(there).map((id) => randomItem(random, json, table, id))
    return [table.name, json.list(items)] as const
  })
  const members = [
    ['Responses', json.object(responses)],
    ['UnprocessedKeys', json.object(left)],
    ['ConsumedCapacity', json.list([json.object([['CapacityUnits', '1.0']])])],
  ] as const
  return json.object(random.shuffled(members))
}

type Reference = (tables: readonly Table[], text: string) => Places | 'unreadable'

/** By JSON.parse: what the reply says of each place, or that it is no reply. */
const reference: Reference = (tables, text) => {
  try {
    return readParsed(tables, JSON.parse(text))
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof NotWellFormed) return 'unreadable'
    throw thrown
  }
}

function readParsed(tables: readonly Table[], reply: unknown): Places {
  if (!isObject(reply) || !isObject(reply['Responses'])) throw new NotWellFormed('no reply')
  const { Responses: responses, UnprocessedKeys: left } = reply
  if (left !== undefined && !isObject(left)) throw new NotWellFormed('no map of keys')
  const leftKeys = new Set(leftOf(tables, left ?? {}))
  return tables.flatMap((table) => {
    const items = responses[table.name] ?? []
    if (!Array.isArray(items)) throw new NotWellFormed('no items')
    const rows = items.map((item: unknown) => referenceRow(table.layout, item))
    return table.ids.map((id) => {
      const found = rows.findLast((row) => row.id === id)
      if (found === undefined) {
        return { state: leftKeys.has(`${table.name}/${id}`) ? PENDING : MISSING }
      }
      const timeUs = Number.isNaN(found.timeUs) ? 0 : found.timeUs
      return { state: FOUND, row: found.row.toHex(), timeUs }
    })
  })
}

/** `table/id` of the keys that the store left out. */
function leftOf(
  tables: readonly Table[],
  left: { readonly [table: string]: unknown },
): readonly string[] {
  return Object.entries(left).flatMap(([name, entry]) => {
    const keys = isObject(entry) ? entry['Keys'] : undefined
    if (!Array.isArray(keys)) throw new NotWellFormed('no keys')
    const table = tables.find((one) => one.name === name)
    if (table === undefined) return []
    return keys.map((key: unknown) => {
      const attribute = isObject(key) ? key['entity_id'] : undefined
      const id = isObject(attribute) ? attribute['S'] : undefined
      if (typeof id !== 'string' || !table.ids.includes(id)) throw new NotWellFormed('no key')
      return `${name}/${id}`
    })
  })
}

async function readReply(
  tables: readonly Table[],
  reply: Uint8Array,
): Promise<Places | 'unreadable'> {
  const reader = new DynamoReader({
    calls: { call: async () => reply },
    tableName: (name) => name,
    consistentReads: false,
    callKeysMax: 100,
  })
  const batch = new ReadBatch(1, 1, 1)
  for (const { name, layout, ids } of tables) {
    const use = { layout, features: undefined, cacheMaxStalenessMs: 0, staleIfError: false }
    const table = reader.tableNumber(name, 'k:INT64', use)
    for (let key = 0; key < ids.length; key++) {
      const start = batch.reserveKey(1024)
      batch.commitKey(table, makeKeyWriter(JOIN_KEYS).write([key], batch.keys, start))
    }
  }
  const result = await reader.callMany(batch, 1000, new AbortController().signal)
  if (result !== 'answered') {
    expect(batch.states.subarray(0, batch.count).every((state) => state === PENDING)).toBe(true)
    expect(batch.rowsUsed).toBe(0)
    return 'unreadable'
  }
  return Array.from({ length: batch.count }, (_, place) => {
    if (batch.states[place] !== FOUND) return { state: batch.states[place]! }
    const start = batch.rowStarts[place]!
    const row = batch.rows.subarray(start, start + batch.rowBytes[place]!).toHex()
    return { state: FOUND, row, timeUs: batch.times[place]! }
  })
}

const PIECES = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u00', '""', 'null', '-', '01', '1e', ' ', '\n'],
  ...['"entity_id":{"S":"', '"values":{"M":{', '"event_ts":{"S":"', '{"B":""}', '"x":1,', '=', 'é'],
].map((piece) => new TextEncoder().encode(piece))

async function fuzzReplies(name: string, expected: Reference, steps: number): Promise<void> {
  const random = new SeededRandom(name)
  for (let step = 0; step < steps; step++) {
    const tables = ['ride.a', 'ride.b']
      .slice(0, 1 + random.below(2))
      .map((table) => randomTable(random, table))
    const whole = new TextEncoder().encode(randomReply(random, tables))
    const reply = random.chance(0.5) ? whole : mutated(random, [whole], PIECES)
    const text = utf8Decoder.decode(reply)
    const wanted = expected(tables, text)
    if (wanted !== 'unreadable' && hasNameTwice(text)) continue
    const places = await readReply(tables, reply)
    if (!Bun.deepEquals(places, wanted)) expect({ text, places }).toEqual({ text, places: wanted })
  }
}

test(
  'a reply gives what JSON.parse finds in it, or nothing',
  () => fuzzReplies('replies', reference, stepsOf(2000)),
  TIMEOUT_MS,
)

test('canary: a key that the store left out and is shown as missing is caught', async () => {
  const careless: Reference = (tables, text) => {
    const places = reference(tables, text)
    if (places === 'unreadable') return places
    return places.map((place) => (place?.state === PENDING ? { state: MISSING } : place))
  }
  await expect(fuzzReplies('canary left out', careless, 2000)).rejects.toThrow('expect(received)')
})

test('canary: half a reply that is shown is caught', async () => {
  const careless: Reference = (tables, text) => {
    const places = reference(tables, text)
    return places === 'unreadable' ? reference(tables, '{"Responses":{}}') : places
  }
  // By a difference, or by what the careless reading does with text that is no JSON.
  await expect(fuzzReplies('canary half', careless, 2000)).rejects.toThrow()
})
