/** Opens what a path names: a file, a folder (as Spark writes it), or the files that a glob matches. */
import { readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import { compareUtf8 } from '../base/utf8.ts'
import type { NamedColumn } from './column.ts'
import { openCsvFile } from './csv-source.ts'
import { openNdjsonFile } from './ndjson-source.ts'
import { openParquetFile } from './parquet-source.ts'
import type { Chunk, ColumnChunk, RecordChunk, Source, SourceFile, SourceFormat } from './source.ts'
import { UnreadableRow } from './source.ts'
import { isPart, isPassedOver, partitionsOf, requireSuccess } from './spark-folder.ts'
import { isGzip } from './text-blocks.ts'

const FORMATS: ReadonlyMap<string, SourceFormat> = new Map([
  ['.parquet', 'parquet'],
  ['.pq', 'parquet'],
  ['.ndjson', 'ndjson'],
  ['.jsonl', 'ndjson'],
  ['.json', 'ndjson'],
  ['.csv', 'csv'],
])

const ALLOWED_NAMES =
  'a name ending in .parquet, .ndjson, .jsonl, .json or .csv (the texts also with .gz), or --format'

const GLOB = /[*?[{]/

/** `format` '' tells each file by its name. Every file is opened once, for its columns. */
export async function openSource(name: string, format: '' | SourceFormat): Promise<Source> {
  if (/^[a-z][a-z0-9+]+:\/\//i.test(name)) throw notLocal(name)
  const paths = await findFiles(name)
  const files: SourceFile[] = []
  for (const path of paths) {
    const file = await openFile(path, format)
    if (file !== undefined) files.push(withPartitions(file))
  }
  return { name, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0) }
}

/** Paths in the order of their names. */
async function findFiles(name: string): Promise<string[]> {
  const kind = await kindOf(name)
  if (kind === 'file') return [name]
  const found = kind === 'folder' ? await filesUnder(name) : await filesMatching(name)
  if (found.length === 0) {
    const what = kind === 'folder' ? 'the folder holds no files' : 'no file is there'
    throw new Fault('source_invalid', what, { where: name, allowed: 'a file, a folder or a glob' })
  }
  await requireSuccess(found)
  return found.sort(compareUtf8)
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    const found = await stat(path)
    return found.isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    if (isMissing(cause)) return 'nothing'
    throw new Fault('source_invalid', `can't be read: ${String(cause)}`, { where: path, cause })
  }
}

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries) {
    if (isPassedOver(entry.name)) continue
    const path = join(folder, entry.name)
    // A link counts as what it leads to.
    if ((await kindOf(path)) === 'folder') files.push(...(await filesUnder(path)))
    else files.push(path)
  }
  return files
}

async function filesMatching(pattern: string): Promise<string[]> {
  if (!GLOB.test(pattern)) return []
  const base = globBase(pattern)
  if ((await kindOf(base)) !== 'folder') return []
  const glob = new Bun.Glob(relative(base, resolve(pattern)))
  const files: string[] = []
  for await (const found of glob.scan({ cwd: base, onlyFiles: false, followSymlinks: true })) {
    if (found.split('/').some(isPassedOver)) continue
    const path = join(isAbsolute(pattern) ? base : relative(process.cwd(), base), found)
    if ((await kindOf(path)) === 'folder') files.push(...(await filesUnder(path)))
    else files.push(path)
  }
  return [...new Set(files)]
}

/** The folder above the first part with a wildcard. */
function globBase(pattern: string): string {
  const parts = resolve(pattern).split('/')
  return (
    parts
      .slice(
        0,
        parts.findIndex((part) => GLOB.test(part)),
      )
      .join('/') || '/'
  )
}

/** Undefined for an empty part file: Spark writes one for each task without rows. */
async function openFile(path: string, format: '' | SourceFormat): Promise<SourceFile | undefined> {
  const known = format === '' ? formatOf(path) : format
  if (Bun.file(path).size === 0) {
    if (known !== 'parquet' && isPart(path)) return undefined
    throw new Fault('source_invalid', 'the file is empty', { where: path })
  }
  switch (known) {
    case 'parquet':
      return openParquetFile(path)
    case 'ndjson':
      return openNdjsonFile(path)
    case 'csv':
      return openCsvFile(path)
  }
}

function formatOf(path: string): SourceFormat {
  const bare = isGzip(path) ? path.slice(0, -'.gz'.length) : path
  const format = FORMATS.get(bare.slice(bare.lastIndexOf('.')))
  if (format !== undefined && (format !== 'parquet' || bare === path)) return format
  throw new Fault('source_invalid', "the file's name does not tell its format", {
    where: path,
    allowed: ALLOWED_NAMES,
  })
}

/** Adds the columns that the file's path tells. A column of the file with such a name is not used. */
function withPartitions(file: SourceFile): SourceFile {
  const partitions = partitionsOf(file.path)
  if (partitions.size === 0) return file
  return {
    ...file,
    columns: file.columns && withoutRepeats([...file.columns, ...partitions.keys()]),
    chunks: () => chunksWithPartitions(file, partitions),
  }
}

const withoutRepeats = (names: readonly string[]): string[] => [...new Set(names)]

async function* chunksWithPartitions(
  file: SourceFile,
  partitions: ReadonlyMap<string, string | null>,
): AsyncGenerator<Chunk> {
  const added = Array.from(partitions, ([name, value]): NamedColumn => ({
    name,
    column: { form: 'untyped', at: () => value },
  }))
  const record = Object.fromEntries(partitions)
  for await (const chunk of file.chunks()) {
    if (chunk.kind === 'columns') yield withColumns(chunk, added)
    else yield withFields(chunk, record)
  }
}

const withColumns = (chunk: ColumnChunk, added: readonly NamedColumn[]): ColumnChunk => ({
  ...chunk,
  columns: [
    ...chunk.columns.filter((column) => added.every(({ name }) => name !== column.name)),
    ...added,
  ],
})

const withFields = (
  chunk: RecordChunk,
  added: { readonly [name: string]: string | null },
): RecordChunk => ({
  ...chunk,
  records: chunk.records.map((record) =>
    record instanceof UnreadableRow ? record : { ...record, ...added },
  ),
})

const notLocal = (name: string): Fault =>
  new Fault('source_invalid', 'only files of this machine can be ingested yet', {
    where: name,
    allowed: 'a path: s3:// and others come later',
  })
