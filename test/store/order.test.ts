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
import type { SampleEntry, SampleRow } from './sample-table.ts'
import { SampleTable } from './sample-table.ts'

const KEYS = 40
const IDS = Array.from({ length: KEYS }, (_, id) => id)
const LANES: readonly Lane[] = ['direct', 'stream', 'batch']

/**
 * For each key versions of different times, so that no tie is left to the order of arrival; some are
 * said more than once, and some say at a later time what was so before.
 */
function makeHistory(random: SeededRandom): SampleEntry[] {
  return IDS.flatMap((id) => {
    let timeUs = 100
    let value = 0
    const versions = Array.from({ length: 1 + random.below(8) }, (): SampleEntry => {
      timeUs += 1 + random.below(5)
      if (random.chance(0.15)) return { id, timeUs }
      if (random.chance(0.6)) value = random.below(4)
      return { id, timeUs, value, blobBytes: value * 20 }
    })
    return versions.flatMap((version) => (random.chance(0.3) ? [version, version] : [version]))
  })
}

/** What the rule says of a key whatever the order: the content and time of its latest version. */
function endOf(history: readonly SampleEntry[], id: number): SampleRow | undefined {
  const latest = history
    .filter((entry) => entry.id === id)
    .reduce((best, entry) => (entry.timeUs >= best.timeUs ? entry : best))
  if (latest.value === undefined) return undefined
  return { value: latest.value, blobBytes: latest.blobBytes!, timeUs: latest.timeUs }
}

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
    const history = makeHistory(random)
    const expected = IDS.map((id) => endOf(history, id))
    const disk = await arrive(random.shuffled(history), random)
    const { store, table } = await openOn(disk)
    expect(await table.read(IDS)).toEqual(expected)
    await store.close()
  }
}, 600_000)
