/** `salver ingest batch` as main runs it. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import type { IngestBatchCommand } from '../../src/cli/command.ts'
import { runIngestBatch } from '../../src/commands/ingest-batch.ts'
import { openStore, readRows, temporaryFolder } from './ingest-rig.ts'

const DEFINITIONS = `
project: test
entities:
  - { name: user, join_key: user_id, value_type: Int64 }
feature_views:
  - name: clicks
    entities: [user]
    source: { path: clicks.csv, timestamp_field: at }
    features: [{ name: clicks, type: Int64 }]
  - name: names
    entities: [user]
    source: { path: names/, timestamp_field: at }
    features: [{ name: name, type: String }]
  - name: pushed
    entities: [user]
    push_source: events
    features: [{ name: score, type: Float32 }]
`

/** A folder with definitions and the files that they name. */
function makeFolder(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'features.yaml'), DEFINITIONS)
  writeFileSync(join(folder, 'clicks.csv'), 'user_id,clicks,at\n1,10,2026-01-01\n2,20,2026-01-01\n')
  writeFileSync(join(folder, 'names.ndjson'), '{"user_id":1,"name":"ann","at":"2026-01-01"}\n')
  return folder
}

async function run(folder: string, changes: Partial<IngestBatchCommand> = {}) {
  const { thrown, ...ran } = await runWhole(folder, changes)
  if (thrown !== undefined) throw thrown
  return ran
}

/** The same, with what a run that failed had told before. */
async function runWhole(folder: string, changes: Partial<IngestBatchCommand> = {}) {
  let out = ''
  let err = ''
  const command: IngestBatchCommand = {
    kind: 'ingest-batch',
    catalogPath: join(folder, 'features.yaml'),
    dataDir: join(folder, 'data'),
    server: '',
    token: '',
    view: 'clicks',
    source: '',
    format: '',
    dryRun: false,
    json: true,
    rejectsPath: join(folder, 'rejects.ndjson'),
    rejectsMax: 0,
    futureMarginUs: 600e6,
    refreshAfterUs: undefined,
    ledgerDir: '',
    assumeEmpty: false,
    durability: 'process',
    progress: true,
    ...changes,
  }
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    errIsTerminal: false,
  }
  let thrown: unknown
  const code = await runIngestBatch(command, io).catch((error: unknown) => {
    thrown = error
    return 1
  })
  return { code, out, err, thrown }
}

