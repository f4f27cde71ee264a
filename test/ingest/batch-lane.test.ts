import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteFile } from 'hyparquet-writer'
import { SINK_BATCHES_MAX } from '../../src/base/limits.ts'
import { withRepeats } from '../../src/ingest/dry-run.ts'
import { emptyJudge, readerJudge } from '../../src/ingest/reader-judge.ts'
import type { Receipt } from '../../src/ingest/receipt.ts'
import { combineReceipts } from '../../src/ingest/receipt.ts'
import { receiptText } from '../../src/ingest/receipt-text.ts'
import { RejectsFile } from '../../src/ingest/rejects-file.ts'
import type { Sink } from '../../src/ingest/sink.ts'
import type { Source } from '../../src/ingest/source.ts'
import { judgingSink, openViewTable, storeSink } from '../../src/ingest/store-sink.ts'
import { OUTCOME } from '../../src/row/order-rule.ts'
import { NO_UNITS } from '../../src/store/write-batch.ts'
import { SeededRandom } from '../base/seeded-random.ts'
import {
  ingest,
  ingestInto,
  makeSource,
  makeView,
  openStore,
  readRows,
  sumOf,
  temporaryFolder,
} from './ingest-rig.ts'

const VIEW = makeView({ keys: { id: 'INT64' }, features: { x: 'DOUBLE', s: 'STRING' } })
const CREATED = makeView({
  keys: { id: 'INT64' },
  features: { x: 'DOUBLE' },
  changes: { batchSource: makeSource({ createdTimestampField: 'made' }) },
})

type Row = { readonly [name: string]: unknown }

