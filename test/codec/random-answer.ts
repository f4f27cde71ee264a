/** Random answers over every type, through the real plan and answerer, and what a cell of one must show. */
import type { FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import type { KeyTypeName, ValueType } from '../../src/catalog/value-type.ts'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { makePlan } from '../../src/query/make-plan.ts'
import type { Answer, AnswerBlock, EntityColumn, Query, StatusName } from '../../src/query/query.ts'
import { ROW_PRESENT } from '../../src/query/query.ts'
import { untyped } from '../../src/row/composite.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { FAILED, PENDING } from '../../src/store/read-batch.ts'
import type { RowReader } from '../../src/store/store.ts'
import type { SeededRandom } from '../base/seeded-random.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import type { ViewWords } from '../query/small-catalog.ts'
import { smallCatalog } from '../query/small-catalog.ts'
import { randomValue } from '../row/random-value.ts'
import { StoredRows } from './stored-rows.ts'

const NOW_US = 1_700_000_000_000_000
const SLOT_TYPES = VALUE_TYPES.filter(({ slotBytes }) => slotBytes > 0)
const USER: Readonly<Record<string, KeyTypeName>> = { user: 'STRING' }
const DOC: Readonly<Record<string, KeyTypeName>> = { doc: 'INT64' }
const BOTH = { ...USER, ...DOC }

export type AnswerKind = {
  /** All features of a view are of one type with a slot, so that a matrix can be asked. */
  readonly oneType: boolean
  /** Where its rows lie: `embedded` is the real store. */
  readonly home: 'memory' | 'embedded'
}

/** Calls `use` with a random answer; what the answer holds is valid only until it returns. */
export async function withRandomAnswer(
  random: SeededRandom,
  kind: AnswerKind,
  use: (answer: Answer) => void,
): Promise<void> {
  const words = [USER, DOC, BOTH, {}]
    .slice(0, 1 + random.below(4))
    .map((keys, place) => randomView(random, `v${place}`, keys, kind))
  const { views } = smallCatalog(words)
  if (kind.home === 'memory') {
    const rows = new MemoryRows()
    for (const view of views) putRows(random, rows, view)
    for (let late = random.below(3); late > 0; late--) {
      rows.states.set(random.below(20), random.pick([PENDING, FAILED]))
    }
    return askOver(random, words, rows, use)
  }
  const rows = new StoredRows()
  for (const view of views) putRows(random, rows, view)
  try {
    await askOver(random, words, await rows.open(), use)
  } finally {
    await rows.close()
  }
}

async function askOver(
  random: SeededRandom,
  words: readonly ViewWords[],
  rows: RowReader,
  use: (answer: Answer) => void,
): Promise<void> {
  const catalog = smallCatalog(words)
  const query = randomQuery(random, catalog.views)
  const plan = makePlan(catalog, query, rows)
  await new Answerer(rows, () => NOW_US).answer(plan, query, use)
}

function randomView(
  random: SeededRandom,
  name: string,
  keys: Readonly<Record<string, KeyTypeName>>,
  { oneType }: AnswerKind,
): ViewWords {
  const one = random.pick(SLOT_TYPES)
  const types = Array.from({ length: 1 + random.below(14) }, () =>
    oneType ? one : random.pick(VALUE_TYPES),
  )
  const named = types.map((type, place) => [`f${place} "é`, type.name] as const)
  const features = types.map((type, position) => ({
    name: named[position]![0],
    position,
    type,
    defaultValue: random.chance(0.4) ? randomValue(random, type) : undefined,
    nestedType: '',
  }))
  const ttlUs = random.chance(0.3) ? 1_000_000_000 : 0
  const changes = { ttlUs, partial: random.chance(0.2), features }
  return { name, keys, features: Object.fromEntries(named), changes }
}

const DOCS = 12
const USERS = ['ann', 'bob', 'Ünal', '']

function putRows(random: SeededRandom, rows: MemoryRows | StoredRows, view: FeatureView): void {
  for (const user of USERS) {
    for (let doc = 0; doc < DOCS; doc++) {
      if (random.chance(0.3)) continue
      const key = view.joinKeys.map(({ name }) => (name === 'doc' ? BigInt(doc) : user))
      rows.put(view, key, randomRow(random, view), NOW_US - random.below(2_000_000_000))
    }
  }
}

function randomRow(random: SeededRandom, view: FeatureView): Record<string, PlainValue> {
  const row: Record<string, PlainValue> = {}
  const sparse = random.chance(0.5)
  for (const { name, type } of view.features) {
    if (sparse && random.chance(0.2)) continue
    row[name] = sparse && random.chance(0.2) ? null : randomValue(random, type)
  }
  return row
}

function randomQuery(random: SeededRandom, views: readonly FeatureView[]): Query {
  const count = random.pick([1, 2, 9, 40])
  const references = views.flatMap(({ name, features }) => {
    const inOrder = random.chance(0.5) ? features : random.shuffled(features)
    const asked = inOrder.slice(0, 1 + random.below(features.length))
    return asked.map((feature) => `${name}:${feature.name}`)
  })
  const columns: EntityColumn[] = [
    { name: 'user', values: [random.pick(USERS)] },
    { name: 'doc', values: Array.from({ length: count }, () => random.below(DOCS + 3)) },
  ]
  return {
    service: '',
    references,
    columns,
    fill: random.pick(['null', 'nan', 'default']),
    statuses: random.chance(0.5),
    eventTimes: random.chance(0.5),
    form: 'rows',
    deadlineMs: 1000,
  }
}

export type Cell = { readonly value: PlainValue; readonly status: StatusName }

/** What a cell shows, read slowly from the answer's rows. */
export function cellOf(answer: Answer, block: AnswerBlock, row: number, column: number): Cell {
  const { layout, features, view } = block.plan
  const position = features[column]!
  const { type, defaultValue } = view.features[position]!
  const place = block.places[row]!
  const state = answer.rowStates[place]!
  const { rows, rowStarts, rowBytes } = answer.batch
  const stored =
    state === ROW_PRESENT
      ? readValue(layout, rows, rowStarts[place]!, rowBytes[place]!, position)
      : undefined
  if (stored !== undefined && stored !== null) {
    return { value: untyped(type, stored), status: 'PRESENT' }
  }
  if (answer.query.fill === 'default' && defaultValue !== undefined) {
    return { value: storedForm(type, defaultValue), status: 'DEFAULTED' }
  }
  const isFloat = type === valueType('FLOAT') || type === valueType('DOUBLE')
  const value = answer.query.fill === 'nan' && isFloat ? NaN : null
  if (state === ROW_PRESENT) return { value, status: stored === null ? 'NULL' : 'NOT_FOUND' }
  return { value, status: ROW_STATUSES[state]! }
}

const ROW_STATUSES: readonly StatusName[] = ['PRESENT', 'NOT_FOUND', 'OUTSIDE_MAX_AGE', 'LATE']

/** A value as it would come back from a row. */
function storedForm(type: ValueType, value: PlainValue): PlainValue {
  const layout = makeLayout([{ name: 'f', type }], false)
  const writer = new RowWriter(layout)
  writer.begin(0)
  writer.set(0, value)
  const row = new Uint8Array(writer.byteLength)
  writer.finish(row, 0)
  return untyped(type, readValue(layout, row, 0, row.length, 0) ?? null)
}
