/** The order rule over DynamoDB: the end state depends on the rows, not on the way they came. */
import { expect, test } from 'bun:test'
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import type { Lane } from '../../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import { endOf, makeHistory } from '../row-history.ts'
import type { SampleEntry } from '../sample-table.ts'
import { sampleBatch } from '../sample-table.ts'
import type { OpenSample, StoreOptions } from './dynamo-table.ts'
import { DynamoTables } from './dynamo-table.ts'

const IDS = Array.from({ length: 25 }, (_, id) => id)
const LANES: readonly Lane[] = ['direct', 'stream', 'batch']
const DAY_US = 24 * 3600 * 1_000_000

await describeWithDynamo('the order rule over DynamoDB', (url) => {
  /** Writes the entries in this order through any of the stores: batches of any size, several under way. */
  async function arrive(
    entries: readonly SampleEntry[],
    random: SeededRandom,
    stores: readonly OpenSample[],
  ): Promise<void> {
    let underWay: Promise<unknown>[] = []
    for (let start = 0; start < entries.length;) {
      const batch = entries.slice(start, start + 1 + random.below(20))
      start += batch.length
      underWay.push(random.pick(stores).table.write(batch, random.pick(LANES)))
      if (!random.chance(0.3)) continue
      await Promise.all(underWay)
      underWay = []
    }
    await Promise.all(underWay)
  }

  test('the same rows in any order, through one writer or several, end in the same state', async () => {
    const random = new SeededRandom('order over DynamoDB')
    for (let round = 0; round < stepsOf(6); round++) {
      const history = makeHistory(random, IDS, 0)
      const tables = await DynamoTables.create(url)
      const options = { callKeysMax: 1 + random.below(10) }
      const stores = await Promise.all(
        Array.from({ length: 1 + random.below(3) }, () => tables.sample(options)),
      )
      await arrive(random.shuffled(history), random, stores)
      expect(await stores[0]!.table.read(IDS)).toEqual(IDS.map((id) => endOf(history, id)))
      for (const { store } of stores) await store.close()
    }
  }, 120_000)

  test('with a ledger deletes keep their place, also when it is opened again', async () => {
    const random = new SeededRandom('order with a ledger')
    for (let round = 0; round < stepsOf(6); round++) {
      const history = makeHistory(random, IDS, 0.15)
      const arriving = random.shuffled(history)
      const tables = await DynamoTables.create(url)
      const directory = newDirectory()
      const ledger: StoreOptions['ledger'] = { disk: nodeDisk, directory, nowUs: () => 0 }
      const cut = random.below(arriving.length)
      for (const part of [arriving.slice(0, cut), arriving.slice(cut)]) {
        const opened = await tables.sample({ ledger })
        await arrive(part, random, [opened])
        await opened.store.close()
      }
      const { store, table } = await tables.sample({ ledger })
      expect(await table.read(IDS)).toEqual(IDS.map((id) => endOf(history, id)))
      await store.close()
      removeDirectory(directory)
    }
  }, 120_000)

  test('within the refresh gap a later time of the same content is not stored, and a late row wins', async () => {
    const tables = await DynamoTables.create(url)
    const { store, table } = await tables.sample({ refreshAfterUs: undefined })
    expect(await table.write([{ id: 1, timeUs: 0, value: 1 }])).toEqual(['new'])
    expect(await table.write([{ id: 1, timeUs: DAY_US, value: 1 }])).toEqual(['unchanged'])
    expect(await table.read([1])).toEqual([{ value: 1, blobBytes: 8, timeUs: 0 }])
    expect(await table.write([{ id: 1, timeUs: DAY_US - 5, value: 2 }])).toEqual(['changed'])
    expect(await table.write([{ id: 1, timeUs: 2 * DAY_US, value: 2 }])).toEqual(['refreshed'])
    expect(await table.write([{ id: 1, timeUs: 2 * DAY_US - 1, value: 3 }])).toEqual(['older'])
    expect(await table.read([1])).toEqual([{ value: 2, blobBytes: 8, timeUs: 2 * DAY_US }])
    await store.close()
  })

  test('a row that is written anyway takes its latest time along', async () => {
    const tables = await DynamoTables.create(url)
    const { store, table } = await tables.sample({ refreshAfterUs: undefined })
    const outcomes = await table.write([
      { id: 1, timeUs: 10, value: 1 },
      { id: 1, timeUs: 20, value: 1 },
      { id: 1, timeUs: 15, value: 2 },
    ])
    expect(outcomes).toEqual(['new', 'touched', 'older'])
    expect(await table.read([1])).toEqual([{ value: 1, blobBytes: 8, timeUs: 20 }])
    expect(store.stats().counters['itemsPut']).toBe(1)
    await store.close()
  })

  test('change detection tells the units that it spends and those that it spares', async () => {
    const tables = await DynamoTables.create(url)
    const { store, table } = await tables.sample({ refreshAfterUs: undefined })
    const entries = Array.from({ length: 10 }, (_, id) => ({ id, timeUs: 1, value: id }))
    const large = { id: 10, timeUs: 1, value: 1, blobBytes: 2900 }
    const batch = sampleBatch(table.handle, [...entries, large], 'batch')
    const first = await store.writeMany(batch)
    expect(first.writeUnits).toBe(10 + 3)
    expect(first.writeUnitsSaved).toBe(0)
    expect(first.bytesWritten).toBeGreaterThan(2900)
    const again = await store.writeMany(batch)
    expect([again.bytesWritten, again.writeUnits, again.writeUnitsSaved]).toEqual([0, 0, 13])
    await store.close()
  })

  test('what would happen is told without writing', async () => {
    const tables = await DynamoTables.create(url)
    const { store, table } = await tables.sample()
    await table.write([{ id: 1, timeUs: 10, value: 1 }])
    const { outcomes } = await store.judgeMany(
      sampleBatch(
        table.handle,
        [
          { id: 1, timeUs: 5, value: 2 },
          { id: 1, timeUs: 20, value: 2 },
          { id: 2, timeUs: 1, value: 2 },
          { id: 1, timeUs: 30 },
        ],
        'batch',
      ),
    )
    expect([...outcomes]).toEqual([5, 1, 0, 7])
    expect(await table.read([1, 2])).toEqual([{ value: 1, blobBytes: 8, timeUs: 10 }, undefined])
    await store.close()
  })
})