function writeRows(rows: readonly Row[], name = 'rows.ndjson', folder = temporaryFolder()): string {
  const path = join(folder, name)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const row = (id: number, x: number, second: number): Row => ({
  id,
  x,
  s: `s${x}`,
  event_timestamp: at(second),
})

/** Counts of a receipt, without the zeros. */
const countsOf = (receipt: Receipt) =>
  Object.fromEntries(
    (['new', 'changed', 'unchanged', 'touched', 'refreshed', 'older', 'rejected'] as const)
      .map((name) => [name, receipt[name]])
      .filter(([, count]) => count !== 0),
  )

describe('a receipt', () => {
  test('says what happened to every row', async () => {
    const store = await openStore()
    const first = await ingest(store, VIEW, writeRows([row(1, 1, 0), row(2, 2, 0), row(3, 3, 5)]))
    expect(countsOf(first)).toEqual({ new: 3 })
    expect(first).toMatchObject({ read: 3, written: 3, writeUnitsSaved: 0 })
    const second = await ingest(
      store,
      VIEW,
      writeRows([
        row(1, 1, 0), // the same
        row(2, 2, 9), // confirmed later
        row(3, 9, 6), // other content
        row(3, 3, 1), // late
        row(4, 4, 0),
        { ...row(5, 5, 0), x: 'much' },
      ]),
    )
    expect(countsOf(second)).toEqual({
      new: 1,
      changed: 1,
      unchanged: 2,
      touched: 1,
      older: 1,
      rejected: 1,
    })
    expect(second).toMatchObject({ read: 6, written: 2, writeUnitsSaved: 3 })
    expect(sumOf(second)).toBe(second.read)
    const both = combineReceipts([first, second])
    expect(both).toMatchObject({ read: 9, new: 4, rejected: 1, written: 5 })
    expect(sumOf(both)).toBe(9)
    await store.close()
  })

  test('as text has its columns under each other', async () => {
    const store = await openStore()
    const receipt = await ingest(store, VIEW, writeRows([row(1, 1, 0), row(1, 1, 1)]))
    const lines = receiptText(receipt).split('\n')
    expect(lines[0]).toStartWith('view from ')
    expect(lines[1]).toBe('  read       2')
    expect(lines[4]).toBe('  unchanged  1  the same content; of 1 the time advanced')
    await store.close()
  })
})

describe('integers beyond 2^53', () => {
  const view = makeView({ keys: { id: 'INT64' }, features: { n: 'INT64' } })
  const [id, n] = [9007199254740993n, -9223372036854775807n]
  const files: readonly [name: string, write: (path: string) => void][] = [
    [
      'rows.ndjson',
      (path) => writeFileSync(path, `{"id":${id},"n":${n},"event_timestamp":"${at(0)}"}`),
    ],
    ['rows.csv', (path) => writeFileSync(path, `id,n,event_timestamp\n${id},${n},${at(0)}`)],
    [
      'rows.parquet',
      (filename) =>
        parquetWriteFile({
          filename,
          columnData: [
            { name: 'id', data: [id], type: 'INT64' },
            { name: 'n', data: [n], type: 'INT64' },
            { name: 'event_timestamp', data: [new Date(at(0))], type: 'TIMESTAMP' },
          ],
        }),
    ],
  ]
  test('are the same key and value whichever file they come from', async () => {
    const store = await openStore()
    for (const [name, write] of files) {
      const path = join(temporaryFolder(), name)
      write(path)
      const counts = countsOf(await ingest(store, view, path))
      expect(counts).toEqual(name === 'rows.ndjson' ? { new: 1 } : { unchanged: 1 })
    }
    expect([...readRows(store, view)]).toEqual([
      [String(id), { n, event_timestamp: Date.parse(at(0)) * 1000 }],
    ])
    await store.close()
  })
})

describe('created times', () => {
  const made = (id: number, x: number, second: number, created: string | null): Row => ({
    id,
    x,
    event_timestamp: at(second),
    made: created,
  })

  test('decide among rows of one event time, in whatever order they come', async () => {
    const random = new SeededRandom('created times')
    const rows = [
      made(1, 1, 0, at(1)),
      made(1, 2, 0, at(3)),
      made(1, 3, 0, at(2)),
      made(1, 4, -9, at(9)),
    ]
    for (let round = 0; round < 10; round++) {
      const store = await openStore()
      const receipt = await ingest(store, CREATED, writeRows(random.shuffled(rows)))
      expect(sumOf(receipt)).toBe(4)
      expect(readRows(store, CREATED).get('1')).toMatchObject({ x: 2 })
      await store.close()
    }
  })

  test('that are equal or unknown leave it to the order of the rows', async () => {
    const store = await openStore()
    await ingest(store, CREATED, writeRows([made(1, 1, 0, at(1)), made(1, 2, 0, at(1))]))
    await ingest(store, CREATED, writeRows([made(2, 1, 0, null), made(2, 2, 0, null)]))
    expect(readRows(store, CREATED).get('1')).toMatchObject({ x: 2 })
    expect(readRows(store, CREATED).get('2')).toMatchObject({ x: 2 })
    await store.close()
  })

  test('count the losers as older', async () => {
    const store = await openStore()
    const receipt = await ingest(
      store,
      CREATED,
      writeRows([made(1, 1, 0, at(5)), made(1, 2, 0, at(4)), made(2, 1, 0, at(0))]),
    )
    expect(countsOf(receipt)).toEqual({ new: 2, older: 1 })
    await store.close()
  })
})

describe('rejected rows', () => {
  test('stand in the rejects file with their place, reason and content', async () => {
    const store = await openStore()
    const path = join(temporaryFolder(), 'rows.ndjson')
    writeFileSync(
      path,
      [
        JSON.stringify(row(1, 1, 0)),
        '{"id":2,"x":"much","event_timestamp":"2026-01-01"}',
        'not json',
        '{"id":9007199254740993,"x":1,"event_timestamp":"soon"}',
      ].join('\n'),
    )
    const rejects = new RejectsFile(join(temporaryFolder(), 'rejects.ndjson'))
    const receipt = await ingest(store, VIEW, path, { rejects })
    expect(receipt).toMatchObject({ read: 4, new: 1, rejected: 3, rejectsPath: rejects.path })
    const lines = readFileSync(rejects.path, 'utf8').trim().split('\n')
    expect(JSON.parse(lines[0]!)).toEqual({
      view: 'view',
      file: path,
      row: 2,
      column: 'x',
      reason: expect.stringContaining('found text "much"') as unknown as string,
      data: { id: 2, x: 'much', event_timestamp: '2026-01-01' },
    })
    expect(JSON.parse(lines[1]!)).toMatchObject({ row: 3, column: '' })
    expect(JSON.parse(lines[1]!)).not.toHaveProperty('data')
    expect(lines[2]).toContain('"data":{"id":9007199254740993,"x":1,')
    await store.close()
  })

  test('from Parquet are shown as JSON too', async () => {
    const filename = join(temporaryFolder(), 'rows.parquet')
    parquetWriteFile({
      filename,
      columnData: [
        { name: 'id', data: [1n, null, 3n], type: 'INT64' },
        { name: 'x', data: [1.5, NaN, 2.5], type: 'DOUBLE' },
        { name: 's', data: ['a', 'b', 'c'], type: 'STRING' },
        { name: 'event_timestamp', data: [0, 1, 2].map((s) => new Date(at(s))), type: 'TIMESTAMP' },
      ],
    })
    const store = await openStore()
    const rejects = new RejectsFile(join(temporaryFolder(), 'rejects.ndjson'))
    const receipt = await ingest(store, VIEW, filename, { rejects })
    expect(receipt).toMatchObject({ read: 3, new: 2, rejected: 1 })
    expect(JSON.parse(readFileSync(rejects.path, 'utf8'))).toMatchObject({
      file: filename,
      row: 2,
      column: 'id',
      data: { id: null, x: null, s: 'b' },
    })
    await store.close()
  })

  test('make no file where there are none', async () => {
    const store = await openStore()
    const rejects = new RejectsFile(join(temporaryFolder(), 'rejects.ndjson'))
    expect((await ingest(store, VIEW, writeRows([row(1, 1, 0)]), { rejects })).rejectsPath).toBe('')
    expect(existsSync(rejects.path)).toBe(false)
    await store.close()
  })

  test('beyond the bound end the run, and what was good before is kept', async () => {
    const store = await openStore()
    const folder = temporaryFolder()
    writeRows([row(1, 1, 0)], 'a.ndjson', folder)
    writeRows([{ id: 'x' }, { id: 'y' }], 'b.ndjson', folder)
    writeRows([row(2, 2, 0)], 'c.ndjson', folder)
    const receipt = await ingest(store, VIEW, folder, { rejectsMax: 1 })
    expect(receipt).toMatchObject({ read: 3, new: 1, rejected: 2 })
    expect(receipt.stopped).toBe('more than 1 rows were rejected')
    expect([...readRows(store, VIEW).keys()]).toEqual(['1'])
    await store.close()
  })

  test('nested past any reader’s depth do not end the run', async () => {
    const path = join(temporaryFolder(), 'rows.ndjson')
    const deep = `{"id":1,"x":${'['.repeat(200_000)}${']'.repeat(200_000)},"event_timestamp":"2026-01-01"}`
    writeFileSync(path, `${deep}\n${JSON.stringify(row(2, 2, 0))}\n`)
    const store = await openStore()
    expect(countsOf(await ingest(store, VIEW, path))).toEqual({ new: 1, rejected: 1 })
    await store.close()
  })
})

/** Rows with many repeats, late ones and ties. */
const manyRows = (random: SeededRandom, count: number): Row[] =>
  Array.from({ length: count }, () =>
    row(random.below(count / 4), random.below(3), random.below(6)),
  )

describe('a dry run', () => {
  test('says what a run would, also of keys that the run repeats, and writes nothing', async () => {
    const random = new SeededRandom('dry run')
    const store = await openStore()
    for (let round = 0; round < 4; round++) {
      const folder = temporaryFolder()
      for (const name of ['a', 'b', 'c']) writeRows(manyRows(random, 60), `${name}.ndjson`, folder)
      const handle = await openViewTable(store, VIEW)
      const judges = [
        withRepeats(judgingSink(store, handle)),
        withRepeats(readerJudge(store, VIEW)),
      ]
      if (round === 0) judges.push(withRepeats(emptyJudge))
      const before = readRows(store, VIEW)
      const dry: Receipt[] = []
      for (const sink of judges) dry.push(await ingestInto(sink, VIEW, folder, { dryRun: true }))
      expect(readRows(store, VIEW)).toEqual(before)
      const wet = await ingest(store, VIEW, folder)
      for (const receipt of dry) {
        expect(countsOf(receipt)).toEqual(countsOf(wet))
        expect(receipt).toMatchObject({ dryRun: true, written: 0, bytesWritten: 0 })
      }
    }
    await store.close()
  })

  test('knows rows that were written under an older layout', async () => {
    const dir = temporaryFolder()
    const store = await openStore(dir)
    const narrow = makeView({ keys: { id: 'INT64' }, features: { x: 'DOUBLE' } })
    const path = writeRows([row(1, 1, 0), row(2, 2, 0)])
    await ingest(store, narrow, path)
    const sink = withRepeats(readerJudge(store, VIEW))
    const dry = await ingestInto(sink, VIEW, path, { dryRun: true })
    expect(countsOf(dry)).toEqual(countsOf(await ingest(store, VIEW, path)))
    await store.close()
  })

  test('of a view with partial writes merges as the store does', async () => {
    const view = makeView({
      keys: { id: 'INT64' },
      features: { x: 'DOUBLE', s: 'STRING' },
      changes: { partial: true },
    })
    const store = await openStore()
    await ingest(store, view, writeRows([row(1, 1, 0), row(2, 2, 0), row(3, 3, 5)]))
    const path = writeRows([row(1, 1, 0), row(2, 2, 9), row(3, 9, 1), row(4, 4, 0)])
    const dry = await ingestInto(withRepeats(readerJudge(store, view)), view, path)
    expect(countsOf(dry)).toEqual(countsOf(await ingest(store, view, path)))
    await store.close()
  })
})

/** A sink that fails, or asks for a stop, once so many batches have gone through it. */
function afterBatches(sink: Sink, count: number, act: () => void): Sink {
  let batches = 0
  return {
    ...sink,
    write: (batch) => {
      if (batches++ === count) act()
      return sink.write(batch)
    },
  }
}

describe('a run that is cut off', () => {
  test('and made again ends as one that never was', async () => {
    const random = new SeededRandom('cut off')
    const folder = temporaryFolder()
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      // No ties: with equal times and other content the last arrival counts, on each run anew.
      const rows = manyRows(random, 80).map((one) => ({ ...one, x: Number(one['id']) / 7 }))
      writeRows(rows, `${name}.ndjson`, folder)
    }
    const whole = await openStore()
    await ingest(whole, VIEW, folder)
    for (let count = 0; count < 4; count++) {
      const cut = await openStore()
      const sink = storeSink(cut, await openViewTable(cut, VIEW))
      const dying = afterBatches(sink, count, () => {
        throw new Error('killed')
      })
      await expect(ingestInto(dying, VIEW, folder)).rejects.toThrow('killed')
      await ingestInto(sink, VIEW, folder)
      expect(readRows(cut, VIEW)).toEqual(readRows(whole, VIEW))
      await cut.close()
    }
    await whole.close()
  })

  test('by a signal finishes what is on its way and says so', async () => {
    const folder = temporaryFolder()
    for (const [place, name] of ['a', 'b', 'c'].entries()) {
      writeRows([row(place, 1, 0)], `${name}.ndjson`, folder)
    }
    const store = await openStore()
    const controller = new AbortController()
    const sink = storeSink(store, await openViewTable(store, VIEW))
    const stopping = afterBatches(sink, 0, () => controller.abort())
    const receipt = await ingestInto(stopping, VIEW, folder, { signal: controller.signal })
    expect(receipt.stopped).toBe('interrupted')
    expect(receipt.new).toBe(receipt.read)
    expect(receipt.read).toBeLessThan(3)
    expect(readRows(store, VIEW).size).toBe(receipt.new)
    await store.close()
  })
})

