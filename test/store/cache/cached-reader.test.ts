/** What the cache promises of the rows that it gives. */
import { describe, expect, test } from 'bun:test'
import { valueTypeNamed } from '../../../src/catalog/value-type.ts'
import { makeLayout } from '../../../src/row/layout.ts'
import type { OutcomeName } from '../../../src/row/order-rule.ts'
import { SAMPLE_LAYOUT } from '../sample-table.ts'
import { CachedTables, answersOf, keptFor } from './cached-table.ts'

const BOUND_MS = 500

const row = (value: number, timeUs = 10, blobBytes = 8) => ({ value, blobBytes, timeUs })

/** One table with a row of value 1 under id 1, read once if `warm`. */
function opened(use = keptFor(BOUND_MS), warm: 'warm' | 'cold' = 'warm') {
  const tables = new CachedTables()
  const table = tables.open('sample', use)
  table.setUnseen({ id: 1, timeUs: 10, value: 1 })
  if (warm === 'warm') expect(table.readOne(1)).toEqual(row(1))
  return { tables, table, store: tables.store }
}

describe('the bound', () => {
  test('a row is given from memory until its bound, and never from there on', () => {
    const { tables, table, store } = opened()
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    tables.nowMs += BOUND_MS - 0.001
    expect(table.readOne(1)).toEqual(row(1))
    expect(table.batch.asOfMs[0]).toBe(1_000)
    expect(store.asked).toEqual([[1]])
    tables.nowMs += 0.001
    expect(table.readOne(1)).toEqual(row(2, 20))
    expect(table.batch.asOfMs[0]).toBe(1_500)
    expect(tables.cache.counters).toMatchObject({ cacheHits: 1, cacheMisses: 2, cacheInserted: 2 })
  })

  test('it counts from when the store was asked, not from when it answered', async () => {
    const { tables, table, store } = opened(keptFor(BOUND_MS), 'cold')
    store.mode = 'hold'
    const reading = table.read([1])
    tables.nowMs += 300
    store.held[0]!.release('then')
    expect(await reading).toEqual([row(1)])
    store.mode = 'answer'
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    tables.nowMs += 199
    expect(table.readOne(1)).toEqual(row(1))
    tables.nowMs += 1
    expect(table.readOne(1)).toEqual(row(2, 20))
  })

  test('that a key has no row is kept as long, and no longer', () => {
    const { tables, table } = opened()
    expect(table.readOne(2)).toBeUndefined()
    table.setUnseen({ id: 2, timeUs: 10, value: 3 })
    tables.nowMs += BOUND_MS - 1
    expect(table.readOne(2)).toBeUndefined()
    expect(tables.cache.counters).toMatchObject({ cacheHits: 1, cacheNegativeHits: 1 })
    tables.nowMs += 1
    expect(table.readOne(2)).toEqual(row(3))
  })

  test('each table has its own, and one without is never kept', () => {
    const tables = new CachedTables()
    const short = tables.open('short', keptFor(10))
    const long = tables.open('long', keptFor(1_000))
    const none = tables.open('none', keptFor(0))
    for (const table of [short, long, none]) table.setUnseen({ id: 1, timeUs: 1, value: 1 })
    const numbers = [short.number, long.number, none.number]
    tables.cache.readMany(short.batchOf([1, 1, 1], numbers), Infinity)
    for (const table of [short, long, none]) table.setUnseen({ id: 1, timeUs: 2, value: 2 })
    tables.nowMs += 10
    const batch = short.batchOf([1, 1, 1], numbers)
    tables.cache.readMany(batch, Infinity)
    expect(answersOf(batch)).toEqual([row(2, 2), row(1, 1), row(2, 2)])
    expect(tables.store.asked.map((ids) => ids.length)).toEqual([3, 2])
    expect(tables.count('cacheEntries')).toBe(2)
  })

  test('what a newer catalog declares holds at once for what is kept already', () => {
    const { tables, table } = opened()
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    tables.nowMs += 50
    expect(tables.open('sample', keptFor(50)).number).toBe(table.number)
    expect(table.readOne(1)).toEqual(row(2, 20))
    tables.open('sample', keptFor(0))
    table.setUnseen({ id: 1, timeUs: 30, value: 3 })
    expect(table.readOne(1)).toEqual(row(3, 30))
  })

  test('no row is given past its bound while the store is down', () => {
    for (const mode of ['fail', 'late'] as const) {
      const { tables, table, store } = opened()
      store.mode = mode
      tables.nowMs += BOUND_MS - 1
      expect(table.readOne(1)).toEqual(row(1))
      tables.nowMs += 1
      expect(table.readOne(1)).toBe(mode === 'fail' ? 'failed' : 'late')
      expect(table.batch.staleRows).toBe(0)
    }
  })
})