describe('salver ingest batch', () => {
  test('writes a view’s own source, found beside its definition, and prints one JSON object', async () => {
    const folder = makeFolder()
    const { code, out, err } = await run(folder)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ view: 'clicks', read: 2, new: 2, rejected: 0 })
    const store = await openStore(join(folder, 'data'))
    const view = (await openCatalog(folder)).viewsByName.get('clicks')!
    expect(readRows(store, view).get('2')).toMatchObject({ clicks: 20 })
    await store.close()
  })

  test('prints the receipt as text where no JSON is asked for', async () => {
    const { out } = await run(makeFolder(), { json: false })
    expect(out).toMatch(/^clicks from .*clicks\.csv\n {2}read +2\n/)
  })

  test('without a view ingests all that declare a source, and sums them up', async () => {
    const folder = makeFolder()
    const { code } = await run(folder, { view: 'names', source: join(folder, 'names.ndjson') })
    expect(code).toBe(0)
    writeFileSync(
      join(folder, 'features.yaml'),
      DEFINITIONS.replace('path: names/', 'path: "*.ndjson"'),
    )
    const all = JSON.parse((await run(folder, { view: '' })).out)
    expect(all).toMatchObject({ view: '', read: 3, new: 2, unchanged: 1 })
    expect(all.receipts.map(({ view }: { view: string }) => view)).toEqual(['clicks', 'names'])
  })

  test('makes nothing in a dry run, also where no store is yet', async () => {
    const folder = makeFolder()
    const before = readdirSync(folder)
    const dry = JSON.parse((await run(folder, { dryRun: true })).out)
    expect(dry).toMatchObject({ dry_run: true, read: 2, new: 2, written: 0 })
    expect(readdirSync(folder)).toEqual(before)
    await run(folder)
    expect(JSON.parse((await run(folder, { dryRun: true })).out)).toMatchObject({ unchanged: 2 })
  })

  test('ends with 1 and a receipt once too many rows were rejected', async () => {
    const folder = makeFolder()
    writeFileSync(
      join(folder, 'clicks.csv'),
      'user_id,clicks,at\n1,10,2026-01-01\nx,1,2026-01-01\n',
    )
    const { code, out } = await run(folder)
    expect(code).toBe(1)
    const rejectsPath = join(folder, 'rejects.ndjson')
    expect(JSON.parse(out)).toMatchObject({
      new: 1,
      rejected: 1,
      stopped: 'more than 0 rows were rejected',
      rejects_path: rejectsPath,
    })
    expect(existsSync(rejectsPath)).toBe(true)
    expect((await run(folder, { rejectsMax: 1 })).code).toBe(0)
  })

  test('cut off by its source gives a receipt of the rows that were written', async () => {
    const folder = makeFolder()
    const path = join(folder, 'clicks.csv')
    const lines = Array.from({ length: 40_000 }, (_, id) => `${id},${id},2026-01-01`)
    writeFileSync(path, `user_id,clicks,at\n${lines.join('\n')}\n40000,"1`)
    const { out, thrown } = await runWhole(folder)
    expect(thrown).toMatchObject({ code: 'source_invalid' })
    const receipt = JSON.parse(out)
    expect(receipt.stopped).toContain(path)
    expect(receipt.new).toBeGreaterThan(0)
    expect(receipt.new + receipt.unsettled).toBe(receipt.read)
    const store = await openStore(join(folder, 'data'))
    const view = (await openCatalog(folder)).viewsByName.get('clicks')!
    expect(readRows(store, view).size).toBe(receipt.new)
    await store.close()
    expect((await runWhole(folder, { json: false })).out).toContain('\n  stopped: ')
  })

  test('cut off in a gzip file gives a receipt of the rows before', async () => {
    const folder = makeFolder()
    const lines = Array.from({ length: 60_000 }, (_, id) =>
      JSON.stringify({ user_id: id, clicks: id * 7919, at: '2026-01-01' }),
    )
    const source = join(folder, 'clicks.ndjson.gz')
    const packed = Bun.gzipSync(Buffer.from(lines.join('\n')))
    writeFileSync(source, packed.subarray(0, packed.length - 1000))
    const { out, thrown } = await runWhole(folder, { source })
    expect(thrown).toMatchObject({ code: 'source_invalid' })
    expect(JSON.parse(out).new).toBeGreaterThan(0)
    expect(JSON.parse(out).stopped).toContain(source)
  })

  test('of several views keeps the receipts of those before the one that failed', async () => {
    const { out, thrown } = await runWhole(makeFolder(), { view: '' })
    expect(thrown).toMatchObject({ code: 'source_invalid' })
    const whole = JSON.parse(out)
    expect(whole).toMatchObject({
      new: 2,
      receipts: [{ view: 'clicks' }, { view: 'names', read: 0 }],
    })
    expect(whole.stopped).toBe(whole.receipts[1].stopped)
    expect(whole.stopped).not.toBe('')
  })

  test('names what it was not given, and what there is', async () => {
    const folder = makeFolder()
    const faults: readonly [Partial<IngestBatchCommand>, object][] = [
      [{ dataDir: '' }, { code: 'usage', where: '--data' }],
      [{ view: 'click' }, { code: 'unknown_view', allowed: 'clicks?' }],
      [{ view: 'pushed' }, { code: 'usage', where: '--source' }],
      [{ source: 'nowhere.csv' }, { code: 'source_invalid', where: 'nowhere.csv' }],
    ]
    for (const [changes, fault] of faults) {
      await expect(run(folder, changes)).rejects.toMatchObject(fault)
    }
  })

  test('into what can be no data directory is refused with the path and the reason', async () => {
    const folder = makeFolder()
    const file = join(folder, 'clicks.csv')
    for (const dryRun of [false, true]) {
      for (const dataDir of [file, join(file, 'under')]) {
        await expect(run(folder, { dataDir, dryRun })).rejects.toMatchObject({
          code: 'usage',
          where: dataDir,
          message: expect.stringMatching(/can't be opened: E[A-Z]+/) as unknown as string,
        })
      }
    }
  })

  test('points to --server where a server holds the data directory', async () => {
    const folder = makeFolder()
    const store = await openStore(join(folder, 'data'))
    for (const dryRun of [false, true]) {
      await expect(run(folder, { dryRun })).rejects.toMatchObject({
        code: 'store_locked',
        allowed: expect.stringContaining('--server') as unknown as string,
      })
    }
    await store.close()
  })
})
