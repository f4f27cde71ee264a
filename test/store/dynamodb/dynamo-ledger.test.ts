/** Writing by a ledger: what it spares, what it remembers, and how a wrong one is found. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { TOMBSTONE_RETENTION_US } from '../../../src/base/limits.ts'
import type { FeatureView } from '../../../src/catalog/catalog.ts'
import { openCatalog } from '../../../src/catalog/open-catalog.ts'
import { runLedgerCheck, runLedgerRebuild } from '../../../src/commands/ingest-ledger.ts'
import { valueType } from '../../../src/catalog/value-type.ts'
import { encodeLayout, makeLayout } from '../../../src/row/layout.ts'
import { checkLedger, rebuildLedger } from '../../../src/store/dynamodb/ledger-scan.ts'
import type { LedgerAsked, LedgerParts } from '../../../src/store/dynamodb/open-ledger.ts'
import { WritePace } from '../../../src/store/dynamodb/write-pace.ts'
import { makeWriteCounters } from '../../../src/store/dynamodb/write-counters.ts'
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import { SAMPLE_SPEC, SampleTable } from '../sample-table.ts'
import { DynamoTables, clientOf, quickClock, sampleEntityId, textOf } from './dynamo-table.ts'
import { FaultyCalls, isWrite } from './faulty-calls.ts'

await describeWithDynamo('a ledger of a DynamoDB table', (url) => {
  let directory: string
  let tables: DynamoTables
  let nowUs: number
  let ledger: LedgerParts
  let asked: LedgerAsked

  beforeEach(async () => {
    directory = newDirectory()
    tables = await DynamoTables.create(url)
    nowUs = 0
    ledger = { disk: nodeDisk, directory, nowUs: () => nowUs }
    asked = {
      name: tables.name('sample'),
      layout: SAMPLE_SPEC.layout,
      calls: clientOf(url),
      pace: new WritePace(quickClock(), 1, makeWriteCounters()),
    }
  })

  afterEach(() => removeDirectory(directory))

  const rowsOf = (count: number, timeUs: number) =>
    Array.from({ length: count }, (_, id) => ({ id, timeUs, value: id }))

  test('reads nothing but what it audits, and writes only what changed', async () => {
    const first = await tables.sample({ ledger })
    await first.table.write(rowsOf(150, 10))
    await first.store.close()
    const calls = new FaultyCalls(clientOf(url))
    const { store, table } = await tables.sample({ ledger, calls, refreshAfterUs: undefined })
    calls.made.length = 0
    const changed = { id: 7, timeUs: 20, value: 8 }
    const outcomes = await table.write([...rowsOf(150, 10), changed])
    expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(150)
    expect(outcomes.at(-1)).toBe('changed')
    expect(calls.made).toEqual(['BatchGetItem', 'BatchGetItem', 'PutItem'])
    expect(store.stats().counters['keysAudited']).toBe(150)
    await store.close()
  })

  test('remembers deletes until their retention is over', async () => {
    const opened = await tables.sample({ ledger })
    await opened.table.write([{ id: 1, timeUs: 10, value: 1 }])
    expect(await opened.table.write([{ id: 1, timeUs: 20 }])).toEqual(['deleted'])
    expect(await tables.item(1)).toBeUndefined()
    await opened.store.close()
    nowUs = 20 + TOMBSTONE_RETENTION_US
    const again = await tables.sample({ ledger })
    expect(await again.table.write([{ id: 1, timeUs: 15, value: 2 }])).toEqual(['older'])
    nowUs++
    expect(await again.table.write([{ id: 1, timeUs: 15, value: 2 }])).toEqual(['new'])
    await again.store.close()
  })

  const foreign = [
    ['a row that was put', () => tables.putForeign(5, textOf(10), 99n)],
    ['a later time', () => tables.putForeign(5, textOf(11), 5n)],
    ['a row that was taken away', () => tables.deleteForeign(5)],
    ['a row of a key that it does not know', () => tables.putForeign(300, textOf(1), 1n)],
  ] as const

  test.each(foreign)('is not believed after %s by someone else', async (_, change) => {
    const first = await tables.sample({ ledger })
    await first.table.write(rowsOf(120, 10))
    await first.store.close()
    await change()
    const { store, table } = await tables.sample({ ledger })
    const rows = [...rowsOf(120, 30), { id: 300, timeUs: 30, value: 1 }]
    await expect(table.write(rows)).rejects.toMatchObject({
      code: 'store_damaged',
      allowed: expect.stringContaining('salver ingest ledger rebuild'),
    })
    expect(store.stats().counters['itemsPut']).toBe(0)
    await store.close()
    expect((await checkLedger(ledger, asked)).different).toBe(1)
    await rebuildLedger(ledger, asked)
    expect((await checkLedger(ledger, asked)).different).toBe(0)
    const again = await tables.sample({ ledger })
    await again.table.write(rows)
    expect(await again.table.read([5, 300])).toEqual([
      { value: 5, blobBytes: 8, timeUs: 30 },
      { value: 1, blobBytes: 8, timeUs: 30 },
    ])
    await again.store.close()
  })

  test('made anew from the table says what the one said that wrote it', async () => {
    const { store, table } = await tables.sample({ ledger })
    await table.write(rowsOf(200, 10))
    await table.write([
      { id: 3, timeUs: 20 },
      { id: 4, timeUs: 20, value: 9, blobBytes: 100 },
    ])
    await store.close()
    const before = await checkLedger(ledger, asked)
    expect(before).toEqual({
      rows: 199,
      tombstones: 1,
      items: 199,
      inDoubt: 0,
      different: 0,
      differences: [],
    })
    expect(await rebuildLedger(ledger, asked)).toEqual({ rows: 199, tombstones: 1 })
    expect(await checkLedger(ledger, asked)).toEqual(before)
    const again = await tables.sample({ ledger, refreshAfterUs: undefined })
    expect(await again.table.write([{ id: 3, timeUs: 15, value: 1 }])).toEqual(['older'])
    expect(new Set(await again.table.write(rowsOf(3, 10)))).toEqual(new Set(['unchanged']))
    await again.store.close()
  })

  test('compared with the whole table shows every difference that was planted', async () => {
    const { store, table } = await tables.sample({ ledger })
    await table.write(rowsOf(200, 10))
    await store.close()
    await tables.putForeign(1, textOf(10), 2n)
    await tables.putForeign(2, textOf(11), 2n)
    await tables.deleteForeign(3)
    await tables.putForeign(300, textOf(10), 2n)
    const { different, differences } = await checkLedger(ledger, asked)
    expect(different).toBe(4)
    const fingerprint = (id: number): string => sampleEntityId(id).slice(0, 16)
    expect(new Map(differences.map((one) => [one.fingerprint, one.what]))).toEqual(
      new Map([
        [fingerprint(1), 'another content'],
        [fingerprint(2), 'another time'],
        [fingerprint(3), 'missing in the table'],
        [fingerprint(300), 'missing in the ledger'],
      ]),
    )
  })

  test('is not begun beside rows that it does not know', async () => {
    await tables.putForeign(1, textOf(10), 2n)
    await expect(tables.sample({ ledger })).rejects.toMatchObject({
      code: 'usage',
      allowed: expect.stringContaining('salver ingest ledger rebuild'),
    })
    await rebuildLedger(ledger, asked)
    const { store, table } = await tables.sample({ ledger })
    expect(await table.write([{ id: 1, timeUs: 9, value: 2 }])).toEqual(['older'])
    await store.close()
  })

  test('made for other features asks to be made anew; one of a partial view is refused', async () => {
    ;(await tables.sample({ ledger })).store.close()
    const features = [{ name: 'value', type: valueType('INT64') }]
    const open = (times: boolean) => {
      const layout = encodeLayout(makeLayout(features, times))
      return SampleTable.open(tables.store({ ledger }), { ...SAMPLE_SPEC, layout })
    }
    await expect(open(false)).rejects.toMatchObject({
      code: 'store_damaged',
      allowed: expect.stringContaining('salver ingest ledger rebuild'),
    })
    await expect(open(true)).rejects.toMatchObject({ code: 'usage' })
  })

  test('of a writer that was killed leaves its last writes in doubt, and they are read', async () => {
    const first = await tables.sample({ ledger })
    await first.table.write(rowsOf(20, 10))
    await first.store.close()
    const calls = new FaultyCalls(clientOf(url))
    const killed = await tables.sample({ ledger, calls })
    let writes = 0
    calls.fate = ({ operation }) => {
      if (!isWrite(operation) || writes++ < 4) return 'done'
      return writes === 5 ? 'lost' : 'cut'
    }
    const rows = rowsOf(20, 30).map((row) => ({ ...row, value: row.value + 1 }))
    await expect(killed.table.write(rows)).rejects.toThrow()
    await killed.store.close()
    const check = await checkLedger(ledger, asked)
    expect(check.different).toBe(0)
    expect(check.inDoubt).toBe(1)
    const again = await tables.sample({ ledger })
    const outcomes = await again.table.write(rows)
    expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === 'changed')).toHaveLength(15)
    await again.store.close()
    expect((await checkLedger(ledger, asked)).inDoubt).toBe(0)
  })

  test('that is not there is told, and nothing is made by looking for it', async () => {
    await expect(checkLedger(ledger, asked)).rejects.toMatchObject({ code: 'usage' })
    expect(nodeDisk.names(directory)).toEqual([])
  })

  test('is rebuilt and checked by commands that tell what they found', async () => {
    const catalog = await openCatalog('test/fixtures/feast/feature_repo')
    const view: FeatureView = catalog.views.find(({ partial }) => !partial)!
    const out: string[] = []
    const io = { out: (text: string) => out.push(text), err: () => undefined, errIsTerminal: false }
    const name = (): string => tables.name('sample')
    const job = { view, calls: clientOf(url), tableName: name, ledgerDir: directory, json: false }
    expect(await runLedgerRebuild(job, io)).toBe(0)
    expect(await runLedgerCheck(job, io)).toBe(0)
    await tables.putForeign(1, textOf(10), 2n)
    expect(await runLedgerCheck({ ...job, json: true }, io)).toBe(1)
    expect(out[0]).toContain('the ledger holds 0 rows, 0 tombstones')
    expect(out[1]).toContain('no difference')
    expect(JSON.parse(out[2]!)).toMatchObject({
      ok: false,
      different: 1,
      differences: [{ what: 'missing in the ledger' }],
    })
  })
})