describe('a batch', () => {
  test('asks the store only for what is not there, in one batch', async () => {
    const { tables, table, store } = opened()
    table.setUnseen(
      { id: 2, timeUs: 11, value: 2 },
      { id: 3, timeUs: 12, value: 3, blobBytes: 700 },
    )
    store.mode = 'hold'
    const reading = table.read([2, 1, 4, 3])
    expect(store.held.map(({ ids }) => ids)).toEqual([[2, 4, 3]])
    store.held[0]!.release('now')
    expect(await reading).toEqual([row(2, 11), row(1), undefined, row(3, 12, 700)])
    store.mode = 'fail'
    expect(table.readNow([3, 2, 1, 4])).toEqual([row(3, 12, 700), row(2, 11), row(1), undefined])
    expect(tables.cache.counters).toMatchObject({ cacheHits: 5, cacheMisses: 4 })
  })

  test('of many keys and large rows is given whole', () => {
    const { table } = opened()
    const ids = Array.from({ length: 700 }, (_, id) => id)
    const entries = ids.map((id) => ({ id, timeUs: id, value: id, blobBytes: 20 }))
    table.setUnseen(...entries)
    for (const _ of [0, 1]) {
      expect(table.readNow(ids)).toEqual(ids.map((id) => (id === 1 ? row(1) : row(id, id, 20))))
    }
  })

  test('what the store failed to answer is not kept', () => {
    for (const mode of ['fail', 'late'] as const) {
      const { tables, table, store } = opened(keptFor(BOUND_MS), 'cold')
      store.mode = mode
      expect(table.readOne(1)).toBe(mode === 'fail' ? 'failed' : 'late')
      store.mode = 'answer'
      expect(table.readOne(1)).toEqual(row(1))
      expect(tables.count('cacheInserted')).toBe(1)
    }
  })

  test('is left alone once its caller is gone, and what came is kept', async () => {
    const { table, store } = opened(keptFor(BOUND_MS), 'cold')
    const ending = new AbortController()
    store.mode = 'hold'
    const reading = table.read([1], ending.signal)
    const { batch } = table
    store.held[0]!.release('then')
    ending.abort()
    batch.reset()
    batch.states[0] = 77
    await reading.catch(() => {})
    expect(batch.states[0]).toBe(77)
    expect(batch.rowsUsed).toBe(0)
    store.mode = 'fail'
    expect(table.readOne(1)).toEqual(row(1))
  })

  test('a read that the store rejects is rejected, and later ones go on', async () => {
    const { table, store } = opened(keptFor(BOUND_MS), 'cold')
    store.mode = 'hold'
    const reading = table.read([1])
    store.held[0]!.reject(new Error('too large'))
    expect(reading).rejects.toThrow('too large')
    await reading.catch(() => {})
    store.mode = 'answer'
    expect(table.readOne(1)).toEqual(row(1))
  })
})

