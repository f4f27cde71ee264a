/**
 * One history of rows, repeats, late rows, deletes and touches, in many orders of arrival, lanes and
 * groupings: the end state depends on the rows, not on the way they came.
 */
import { expect, test } from 'bun:test'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import type { Lane } from '../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { endOf, makeHistory } from './row-history.ts'
import type { SampleEntry } from './sample-table.ts'
import { SampleTable } from './sample-table.ts'

const KEYS = 40
const IDS = Array.from({ length: KEYS }, (_, id) => id)
const LANES: readonly Lane[] = ['direct', 'stream', 'batch']

async function openOn(disk: MemoryDisk): Promise<{ store: EmbeddedStore; table: SampleTable }> {
  const options = { dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES } as const
  const store = await openEmbeddedStore({ ...options, clock: () => 0 })
  return { store, table: await SampleTable.open(store) }
}

/** Writes the entries in this order: in batches of any size, several under way at once, any lanes. */
async function arrive(entries: readonly SampleEntry[], random: SeededRandom): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  let { store, table } = await openOn(disk)
  let underWay: Promise<unknown>[] = []
  for (let start = 0; start < entries.length;) {
    const batch = entries.slice(start, start + 1 + random.below(20))
    start += batch.length
    underWay.push(table.write(batch, random.pick(LANES)))
    if (random.chance(0.3)) {
      await Promise.all(underWay)
      underWay = []
      if (random.chance(0.2)) await store.compact()
      if (random.chance(0.2)) {
        await store.close()
        ;({ store, table } = await openOn(disk))
      }
    }
  }
  await Promise.all(underWay)
  await store.close()
  return disk
}

test('the same rows in any order of arrival end in the same state', async () => {
  const random = new SeededRandom('order of arrival')
  for (let round = 0; round < stepsOf(60); round++) {
    const history = makeHistory(random, IDS, 0.15)
    const expected = IDS.map((id) => endOf(history, id))
    const disk = await arrive(random.shuffled(history), random)
    const { store, table } = await openOn(disk)
    expect(await table.read(IDS)).toEqual(expected)
    await store.close()
  }
}, 600_000)
