import { describe, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { FeatureService, PlainValue } from '../../src/catalog/catalog.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { makePlan } from '../../src/query/make-plan.ts'
import type { Answer, Query } from '../../src/query/query.ts'
import { ROW_LATE, ROW_NOT_FOUND, ROW_OUTSIDE_MAX_AGE, ROW_PRESENT } from '../../src/query/query.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { readValue } from '../../src/row/row-reader.ts'
import { FAILED, PENDING } from '../../src/store/read-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { MemoryRows } from './memory-rows.ts'
import { smallCatalog } from './small-catalog.ts'

const userWords = {
  name: 'user',
  keys: { user_id: 'INT64' },
  features: { age: 'INT32', name: 'STRING' },
} as const
const catalog = smallCatalog([
  userWords,
  {
    name: 'pair',
    keys: { user_id: 'INT64', doc_id: 'STRING' },
    features: { clicks: 'INT64' },
    changes: { ttlUs: 1000 },
  },
  { name: 'world', keys: {}, features: { total: 'DOUBLE' } },
])
const [user, pair, world] = catalog.views
const NOW_US = 10_000

function filledStore(): MemoryRows {
  const rows = new MemoryRows()
  rows.put(user!, [1], { age: 30, name: 'ann' }, 1)
  rows.put(user!, [2], { age: 40, name: null }, 2)
  rows.put(user!, [2n ** 60n], { age: 50 }, 3)
  rows.put(pair!, ['a', 1], { clicks: 7 }, NOW_US - 1000)
  rows.put(pair!, ['b', 1], { clicks: 8 }, NOW_US - 1001)
  rows.put(pair!, ['c', 1], { clicks: 9 }, NOW_US + 5)
  rows.put(world!, [], { total: 1.5 }, 4)
  return rows
}

type Columns = Readonly<Record<string, readonly PlainValue[]>>

function queryOf(references: readonly string[], columns: Columns): Query {
  return {
    service: '',
    references,
    columns: Object.entries(columns).map(([name, values]) => ({ name, values })),
    fill: 'null',
    statuses: false,
    eventTimes: false,
    form: 'rows',
    deadlineMs: Infinity,
  }
}

/** What an answer says, copied out of it. */
function copyOut(answer: Answer) {
  const { batch, rowStates } = answer
  return {
    rows: answer.rows,
    late: answer.lateCells,
    blocks: answer.blocks.map((block) => ({
      broadcast: block.broadcast,
      rows: block.rows,
      states: [...block.places].map((place) => rowStates[place]),
      values: [...block.places].map((place) => {
        if (rowStates[place] !== ROW_PRESENT) return null
        const { layout, features } = block.plan
        const [start, bytes] = [batch.rowStarts[place]!, batch.rowBytes[place]!]
        return [...features].map((at) => readValue(layout, batch.rows, start, bytes, at))
      }),
    })),
  }
}

function ask(rows: MemoryRows, references: readonly string[], columns: Columns) {
  const query = queryOf(references, columns)
  const answerer = new Answerer(rows, () => NOW_US)
  return answerer.answer(makePlan(catalog, query, rows), query, copyOut)
}

function faultOf(call: () => unknown): Fault {
  try {
    call()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no fault')
}

describe('an answer', () => {
  test('gives row i to request row i, duplicates repeated', () => {
    const answer = ask(filledStore(), ['user:name', 'user:age'], {
      user_id: [2, 1, 3, 1, 2n ** 60n],
    })
    expect(answer).toEqual({
      rows: 5,
      late: 0,
      blocks: [
        {
          broadcast: false,
          rows: 5,
          states: [ROW_PRESENT, ROW_PRESENT, ROW_NOT_FOUND, ROW_PRESENT, ROW_PRESENT],
          values: [[null, 40], ['ann', 30], null, ['ann', 30], [undefined, 50]],
        },
      ],
    })
  })

  test('reads each distinct key once, also where two names of a view ask for it', () => {
    const rows = filledStore()
    void ask(rows, ['user:age'], { user_id: [1, 2, 1, 1, 2, 1n] })
    expect(rows.keysRead).toBe(2)
    rows.keysRead = 0
    const projection = { view: 0, versionTag: -1, features: [0] }
    const service: FeatureService = {
      name: 'friends',
      projections: [
        { ...projection, alias: 'one', joinKeyMap: new Map([['user_id', 'one_id']]) },
        { ...projection, alias: 'other', joinKeyMap: new Map([['user_id', 'other_id']]) },
      ],
      precomputed: false,
      onDemand: [],
    }
    const query = {
      ...queryOf([], { one_id: [1, 2], other_id: [2, 1] }),
      service: 'friends',
    }
    const friends = smallCatalog([userWords], [service])
    const plan = makePlan(friends, query, rows)
    const answer = new Answerer(rows, () => NOW_US).answer(plan, query, copyOut)
    expect(answer).toMatchObject({ blocks: [{ values: [[30], [40]] }, { values: [[40], [30]] }] })
    expect(rows.keysRead).toBe(2)
  })

  test('lets a column with one value stand for all rows', () => {
    const rows = filledStore()
    const answer = ask(rows, ['user:age', 'pair:clicks', 'world:total'], {
      user_id: [1],
      doc_id: ['a', 'x', 'c'],
    })
    expect(answer).toMatchObject({
      rows: 3,
      blocks: [
        { broadcast: true, rows: 1, values: [[30]] },
        { broadcast: false, rows: 3, values: [[7], null, [9]] },
        { broadcast: true, rows: 1, values: [[1.5]] },
      ],
    })
    expect(rows.keysRead).toBe(5)
  })

  test('withholds rows older than the ttl, to the microsecond; the future has no age', () => {
    const answer = ask(filledStore(), ['pair:clicks'], { user_id: [1], doc_id: ['a', 'b', 'c'] })
    expect(answer).toMatchObject({
      blocks: [{ states: [ROW_PRESENT, ROW_OUTSIDE_MAX_AGE, ROW_PRESENT] }],
    })
  })

  test('counts the cells that the store could not give in time', () => {
    const rows = filledStore()
    rows.states.set(0, PENDING).set(1, FAILED)
    const answer = ask(rows, ['user:age', 'user:name'], { user_id: [1, 2, 1, 3] })
    expect(answer).toMatchObject({
      late: 6,
      blocks: [{ states: [ROW_LATE, ROW_LATE, ROW_LATE, ROW_NOT_FOUND] }],
    })
  })

  test('without columns has one row, if no view needs a key', () => {
    expect(ask(filledStore(), ['world:total'], {})).toMatchObject({
      rows: 1,
      blocks: [{ broadcast: true, rows: 1, values: [[1.5]] }],
    })
  })

  test('for no rows has no rows', () => {
    expect(ask(filledStore(), ['user:age'], { user_id: [] })).toMatchObject({
      rows: 0,
      blocks: [{ broadcast: false, rows: 0, states: [] }],
    })
  })

  test('reads rows of an older layout in the layout of now', () => {
    const rows = new MemoryRows()
    const older = makeLayout(
      [
        { name: 'gone', type: valueType('STRING') },
        { name: 'name', type: valueType('STRING') },
        { name: 'age', type: valueType('INT64') },
      ],
      false,
    )
    rows.put(user!, [1], { gone: 'x', name: 'ann', age: 1 }, 1, older)
    rows.put(user!, [2], { name: 'bob', age: 3 }, 1)
    const answer = ask(rows, ['user:age', 'user:name'], { user_id: [1, 2] })
    expect(answer).toMatchObject({
      blocks: [
        {
          values: [
            [undefined, 'ann'],
            [3, 'bob'],
          ],
        },
      ],
    })
  })

  test('of a store that waits does not share its buffers with the next request', async () => {
    const rows = filledStore()
    let open = (): void => {}
    rows.gate = new Promise((resolve) => (open = resolve))
    const answerer = new Answerer(rows, () => NOW_US)
    const asked = [1, 2, 3].map((id) => {
      const query = queryOf(['user:age'], { user_id: [id] })
      return answerer.answer(makePlan(catalog, query, rows), query, copyOut)
    })
    open()
    const answers = await Promise.all(asked)
    expect(answers.map((answer) => answer.blocks[0]!.values[0])).toEqual([[30], [40], null])
  })

  test('agrees with one-by-one look-ups, whatever keys are asked', () => {
    const random = new SeededRandom('answers')
    const rows = new MemoryRows()
    for (let id = 0; id < 300; id++) rows.put(user!, [id * 3], { age: id }, 1)
    const query = (ids: number[]) => queryOf(['user:age'], { user_id: ids })
    const answerer = new Answerer(rows, () => NOW_US)
    const plan = makePlan(catalog, query([]), rows)
    for (let step = 0; step < stepsOf(50); step++) {
      const ids = Array.from({ length: 1 + random.below(400) }, () => random.below(900))
      rows.keysRead = 0
      const answer = answerer.answer(plan, query(ids), copyOut)
      if (answer instanceof Promise) throw new Error('the store does not wait')
      expect(answer.blocks[0]!.values).toEqual(ids.map((id) => (id % 3 === 0 ? [id / 3] : null)))
      expect(rows.keysRead).toBe(new Set(ids).size)
    }
  })
})

describe('entity values that do not fit are a fault that names the place', () => {
  test('a missing column', () => {
    const fault = faultOf(() => ask(filledStore(), ['pair:clicks'], { user_id: [1] }))
    expect(fault.code).toBe('missing_entity')
    expect(fault.where).toBe('entities.doc_id')
    expect(fault.message).toContain('doc_id, user_id')
    expect(fault.allowed).toBe('given: user_id')
  })

  test.each([
    ['user_id', 'x', 'entities.user_id[1]'],
    ['user_id', null, 'entities.user_id[1]'],
    ['user_id', 1.5, 'entities.user_id[1]'],
    ['doc_id', 5, 'entities.doc_id[1]'],
  ] as [string, PlainValue, string][])('%s = %p', (name, value, where) => {
    const columns = { user_id: [1, 2], doc_id: ['a', 'b'] as PlainValue[], [name]: [1, value] }
    if (name === 'doc_id') columns['doc_id'] = ['a', value]
    const fault = faultOf(() => ask(filledStore(), ['pair:clicks'], columns))
    expect(fault.code).toBe('invalid_entity')
    expect(fault.where).toBe(where)
  })

  test('columns of different length', () => {
    const columns = { user_id: [1, 2], doc_id: ['a', 'b', 'c'] }
    const fault = faultOf(() => ask(filledStore(), ['pair:clicks'], columns))
    expect(fault.code).toBe('invalid_request')
    expect(fault.message).toContain('user_id has 2, doc_id has 3')
  })

  test('more rows than a request may ask for', () => {
    const user_id = Array.from({ length: 10_001 }, (_, id) => id)
    expect(faultOf(() => ask(filledStore(), ['user:age'], { user_id })).code).toBe('too_large')
  })

  test('more values than a request may ask for', () => {
    const features = Object.fromEntries(
      Array.from({ length: 1001 }, (_, index) => [`f${index}`, 'BOOL' as const]),
    )
    const wide = smallCatalog([{ name: 'wide', keys: { id: 'INT64' }, features }])
    const references = Object.keys(features).map((name) => `wide:${name}`)
    const ids = Array.from({ length: 10_000 }, (_, id) => id)
    const rows = new MemoryRows()
    const answerer = new Answerer(rows, () => NOW_US)
    const plan = makePlan(wide, queryOf(references, {}), rows)
    const query = (values: readonly number[]) => queryOf(references, { id: values })
    expect(faultOf(() => answerer.answer(plan, query(ids), copyOut)).code).toBe('too_large')
    expect(rows.keysRead).toBe(0)
    expect(answerer.answer(plan, query([1]), (answer) => answer.rows)).toBe(1)
  })

  test('and the next request is answered', () => {
    const rows = filledStore()
    const answerer = new Answerer(rows, () => NOW_US)
    const bad = queryOf(['user:age'], { user_id: [1, 'x'] })
    const plan = makePlan(catalog, bad, rows)
    expect(faultOf(() => answerer.answer(plan, bad, copyOut)).code).toBe('invalid_entity')
    const good = queryOf(['user:age'], { user_id: [1] })
    expect(answerer.answer(plan, good, copyOut)).toMatchObject({ blocks: [{ values: [[30]] }] })
  })
})