describe('a write', () => {
  test('is seen by the next read without asking the store', () => {
    const { tables, table, store } = opened()
    store.mode = 'fail'
    table.write([
      { id: 1, timeUs: 20, value: 2, outcome: 'changed' },
      { id: 2, timeUs: 20, value: 3, blobBytes: 333 },
      { id: 3, timeUs: 20, value: 4 },
      { id: 3, timeUs: 21, value: 5, outcome: 'changed' },
    ])
    tables.nowMs += BOUND_MS - 1
    expect(table.readNow([1, 2, 3])).toEqual([row(2, 20), row(3, 20, 333), row(5, 21)])
    tables.nowMs += 1
    expect(table.readNow([1, 2, 3])).toEqual(['failed', 'failed', 'failed'])
    expect(tables.count('cacheWrittenThrough')).toBe(4)
    expect(store.follows).toBe(1)
  })

  test('a delete is seen by the next read without asking the store', () => {
    const { table, store } = opened()
    store.mode = 'fail'
    table.write([{ id: 1, timeUs: 20 }])
    expect(table.readOne(1)).toBeUndefined()
  })

  test('one that changed nothing changes nothing here', () => {
    const outcomes: OutcomeName[] = ['touched', 'older', 'unchanged', 'rejected']
    for (const outcome of outcomes) {
      const { tables, table } = opened()
      table.follow([{ id: 1, timeUs: 20, value: 2, outcome }])
      expect(table.readOne(1)).toEqual(row(1))
      expect(tables.cache.counters).toMatchObject({ cacheWrittenThrough: 0, cacheDropped: 0 })
    }
  })

  test('one that failed lets go of its keys, and of no other: the store knows', () => {
    const { tables, table } = opened()
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    table.followFailed([1])
    expect(table.readOne(1)).toEqual({ value: 2, blobBytes: 8, timeUs: 20 })
    expect(tables.cache.counters).toMatchObject({ cacheWrittenThrough: 0, cacheDropped: 1 })
  })

  test('the old row of a read under way is not kept over it', async () => {
    const { tables, table, store } = opened(keptFor(BOUND_MS))
    tables.nowMs += BOUND_MS
    store.mode = 'hold'
    const reading = table.read([1])
    table.write([{ id: 1, timeUs: 20, value: 2, outcome: 'changed' }])
    store.held[0]!.release('then')
    expect(await reading).toEqual([row(1)])
    expect(table.readNow([1])).toEqual([row(2, 20)])
    expect(tables.count('cacheOvertaken')).toBe(1)
  })

  test('nor after the written row was let go', async () => {
    const tables = new CachedTables(4096)
    const table = tables.open('sample', keptFor(BOUND_MS))
    table.setUnseen({ id: 1, timeUs: 10, value: 1 })
    tables.store.mode = 'hold'
    const reading = table.read([1])
    table.write([{ id: 1, timeUs: 20, value: 2, outcome: 'changed' }])
    for (let id = 100; id < 200; id++) table.write([{ id, timeUs: 1, value: id }])
    tables.nowMs += 1
    tables.store.held[0]!.release('then')
    expect(await reading).toEqual([row(1)])
    tables.store.mode = 'answer'
    expect(table.readOne(1)).toEqual(row(2, 20))
  })

  test('of two reads under way the one that was asked later is kept', async () => {
    const { tables, table, store } = opened(keptFor(BOUND_MS), 'cold')
    store.mode = 'hold'
    const first = table.read([1])
    tables.nowMs += 1
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    const second = table.read([1])
    store.held[1]!.release('then')
    expect(await second).toEqual([row(2, 20)])
    store.held[0]!.release('then')
    expect(await first).toEqual([row(1)])
    expect(table.readNow([1])).toEqual([row(2, 20)])
  })

  test('one told too late does not hide a later one', () => {
    for (const late of [{ value: 2, outcome: 'changed' }, { outcome: 'deleted' }] as const) {
      const { tables, table } = opened()
      table.write([{ id: 1, timeUs: 30, value: 3, outcome: 'changed' }])
      table.write([{ id: 2, timeUs: 30 }])
      table.follow([{ id: 1, timeUs: 20, ...late }])
      table.follow([{ id: 2, timeUs: 20, value: 2, outcome: 'new' }])
      expect(table.readNow([1, 2])).toEqual([row(3, 30), undefined])
      expect(tables.count('cacheDropped')).toBe(2)
    }
  })

  test('of two rows of one time the store decides, unless they are the same', () => {
    const { tables, table, store } = opened()
    table.follow([{ id: 1, timeUs: 10, value: 1, outcome: 'refreshed' }])
    store.mode = 'fail'
    expect(table.readOne(1)).toEqual(row(1))
    store.mode = 'answer'
    table.setUnseen({ id: 1, timeUs: 10, value: 5 })
    table.follow([{ id: 1, timeUs: 10, value: 4, outcome: 'changed' }])
    expect(table.readOne(1)).toEqual(row(5))
    expect(tables.count('cacheDropped')).toBe(1)
  })

  test('a batch replaces what is kept, and does not push out the rest', () => {
    const { tables, table, store } = opened()
    table.write(
      [
        { id: 1, timeUs: 20, value: 2, outcome: 'changed' },
        { id: 2, timeUs: 20, value: 3 },
      ],
      'batch',
    )
    expect(tables.count('cacheEntries')).toBe(1)
    store.mode = 'fail'
    expect(table.readNow([1, 2])).toEqual([row(2, 20), 'failed'])
  })

  test('of another table, or of another key type, changes nothing', () => {
    const { tables, table } = opened()
    tables.open('other', keptFor(BOUND_MS)).follow([{ id: 1, timeUs: 20, value: 9 }])
    expect(table.readOne(1)).toEqual(row(1))
    expect(tables.count('cacheHits')).toBe(1)
  })
})

