/** A store that throttles, leaves items out, loses answers, or is not there: the run goes on, or ends whole. */
import { expect, test } from 'bun:test'
import { STORE_WRITE_RETRY_MS_MAX } from '../../../src/base/limits.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { encodeLayout, makeLayout } from '../../../src/row/layout.ts'
import type { OutcomeName } from '../../../src/row/order-rule.ts'
import { RowWriter } from '../../../src/row/row-writer.ts'
import { DynamoFailure } from '../../../src/store/dynamodb/dynamo-failure.ts'
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import { endOf, makeHistory } from '../row-history.ts'
import type { SampleEntry } from '../sample-table.ts'
import { KEY_BYTES, SAMPLE_SPEC, outcomeNames, writeSampleKey } from '../sample-table.ts'
import { ModelTable } from '../model-table.ts'
import type { StoreOptions } from './dynamo-table.ts'
import { DynamoTables, clientOf, quickClock, sampleEntityId } from './dynamo-table.ts'
import type { Fate } from './faulty-calls.ts'
import { FaultyCalls, isWrite } from './faulty-calls.ts'

const IDS = Array.from({ length: 30 }, (_, id) => id)

/** A row within its bound whose item is not: DynamoDB counts the names of attributes. */
const LONG_NAMES = makeLayout(
  Array.from({ length: 60 }, (_, position) => ({
    name: `${position}_${'n'.repeat(240)}`,
    type: valueType('BYTES'),
  })),
  false,
)

const FATES: readonly Fate[] = ['done', 'throttled', 'lost', 'down', 'part']

