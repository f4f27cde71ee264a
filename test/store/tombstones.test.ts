/** How long a delete is remembered, and what compaction does with it. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { TOMBSTONE_RETENTION_US } from '../../src/base/limits.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { SampleTable } from './sample-table.ts'

let disk: MemoryDisk
let store: EmbeddedStore
let table: SampleTable
let nowUs: number

async function open(): Promise<void> {
  const options = { dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES } as const
  store = await openEmbeddedStore({ ...options, clock: () => nowUs })
  table = await SampleTable.open(store)
}

async function reopenKilled(): Promise<void> {
  disk = disk.copy()
  await open()
}

describe('a tombstone', () => {
  beforeEach(async () => {
    disk = new MemoryDisk()
    nowUs = 1_000_000
    await open()
  })

  test('blocks late rows until its retention is over, through compaction and reopening', async () => {
    await table.write([{ id: 1, timeUs: 1000, value: 1 }])
    await table.write([{ id: 1, timeUs: 2000 }])
    nowUs = 2000 + TOMBSTONE_RETENTION_US
    await store.compact()
    await store.compact()
    expect(store.stats().tombstones).toBe(1)
    await reopenKilled()
    expect(await table.write([{ id: 1, timeUs: 1500, value: 2 }])).toEqual(['older'])
  })

  test('goes when its retention is over, and its row does not come back', async () => {
    await table.write([{ id: 1, timeUs: 1000, value: 1 }])
    await table.write([{ id: 1, timeUs: 2000 }])
    await table.write([{ id: 2, timeUs: 2000, value: 2 }])
    nowUs = 2001 + TOMBSTONE_RETENTION_US
    await store.compact()
    await store.compact()
    expect(store.stats().tombstones).toBe(0)
    expect(store.stats().counters['tombstonesDropped']).toBe(1)
    await reopenKilled()
    expect(await table.read([1, 2])).toEqual([undefined, { value: 2, blobBytes: 8, timeUs: 2000 }])
    expect(await table.write([{ id: 1, timeUs: 1500, value: 3 }])).toEqual(['new'])
  })

  test('stays while another segment may hold an older version of its key', async () => {
    // The first segment is full of rows that stay current, and of one that is deleted later.
    const kept = Array.from({ length: 100 }, (_, id) => ({
      id,
      timeUs: 1,
      value: id,
      blobBytes: 500,
    }))
    await table.write(kept)
    expect(store.stats().segments).toBe(1)
    const filler = Array.from({ length: 60 }, (_, id) => ({
      id: 1000 + id,
      timeUs: 1,
      value: id,
      blobBytes: 500,
    }))
    await table.write(filler)
    await table.write([{ id: 5, timeUs: 2 }])
    await table.write(filler.map((entry) => ({ ...entry, timeUs: 3, value: entry.value + 1 })))
    nowUs = 3 + TOMBSTONE_RETENTION_US * 2
    // Only what is dead enough is compacted by itself, and not the segment with the kept rows.
    await table.write(filler.map((entry) => ({ ...entry, timeUs: 4, value: entry.value + 2 })))
    await table.write(filler.map((entry) => ({ ...entry, timeUs: 5, value: entry.value + 3 })))
    await reopenKilled()
    expect(await table.read([4, 5])).toEqual([{ value: 4, blobBytes: 500, timeUs: 1 }, undefined])
  })

  test('that is touched is as late as the touch says', async () => {
    await table.write([{ id: 1, timeUs: 10 }])
    expect(await table.write([{ id: 1, timeUs: 30 }])).toEqual(['touched'])
    await reopenKilled()
    expect(await table.write([{ id: 1, timeUs: 20, value: 1 }])).toEqual(['older'])
    await store.compact()
    await reopenKilled()
    expect(await table.write([{ id: 1, timeUs: 20, value: 1 }])).toEqual(['older'])
    expect(await table.write([{ id: 1, timeUs: 30, value: 1 }])).toEqual(['new'])
  })
})