describe('a write that does not say what a read would give', () => {
  const features = [...SAMPLE_LAYOUT.features, { name: 'more', type: valueTypeNamed('INT64')! }]
  const withTimes = makeLayout(SAMPLE_LAYOUT.features, true)
  const cases = [
    { why: 'another layout', use: keptFor(BOUND_MS), layout: makeLayout(features, false) },
    { why: 'some features', use: { ...keptFor(BOUND_MS), features: new Uint32Array([0]) } },
    { why: 'a time for each feature', use: { ...keptFor(BOUND_MS), layout: withTimes } },
  ]
  for (const { why, use, layout } of cases) {
    test(`drops the row: ${why}`, () => {
      const { tables, table, store } = opened(use)
      const elsewhere = tables.open('elsewhere', { ...use, layout: layout ?? SAMPLE_LAYOUT })
      elsewhere.setUnseen({ id: 9, timeUs: 1, value: 1 })
      elsewhere.readOne(9) // so that the layout's number is known: that is not what drops the row
      const changed = { id: 1, timeUs: 20, value: 2, outcome: 'changed' } as const
      table.setUnseen(changed)
      table.follow([changed], 'direct', layout)
      expect(table.readOne(1)).toEqual(row(2, 20))
      expect(store.asked).toEqual([[1], [9], [1]])
      expect(tables.cache.counters).toMatchObject({ cacheWrittenThrough: 0, cacheDropped: 1 })
    })
  }

  test('leaves the key to be read while no row came with the layout yet', () => {
    const { tables, table, store } = opened(keptFor(BOUND_MS), 'cold')
    table.write([{ id: 1, timeUs: 20, value: 2 }])
    expect(table.readOne(1)).toEqual(row(2, 20))
    expect(tables.count('cacheEntries')).toBe(0)
    tables.nowMs += 1
    expect(table.readOne(1)).toEqual(row(2, 20))
    table.write([{ id: 1, timeUs: 30, value: 3 }])
    expect(table.readOne(1)).toEqual(row(3, 30))
    expect(store.asked).toEqual([[1], [1]])
    expect(tables.count('cacheWrittenThrough')).toBe(1)
  })

  test('reaches every number under which the table is read', () => {
    const { tables, table } = opened()
    const part = tables.open('sample', { ...keptFor(BOUND_MS), features: new Uint32Array([0]) })
    expect(part.number).not.toBe(table.number)
    expect(part.readOne(1)).toEqual(row(1))
    table.write([{ id: 1, timeUs: 20, value: 2, outcome: 'changed' }])
    expect([table.readOne(1), part.readOne(1)]).toEqual([row(2, 20), row(2, 20)])
    expect(tables.cache.counters).toMatchObject({ cacheWrittenThrough: 1, cacheDropped: 1 })
  })
})

