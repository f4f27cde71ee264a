/** Other writers of the same table, Feast above all: no newer row of theirs is lost by our doing. */
import { expect, test } from 'bun:test'
import { parseTimeText } from '../../../src/base/time-text.ts'
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import type { SampleEntry } from '../sample-table.ts'
import { DynamoTables, clientOf, textOf } from './dynamo-table.ts'
import type { Fate } from './faulty-calls.ts'
import { FaultyCalls, isWrite } from './faulty-calls.ts'

const NOON_US = parseTimeText('2026-08-20T12:00:00Z')

await describeWithDynamo('a table that others write too', (url) => {
  /** Stored before: text, and whether a row of ours at noon is later, at the same time, or earlier. */
  const forms: readonly (readonly [
    text: string | undefined,
    ours: 'later' | 'same' | 'earlier',
  ])[] = [
    ['2026-08-20 11:59:59+00:00', 'later'],
    ['2026-08-20 12:00:00+00:00', 'same'],
    ['2026-08-20 12:00:00.000001+00:00', 'earlier'],
    ['2026-08-20 13:59:59+02:00', 'later'],
    ['2026-08-20 14:00:00+02:00', 'same'],
    ['2026-08-20 14:00:00.5+02:00', 'earlier'],
    ['2026-08-20 06:59:00-05:00', 'later'],
    ['2026-08-20 07:30:00-05:00', 'earlier'],
    ['2026-08-20 12:00:00', 'same'],
    ['2026-08-20T11:00:00Z', 'later'],
    ['2026-08-20T13:00:00Z', 'earlier'],
    ['2026-08-20 12:00:00.000000+00:00', 'same'],
    ['NaT', 'later'],
    ['', 'later'],
    ['99 bottles +00:00', 'later'],
    [undefined, 'later'],
  ]

  test.each(forms)('a stored time %p: a row of noon is %s', async (text, ours) => {
    const tables = await DynamoTables.create(url)
    const { store, table } = await tables.sample()
    for (const id of [1, 2, 3]) await tables.putForeign(id, text, 7n)
    const outcomes = await table.write([
      { id: 1, timeUs: NOON_US, value: 8 },
      { id: 2, timeUs: NOON_US, value: 7 },
      { id: 3, timeUs: NOON_US },
    ])
    const isTimeless = Number.isNaN(Date.parse(text ?? '')) || text?.startsWith('99') === true
    const expected = {
      later: ['changed', isTimeless ? 'changed' : 'refreshed', 'deleted'],
      same: ['changed', 'unchanged', 'deleted'],
      earlier: ['older', 'older', 'older'],
    }[ours]
    expect(outcomes).toEqual(expected as typeof outcomes)
    const isTaken = ours !== 'earlier'
    expect((await tables.item(1))?.['event_ts']).toEqual({ S: isTaken ? textOf(NOON_US) : text })
    expect((await tables.item(3)) === undefined).toBe(isTaken)
    await store.close()
  })

  test.each(forms)(
    'with a ledger, put by someone else, a stored time %p: %s',
    async (text, ours) => {
      const tables = await DynamoTables.create(url)
      const directory = newDirectory()
      const calls = new FaultyCalls(clientOf(url))
      const ledger = { disk: nodeDisk, directory, nowUs: () => 0 }
      const { store, table } = await tables.sample({ ledger, calls })
      // Between the audit and the put.
      let isPut = false
      calls.fate = async ({ operation }): Promise<Fate> => {
        if (isWrite(operation) && !isPut) {
          isPut = true
          await tables.putForeign(1, text, 7n)
        }
        return 'done'
      }
      const expected = ours === 'earlier' ? 'older' : 'changed'
      const outcome = await table.write([{ id: 1, timeUs: NOON_US, value: 8 }])
      const isPassed = outcome[0] === 'new' // the condition alone told that it is not later
      expect(isPassed ? 'changed' : outcome[0]).toBe(expected)
      const isTaken = ours !== 'earlier'
      expect((await tables.item(1))?.['event_ts']).toEqual({ S: isTaken ? textOf(NOON_US) : text })
      // What was met is in the ledger now.
      expect(await table.write([{ id: 1, timeUs: NOON_US, value: isTaken ? 8 : 9 }])).toEqual([
        isTaken ? 'unchanged' : 'older',
      ])
      await store.close()
      removeDirectory(directory)
    },
  )

  test('what another writer puts between look and write is judged again', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ calls })
    await table.write([1, 2, 3, 4].map((id) => ({ id, timeUs: NOON_US, value: 1 })))
    const putBetween = async (): Promise<void> => {
      await tables.putForeign(1, textOf(NOON_US + 50), 5n) // newer than ours
      await tables.putForeign(2, textOf(NOON_US + 1), 5n) // older than ours
      await tables.putForeign(3, textOf(NOON_US + 10), 6n) // exactly ours
      await tables.deleteForeign(4)
    }
    let between: Promise<void> | undefined
    calls.fate = async ({ operation }): Promise<Fate> => {
      if (isWrite(operation)) await (between ??= putBetween())
      return 'done'
    }
    const entries: SampleEntry[] = [
      { id: 1, timeUs: NOON_US + 10, value: 6 },
      { id: 2, timeUs: NOON_US + 10, value: 6 },
      { id: 3, timeUs: NOON_US + 10, value: 6 },
      { id: 4, timeUs: NOON_US + 10, value: 6 },
    ]
    expect(await table.write(entries)).toEqual(['older', 'changed', 'unchanged', 'new'])
    const times = (await table.read([1, 2, 3, 4])).map((row) => Object(row).timeUs - NOON_US)
    expect(times).toEqual([50, 10, 10, 10])
    expect(store.stats().counters['racesLost']).toBe(4)
    await store.close()
  })

  test('a key that others change each time is given up, and says so', async () => {
    const tables = await DynamoTables.create(url)
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ calls })
    let changes = 0
    calls.fate = async ({ operation }): Promise<Fate> => {
      if (isWrite(operation)) await tables.putForeign(1, textOf(++changes), 5n)
      return 'done'
    }
    await expect(table.write([{ id: 1, timeUs: NOON_US, value: 6 }])).rejects.toMatchObject({
      code: 'write_failed',
    })
    await store.close()
  })

  test('beside a writer that overwrites, no newer row is lost by our doing', async () => {
    const random = new SeededRandom('beside Feast')
    for (let round = 0; round < stepsOf(3); round++) {
      const tables = await DynamoTables.create(url)
      const calls = new FaultyCalls(clientOf(url))
      const { store, table } = await tables.sample({ calls })
      const ids = Array.from({ length: 10 }, (_, id) => id)
      // The other writer's times only grow, as those of one that follows a stream do.
      const others = new Map<number, number>()
      calls.fate = async ({ operation }): Promise<Fate> => {
        if (!isWrite(operation) || !random.chance(0.3)) return 'done'
        const id = random.pick(ids)
        const timeUs = (others.get(id) ?? 100) + random.below(40)
        others.set(id, timeUs)
        await tables.putForeign(id, textOf(timeUs), BigInt(random.below(9)))
        return 'done'
      }
      const ours = new Map<number, number>()
      for (let step = 0; step < 15; step++) {
        const entries = Array.from({ length: 1 + random.below(10) }, () => ({
          id: random.pick(ids),
          timeUs: 100 + random.below(300),
          value: random.below(9),
        }))
        for (const { id, timeUs } of entries) ours.set(id, Math.max(ours.get(id) ?? 0, timeUs))
        await table.write(entries)
      }
      const rows = await table.read(ids)
      for (const id of ids) {
        // An overwrite may have taken a newer one of ours away; never have we one of theirs.
        const storedUs = Object(rows[id] ?? { timeUs: 0 }).timeUs
        expect(storedUs).toBeGreaterThanOrEqual(others.get(id) ?? 0)
        if (!others.has(id)) expect(storedUs).toBe(ours.get(id) ?? 0)
      }
      await store.close()
    }
  }, 120_000)
})
