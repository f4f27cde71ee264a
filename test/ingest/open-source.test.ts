import { describe, expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { int32, tableFromArrays, tableToIPC } from '@uwdata/flechette'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import { Table, initSync, writeParquet } from 'parquet-wasm/esm'
import { valueAt } from '../../src/ingest/column.ts'
import { openSource } from '../../src/ingest/open-source.ts'
import type { Source } from '../../src/ingest/source.ts'
import { temporaryFolder } from './ingest-rig.ts'

/** A folder with these files, each given its text. */
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder()
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  return folder
}

const names = ({ files }: Source, folder: string): string[] =>
  files.map(({ path }) => path.slice(folder.length + 1))

async function recordsOf(source: Source): Promise<unknown[]> {
  const records: unknown[] = []
  for (const file of source.files) {
    for await (const chunk of file.chunks()) {
      if (chunk.kind === 'records') records.push(...chunk.records)
      else {
        for (let row = 0; row < chunk.rows; row++) {
          const cells = chunk.columns.map(({ name, column }) => [name, valueAt(column, row)])
          records.push(Object.fromEntries(cells))
        }
      }
    }
  }
  return records
}

function parquetBytes(data: readonly number[]): Uint8Array {
  const writer = new ByteWriter()
  parquetWrite({ writer, columnData: [{ name: 'a', data: [...data], type: 'INT32' }] })
  return writer.getBytes()
}

/** As Spark and others write a part without rows; the writer above can't. */
async function emptyParquet(): Promise<Uint8Array> {
  const wasm = Bun.resolveSync('parquet-wasm/esm/parquet_wasm_bg.wasm', import.meta.dir)
  initSync({ module: await Bun.file(wasm).bytes() })
  const columns = tableFromArrays({ a: [] }, { types: { a: int32() } })
  return writeParquet(Table.fromIPCStream(tableToIPC(columns, { format: 'stream' })!))
}

describe('a folder', () => {
  test('is read in the order of its names, without marks and hidden files', async () => {
    const folder = folderOf({
      'b.ndjson': '{}',
      'a/z.ndjson': '{}',
      'a.ndjson': '{}',
      _SUCCESS: '',
      _temporary: 'x',
      '.a.ndjson.crc': 'x',
      '_delta_log/0.json': '{}',
    })
    expect(names(await openSource(folder, ''), folder)).toEqual([
      'a.ndjson',
      'a/z.ndjson',
      'b.ndjson',
    ])
  })

  test('takes partition columns from its path, decoded, outermost first', async () => {
    const folder = folderOf({
      'ds=2026-01-01/city=S%C3%A3o%20Paulo/part-0.json': '{"a":1,"ds":"file"}',
      'ds=2026-01-01/city=__HIVE_DEFAULT_PARTITION__/part-0.json': '{"a":2}',
      'ds=2026-01-02/city=a%3Db/part-0.csv': 'a,city\n3,x\n',
      _SUCCESS: '',
    })
    expect(await recordsOf(await openSource(folder, ''))).toEqual([
      { a: 1, ds: '2026-01-01', city: 'São Paulo' },
      { a: 2, ds: '2026-01-01', city: null },
      { a: '3', ds: '2026-01-02', city: 'a=b' },
    ])
  })

  test('may hold empty part files', async () => {
    const folder = folderOf({ 'part-0.json': '', 'part-1.json': '{"a":1}', _SUCCESS: '' })
    expect(await recordsOf(await openSource(folder, ''))).toEqual([{ a: 1 }])
  })

  test('is followed through links', async () => {
    const folder = folderOf({ 'real/a.ndjson': '{"a":1}' })
    symlinkSync(join(folder, 'real'), join(folder, 'linked'))
    expect(names(await openSource(join(folder, 'linked'), ''), folder)).toEqual(['linked/a.ndjson'])
  })
})

describe('a glob', () => {
  test('takes files and folders that match, in the order of their names', async () => {
    const folder = folderOf({
      'x-2.csv': 'a\n1\n',
      'x-1.csv': 'a\n1\n',
      'y.csv': 'a\n1\n',
      'x-3/in.csv': 'a\n1\n',
    })
    const source = await openSource(join(folder, 'x-*'), '')
    expect(names(source, folder)).toEqual(['x-1.csv', 'x-2.csv', 'x-3/in.csv'])
    expect(names(await openSource(join(folder, '{y,x-1}.csv'), ''), folder)).toEqual([
      'x-1.csv',
      'y.csv',
    ])
  })
})