describe('stale if error', () => {
  const use = { ...keptFor(BOUND_MS), staleIfError: true }

  test('a row past its bound is given when the store fails, and is counted', () => {
    for (const mode of ['fail', 'late'] as const) {
      const { tables, table, store } = opened(use)
      expect(table.readOne(2)).toBeUndefined()
      tables.nowMs += 10 * BOUND_MS
      store.mode = mode
      expect(table.readNow([3, 1, 2])).toEqual([
        mode === 'fail' ? 'failed' : 'late',
        row(1),
        undefined,
      ])
      expect(table.batch.staleRows).toBe(2)
      expect(table.batch.asOfMs[1]).toBe(1_000)
      expect(tables.count('cacheStaleServed')).toBe(2)
    }
  })

  test('not while the store answers', () => {
    const { tables, table } = opened(use)
    table.setUnseen({ id: 1, timeUs: 20, value: 2 })
    tables.nowMs += BOUND_MS
    expect(table.readOne(1)).toEqual(row(2, 20))
    expect(table.batch.staleRows).toBe(0)
  })

  test('not of another table in the same batch', () => {
    const { tables, table, store } = opened(use)
    const strict = tables.open('strict', keptFor(BOUND_MS))
    strict.setUnseen({ id: 1, timeUs: 10, value: 1 })
    expect(strict.readOne(1)).toEqual(row(1))
    tables.nowMs += BOUND_MS
    store.mode = 'fail'
    const batch = table.batchOf([1, 1], [table.number, strict.number])
    tables.cache.readMany(batch, Infinity)
    expect(answersOf(batch)).toEqual([row(1), 'failed'])
    expect(batch.staleRows).toBe(1)
  })

  test('a row that was written while the store failed to answer is not stale', async () => {
    const { tables, table, store } = opened(use)
    tables.nowMs += BOUND_MS
    store.mode = 'hold'
    const reading = table.read([1])
    table.write([{ id: 1, timeUs: 20, value: 2, outcome: 'changed' }])
    store.held[0]!.release('fail')
    expect(await reading).toEqual([row(2, 20)])
    expect(table.batch.staleRows).toBe(0)
  })

  test('ends with the declaration', () => {
    const { tables, table, store } = opened(use)
    tables.open('sample', { ...use, cacheMaxStalenessMs: 0 })
    store.mode = 'fail'
    expect(table.readOne(1)).toBe('failed')
  })
})

describe('equal hashes', () => {
  test('keys and tables are told apart though their hashes are the same', () => {
    const tables = new CachedTables(64 * 1024, { fingerprint: 5, hash() {} })
    const [one, two] = [
      tables.open('one', keptFor(BOUND_MS)),
      tables.open('two', keptFor(BOUND_MS)),
    ]
    const ids = Array.from({ length: 40 }, (_, id) => id)
    one.setUnseen(...ids.map((id) => ({ id, timeUs: 1, value: id })))
    two.setUnseen(...ids.map((id) => ({ id, timeUs: 2, value: 1_000 + id })))
    for (const _ of [0, 1]) {
      expect(one.readNow(ids)).toEqual(ids.map((id) => row(id, 1)))
      expect(two.readNow(ids)).toEqual(ids.map((id) => row(1_000 + id, 2)))
    }
    expect(tables.store.asked.length).toBe(2)
    two.write([{ id: 7, timeUs: 9, value: 77, outcome: 'changed' }])
    expect([one.readOne(7), two.readOne(7), two.readOne(8)]).toEqual([
      row(7, 1),
      row(77, 9),
      row(1_008, 2),
    ])
    expect(tables.store.asked.length).toBe(2)
  })
})