await describeWithDynamo('a DynamoDB that fails', (url) => {
  const slices = (entries: readonly SampleEntry[], size: number): SampleEntry[][] =>
    Array.from({ length: Math.ceil(entries.length / size) }, (_, slice) =>
      entries.slice(slice * size, (slice + 1) * size),
    )

  /** A ledger in a directory of its own, or none. */
  const ways: readonly (readonly [name: string, hasLedger: boolean])[] = [
    ['by reading', false],
    ['by a ledger', true],
  ]

  test.each(ways)(
    '%s: outcomes and end are those of one that does not fail',
    async (_, hasLedger) => {
      const random = new SeededRandom('faults')
      for (let round = 0; round < stepsOf(4); round++) {
        const history = random.shuffled(makeHistory(random, IDS, hasLedger ? 0.15 : 0))
        const tables = await DynamoTables.create(url)
        const directory = newDirectory()
        const ledger = hasLedger ? { disk: nodeDisk, directory, nowUs: () => 0 } : undefined
        const calls = new FaultyCalls(clientOf(url))
        const clock = quickClock(() => random.next())
        const { store, table } = await tables.sample({ calls, clock, ledger, callKeysMax: 7 })
        calls.fate = () => (random.chance(0.5) ? 'done' : random.pick(FATES))
        const model = new ModelTable()
        for (const batch of slices(history, 15)) {
          const outcomes = await table.write(batch)
          const expected = batch.map((entry) => model.apply(entry))
          // A touch on its own is a refresh here, and which of a batch's is on its own is not the model's.
          const told: readonly OutcomeName[] = outcomes.map((outcome) =>
            outcome === 'refreshed' ? 'touched' : outcome,
          )
          expect(told).toEqual(expected)
        }
        expect(await table.read(IDS)).toEqual(IDS.map((id) => endOf(history, id)))
        await store.close()
        removeDirectory(directory)
      }
    },
    120_000,
  )

  test.each(ways)(
    '%s: a run cut off at any call and run again ends in the same table',
    async (_, hasLedger) => {
      const random = new SeededRandom('cut off')
      const ids = IDS.slice(0, 12)
      const before = makeHistory(random, ids, hasLedger ? 0.2 : 0)
      const history = makeHistory(random, ids, hasLedger ? 0.2 : 0).map((entry) => ({
        ...entry,
        timeUs: entry.timeUs + 20,
      }))
      for (let cutAt = 0; ; cutAt++) {
        const tables = await DynamoTables.create(url)
        const directory = newDirectory()
        const ledger = hasLedger ? { disk: nodeDisk, directory, nowUs: () => 0 } : undefined
        const options: Partial<StoreOptions> = { ledger, callKeysMax: 5 }
        const first = await tables.sample(options)
        await first.table.write(before)
        await first.store.close()
        const calls = new FaultyCalls(clientOf(url))
        const cut = await tables.sample({ ...options, calls })
        let made = 0
        // The last call before the end may have come through or not.
        const last = random.pick<Fate>(['lost', 'cut'])
        calls.fate = () => (made++ < cutAt ? 'done' : made === cutAt + 1 ? last : 'cut')
        let isWhole = true
        for (const batch of slices(history, 9)) {
          await cut.table.write(batch).catch(() => (isWhole = false))
          if (!isWhole) break
        }
        await cut.store.close()
        const again = await tables.sample(options)
        for (const batch of slices(history, 9)) await again.table.write(batch)
        const all = [...before, ...history]
        expect(await again.table.read(ids)).toEqual(ids.map((id) => endOf(all, id)))
        await again.store.close()
        removeDirectory(directory)
        if (isWhole) break
      }
    },
    240_000,
  )

  test('a write whose answer was lost is told as what it did', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ calls, clock: quickClock() })
    await table.write([
      { id: 2, timeUs: 10, value: 1 },
      { id: 3, timeUs: 10, value: 1 },
      { id: 4, timeUs: 10, value: 1 },
      { id: 5, timeUs: 10, value: 1 },
    ])
    let lost = 0
    calls.fate = ({ operation }) => (isWrite(operation) && lost++ < 5 ? 'lost' : 'done')
    const entries: SampleEntry[] = [
      { id: 1, timeUs: 20, value: 1 },
      { id: 2, timeUs: 20, value: 2 },
      { id: 3, timeUs: 20, value: 1 },
      { id: 4, timeUs: 20 },
      { id: 5, timeUs: 10, value: 2 },
    ]
    const done = ['new', 'changed', 'refreshed', 'deleted', 'changed'] as const
    expect(await table.write(entries)).toEqual([...done])
    expect(store.stats().counters['lostAnswersFound']).toBe(4)
    expect((await table.write(entries)).slice(0, 3)).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
    ])
    await store.close()
  })

  test('nothing that BatchWriteItem leaves out is lost', async () => {
    const random = new SeededRandom('assume empty')
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const clock = quickClock(() => random.next())
    const { store, table } = await tables.sample({ calls, clock, assumeEmpty: true })
    calls.fate = () => (random.chance(0.3) ? 'done' : random.pick(FATES))
    const ids = Array.from({ length: 200 }, (_, id) => id)
    const outcomes = await table.write(ids.map((id) => ({ id, timeUs: 10 + id, value: id })))
    expect(new Set(outcomes)).toEqual(new Set(['new']))
    calls.fate = () => 'done'
    expect(await table.read(ids)).toEqual(
      ids.map((id) => ({ value: id, blobBytes: 8, timeUs: 10 + id })),
    )
    // Of a key that comes again the run knows what it wrote itself.
    expect(
      await table.write([
        { id: 1, timeUs: 5, value: 7 },
        { id: 2, timeUs: 50, value: 7 },
        { id: 3, timeUs: 13, value: 3 },
        { id: 4, timeUs: 60 },
        { id: 4, timeUs: 59, value: 1 },
        { id: 900, timeUs: 3 },
        { id: 900, timeUs: 2, value: 1 },
      ]),
    ).toEqual(['older', 'changed', 'unchanged', 'deleted', 'older', 'deleted', 'older'])
    expect((await table.read([1, 2, 3, 4, 900])).map((row) => Object(row).value)).toEqual([
      1,
      7,
      3,
      undefined,
      undefined,
    ])
    expect(calls.count('BatchGetItem')).toBe(1) // the look at whether the table is there
    await store.close()
  })

  test('throttling lets fewer calls go at once, and answers let them grow again', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ calls, clock: quickClock() })
    let underWay = 0
    let underWayMax = 0
    let throttled = 0
    calls.fate = async ({ operation }): Promise<Fate> => {
      if (!isWrite(operation)) return 'done'
      underWayMax = Math.max(underWayMax, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return throttled++ < 300 ? 'throttled' : 'done'
    }
    const ids = Array.from({ length: 300 }, (_, id) => id)
    await table.write(ids.map((id) => ({ id, timeUs: 10, value: id })))
    expect(underWayMax).toBe(64)
    expect(store.stats().counters['callsThrottled']).toBe(300)
    expect((await tables.items()).size).toBe(300)
    await store.close()
  })

  test.each(['throttled', 'down'] as const)(
    'a store that is %s for too long is told, and nothing is half done',
    async (fate) => {
      const tables = await DynamoTables.create(url)
      const calls = new FaultyCalls(clientOf(url))
      const clock = quickClock()
      const { store, table } = await tables.sample({ calls, clock })
      const startMs = clock.now()
      calls.fate = ({ operation }) => (isWrite(operation) ? fate : 'done')
      // `rejects` would hold the event loop up, on which the pauses wait.
      const fault: unknown = await table.write([{ id: 1, timeUs: 10, value: 1 }]).catch(Object)
      expect(fault).toMatchObject({ code: fate === 'down' ? 'unavailable' : 'write_failed' })
      expect(clock.now() - startMs).toBeGreaterThan(STORE_WRITE_RETRY_MS_MAX)
      expect(await table.read([1])).toEqual([undefined])
      calls.fate = () => 'done'
      expect(await table.write([{ id: 1, timeUs: 10, value: 1 }])).toEqual(['new'])
      await store.close()
    },
  )

  test.each([false, true])(
    'an item that DynamoDB finds too large is rejected alone (assume empty: %p)',
    async (assumeEmpty) => {
      const tables = await DynamoTables.create(url)
      const calls = new FaultyCalls(clientOf(url))
      const { store, table } = await tables.sample({ calls, assumeEmpty })
      calls.fate = ({ operation, body }) => {
        const isIn = new TextDecoder().decode(body).includes(sampleEntityId(2))
        if (operation === 'BatchGetItem' || !isIn) return 'done'
        const message = 'Item size has exceeded the maximum allowed size'
        throw new DynamoFailure('refused', 'ValidationException', message, new Uint8Array(0))
      }
      const entries = [1, 2, 3].map((id) => ({ id, timeUs: 1, value: 1 }))
      expect(await table.write(entries)).toEqual(['new', 'rejected', 'new'])
      expect((await tables.items()).size).toBe(2)
      expect(store.stats().counters['rowsRefused']).toBe(1)
      await store.close()
    },
  )

  test('a call that will be refused again ends the run at once', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ calls })
    calls.fate = ({ operation }) => {
      if (!isWrite(operation)) return 'done'
      throw new DynamoFailure('refused', 'AccessDeniedException', 'not yours', new Uint8Array(0))
    }
    await expect(table.write([{ id: 1, timeUs: 1, value: 1 }])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not yours'),
    })
    expect(calls.count('PutItem')).toBe(1)
    await store.close()
  })

  test('a table that is not there is told with what makes it', async () => {
    const tables = new DynamoTables(url)
    await expect(tables.sample()).rejects.toMatchObject({
      code: 'unavailable',
      allowed: '`salver tables create`, or `feast apply`',
    })
  })

  test.each([false, true])(
    'an item larger than DynamoDB takes is rejected, the others go on (assume empty: %p)',
    async (assumeEmpty) => {
      const tables = await DynamoTables.create(url)
      const store = tables.store({ assumeEmpty })
      const handle = await store.openTable({ ...SAMPLE_SPEC, layout: encodeLayout(LONG_NAMES) })
      const builder = new WriteBatchBuilder()
      for (const [id, bytes] of [
        [1, 100],
        [2, 398_000],
        [3, 100],
      ] as const) {
        writeSampleKey(builder.keys, builder.reserveKey(KEY_BYTES), id)
        const row = new RowWriter(LONG_NAMES)
        row.begin(1)
        LONG_NAMES.features.forEach((_, position) => {
          row.set(position, position === 0 ? new Uint8Array(bytes) : null)
        })
        const start = builder.reserveRow(row.byteLength)
        builder.commit(ENTRY_ROW, 1, KEY_BYTES, row.finish(builder.rows, start))
      }
      const done = await store.writeMany(builder.take(handle.table, handle.layout, 'batch'))
      expect(outcomeNames(done)).toEqual(['new', 'rejected', 'new'])
      expect([...(await tables.items()).keys()].toSorted()).toEqual(
        [1, 3].map(sampleEntityId).toSorted(),
      )
      await store.close()
    },
  )
})