describe('Parquet', () => {
  test('without rows gives none, and its columns', async () => {
    const folder = folderOf({ 'a.parquet': await emptyParquet() })
    const source = await openSource(folder, '')
    expect(source.files[0]!.columns).toEqual(['a'])
    expect(await recordsOf(source)).toEqual([])
  })

  test('of many groups comes in bounded chunks that know their rows', async () => {
    const data = Array.from({ length: 50_000 }, (_, row) => row)
    const folder = folderOf({ 'a.parquet': parquetBytes(data) })
    const rows: number[] = []
    for await (const chunk of (await openSource(folder, '')).files[0]!.chunks()) {
      if (chunk.kind !== 'columns') throw new Error('Parquet gives columns')
      expect(chunk.rows).toBeLessThanOrEqual(16_384)
      expect(chunk.firstRow).toBe(rows.length + 1)
      for (let row = 0; row < chunk.rows; row++)
        rows.push(Number(valueAt(chunk.columns[0]!.column, row)))
    }
    expect(rows).toEqual(data)
  })

  test('that is cut anywhere, or damaged, is refused by name', async () => {
    const whole = parquetBytes(Array.from({ length: 3000 }, (_, row) => (row * 7919) % 1009))
    const broken = [whole.subarray(0, 3), whole.subarray(0, whole.length - 1), whole.subarray(4)]
    const damaged = whole.slice()
    damaged.fill(0xff, 8, whole.length / 2)
    broken.push(damaged)
    for (const bytes of broken) {
      const path = join(folderOf({ 'a.parquet': bytes }), 'a.parquet')
      expect(await readElsewhere(path)).toMatchObject({ code: 'source_invalid', where: path })
    }
  })

  /** In a process of its own: a reader that broke off is not used again. */
  async function readElsewhere(path: string): Promise<unknown> {
    const script = join(import.meta.dir, 'read-source.ts')
    const child = Bun.spawn([process.execPath, script, path], { stdout: 'pipe', stderr: 'inherit' })
    const told = await new Response(child.stdout).text()
    expect(await child.exited).toBe(0)
    return JSON.parse(told)
  }
})

describe('what can’t be read is refused by name:', () => {
  const refusals: readonly [
    what: string,
    files: Record<string, string>,
    path: string,
    text: RegExp,
  ][] = [
    ['a file that is not there', {}, 'a.csv', /no file is there/],
    ['a glob without a match', {}, '*.csv', /no file is there/],
    ['a folder without files', { _SUCCESS: '' }, '', /holds no files/],
    ['an empty file', { 'a.ndjson': '' }, 'a.ndjson', /the file is empty/],
    ['an empty Parquet part', { 'part-0.parquet': '', _SUCCESS: '' }, '', /the file is empty/],
    ['a file of unknown format', { 'a.txt': 'x' }, 'a.txt', /does not tell its format/],
    ['packed Parquet', { 'a.parquet.gz': 'x' }, 'a.parquet.gz', /does not tell its format/],
    [
      'a file that is no Parquet',
      { 'a.parquet': 'hello' },
      'a.parquet',
      /not a readable Parquet file/,
    ],
    ['parts without _SUCCESS', { 'part-0.csv': 'a\n1' }, '', /no _SUCCESS/],
    ['a path that is not URL-encoded', { 'a=%zz/b.csv': 'a\n1' }, '', /not URL-encoded/],
  ]
  for (const [what, files, path, text] of refusals) {
    test(what, async () => {
      const folder = folderOf(files)
      const opening = openSource(join(folder, path), '')
      await expect(opening).rejects.toMatchObject({ code: 'source_invalid' })
      await expect(opening).rejects.toThrow(text)
    })
  }

  test('what does not lie on this machine', async () => {
    await expect(openSource('s3://bucket/x.parquet', '')).rejects.toMatchObject({
      code: 'source_invalid',
      where: 's3://bucket/x.parquet',
    })
  })
})