describe('memory', () => {
  test('is bounded: a slow sink holds back the source', async () => {
    let decoded = 0
    const files = Array.from({ length: 40 }, (_, place) => ({
      path: `file ${place}`,
      bytes: 1,
      columns: undefined,
      async *chunks() {
        decoded++
        const records = [row(place, 1, 0)] as never[]
        yield {
          kind: 'records',
          file: 'f',
          firstRow: 1,
          rows: 1,
          fileBytesRead: 1,
          records,
        } as const
      },
    }))
    const source: Source = { name: 'endless', files, bytes: 40 }
    let written = 0
    let aheadMost = 0
    const slow: Sink = {
      table: 0,
      layout: 0,
      write: async (batch) => {
        aheadMost = Math.max(aheadMost, decoded - written)
        await Bun.sleep(0)
        written++
        const outcomes = new Uint8Array(batch.count).fill(OUTCOME.new)
        return { outcomes, bytesWritten: 0, ...NO_UNITS, refused: [] }
      },
    }
    const receipt = await ingestInto(slow, VIEW, source)
    expect(receipt.new).toBe(40)
    expect(aheadMost).toBeLessThanOrEqual(SINK_BATCHES_MAX + 1)
  })
})

describe('a source', () => {
  test('that lacks a column is refused before a row of it is written', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'a.csv'), `id,x,s,event_timestamp\n1,1,a,${at(0)}\n`)
    writeFileSync(join(folder, 'b.csv'), `id,x,event_timestamp\n2,2,${at(0)}\n`)
    const store = await openStore()
    await expect(ingest(store, VIEW, folder)).rejects.toMatchObject({
      code: 'source_invalid',
      where: join(folder, 'b.csv'),
      message: 'there is no column s',
      allowed: 'it has id, x, event_timestamp',
    })
    expect(readRows(store, VIEW).size).toBe(0)
    await store.close()
  })

  test('names once the columns that nobody asked for', async () => {
    const folder = temporaryFolder()
    for (const name of ['a', 'b']) {
      writeFileSync(join(folder, `${name}.csv`), `id,x,s,more,event_timestamp\n1,1,a,,${at(0)}\n`)
    }
    const store = await openStore()
    expect((await ingest(store, VIEW, folder)).ignoredColumns).toEqual(['more'])
    await store.close()
  })
})
