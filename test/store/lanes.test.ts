/** How writes wait: lanes, bounded queues, commit groups, and compaction's debt. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { LANE_QUEUE_WRITES_MAX } from '../../src/base/limits.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { SampleTable, outcomeNames, sampleBatch } from './sample-table.ts'

let disk: MemoryDisk
let store: EmbeddedStore
let table: SampleTable

const groups = (): number => store.stats().counters['groups']!

beforeEach(async () => {
  disk = new MemoryDisk()
  store = await openEmbeddedStore({ dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES })
  table = await SampleTable.open(store)
})

describe('writes that come together', () => {
  test('share one sync', async () => {
    const writes = Array.from({ length: 100 }, (_, id) =>
      table.write([{ id, timeUs: 1, value: id }], 'direct'),
    )
    await Promise.all(writes)
    expect(groups()).toBeLessThanOrEqual(2)
  })

  test('that come during a sync share the next one', async () => {
    await table.write([{ id: -1, timeUs: 1, value: 0 }]) // makes the segment, which is synced too
    const first = table.write([{ id: 0, timeUs: 1, value: 0 }])
    let during: Promise<unknown>[] = []
    disk.plan = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.seg') && during.length === 0) {
        during = Array.from({ length: 50 }, (_, id) =>
          table.write([{ id: id + 1, timeUs: 1, value: id }]),
        )
      }
      return undefined
    }
    await first
    const before = groups()
    await Promise.all(during)
    expect(groups() - before).toBe(1)
  })

  test('go direct first, then stream, then batch', async () => {
    const order: string[] = []
    const in_ = (lane: 'direct' | 'stream' | 'batch') =>
      table.write([{ id: 1, timeUs: 1, value: lane.length }], lane).then(([outcome]) => {
        order.push(`${lane} ${outcome}`)
      })
    await Promise.all([in_('batch'), in_('stream'), in_('direct')])
    expect(order.sort()).toEqual(['batch changed', 'direct new', 'stream unchanged'])
    expect(await table.read([1])).toEqual([{ value: 5, blobBytes: 8, timeUs: 1 }])
  })
})

describe('a full queue', () => {
  const fill = (lane: 'direct' | 'batch', count: number): Promise<string>[] =>
    Array.from({ length: count }, (_, id) =>
      table.write([{ id, timeUs: 1, value: id }], lane).then(
        ([outcome]) => outcome!,
        (error: { readonly code: string }) => error.code,
      ),
    )

  test('refuses direct writes, and takes them again later', async () => {
    const answers = await Promise.all(fill('direct', LANE_QUEUE_WRITES_MAX + 10))
    expect(answers.filter((answer) => answer === 'overloaded')).toHaveLength(10)
    expect(answers.filter((answer) => answer === 'new')).toHaveLength(LANE_QUEUE_WRITES_MAX)
    expect(await table.write([{ id: -1, timeUs: 1, value: 1 }])).toEqual(['new'])
  })

  test('lets batch writes wait, in their order', async () => {
    const writes = fill('batch', LANE_QUEUE_WRITES_MAX + 500)
    // Two versions of one key with one time: the one that came later must win.
    const last = [7, 8].map((value) => table.write([{ id: 0, timeUs: 2, value }], 'batch'))
    expect((await Promise.all(writes)).every((answer) => answer === 'new')).toBe(true)
    expect((await Promise.all(last)).flat()).toEqual(['changed', 'changed'])
    expect(await table.read([0])).toEqual([{ value: 8, blobBytes: 8, timeUs: 2 }])
  })
})

test('no lane starves behind a flood of direct writes', async () => {
  let isDone = false
  let direct = 0
  const flood = async () => {
    while (!isDone) {
      const blobBytes = 1000
      const entries = Array.from({ length: 10 }, () => ({
        id: direct % 50,
        timeUs: direct,
        value: direct++,
        blobBytes,
      }))
      await table.write(entries, 'direct')
    }
  }
  const floods = Array.from({ length: 20 }, flood)
  const entries = Array.from({ length: 500 }, (_, id) => ({ id: 1000 + id, timeUs: 1, value: id }))
  await Promise.all([table.write(entries, 'batch'), table.write(entries, 'stream')])
  isDone = true
  await Promise.all(floods)
  expect(await table.read([1499])).toEqual([{ value: 499, blobBytes: 8, timeUs: 1 }])
})

test('the log stays under twice what is live, and two segments', async () => {
  const { segmentBytes, groupBytesMax } = SMALL_SIZES
  let timeUs = 1
  for (let round = 0; round < 60; round++) {
    const entries = Array.from({ length: 60 }, (_, place) => ({
      id: (round * 7 + place * 13) % 400,
      timeUs: timeUs++,
      value: timeUs,
      blobBytes: 300,
    }))
    await table.write(entries, 'batch')
    const { diskBytes, liveBytes } = store.stats()
    // The group that is written when the bound is met may still go over it, and a step's copies.
    const slack = 2 * groupBytesMax + entries.length * 400
    expect(diskBytes).toBeLessThan(2 * liveBytes + 2 * segmentBytes + slack)
  }
  expect(store.stats().counters['segmentsRetired']).toBeGreaterThan(5)
  expect((await store.verify()).damages).toEqual([])
})

test('touches that are superseded are given back too', async () => {
  const entries = Array.from({ length: 300 }, (_, id) => ({ id, timeUs: 0, value: id }))
  await table.write(entries)
  for (let timeUs = 1; timeUs < 150; timeUs++) {
    await table.write(
      entries.map((entry) => ({ ...entry, timeUs })),
      'batch',
    )
  }
  const { diskBytes, liveBytes } = store.stats()
  expect(diskBytes).toBeLessThan(2 * liveBytes + 3 * SMALL_SIZES.segmentBytes)
  disk = disk.copy()
  store = await openEmbeddedStore({ dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES })
  table = await SampleTable.open(store)
  expect(await table.read([0, 299])).toEqual([
    { value: 0, blobBytes: 8, timeUs: 149 },
    { value: 299, blobBytes: 8, timeUs: 149 },
  ])
})

test('a dry run says what would happen and leaves everything as it was', async () => {
  await table.write([{ id: 1, timeUs: 10, value: 1 }])
  const before = store.stats()
  const batch = sampleBatch(
    table.handle,
    [
      { id: 1, timeUs: 20, value: 1 },
      { id: 1, timeUs: 5, value: 2 },
      { id: 2, timeUs: 5, value: 2 },
      { id: 2, timeUs: 6 },
    ],
    'batch',
  )
  expect(outcomeNames(await store.judgeMany(batch))).toEqual(['touched', 'older', 'new', 'deleted'])
  expect(store.stats()).toEqual(before)
  expect(await table.read([1, 2])).toEqual([{ value: 1, blobBytes: 8, timeUs: 10 }, undefined])
})

test('a store opened by its snapshot is read through while it is idle', async () => {
  await table.write(Array.from({ length: 500 }, (_, id) => ({ id, timeUs: 1, value: id })))
  await store.close()
  store = await openEmbeddedStore({ dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES })
  const unchecked = () => store.stats().counters['segmentsUnchecked']
  expect(unchecked()).toBeGreaterThan(0)
  while (unchecked() !== 0) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(store.stats().counters['damagesFound']).toBe(0)
})
