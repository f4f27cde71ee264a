/** Parquet files, decoded by the Rust reader in wasm into Arrow batches of bounded size. */
import { type Batch, tableFromIPC } from '@uwdata/flechette'
import { Fault } from '../base/fault.ts'
import { CHUNK_BYTES_MAX, CHUNK_ROWS_MAX } from '../base/limits.ts'
import { arrowColumn } from './arrow-column.ts'
import type { NamedColumn } from './column.ts'
import type { ParquetFile, ParquetReader, RecordBatch } from './parquet-wasm.ts'
import { parquetReader } from './parquet-wasm.ts'
import type { ColumnChunk, SourceFile } from './source.ts'

/** 64-bit integers, timestamps and decimals stay exact. */
const EXACT = { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true } as const

const NONE_UNREADABLE = new Map<number, never>()

type Shape = {
  readonly columns: readonly string[]
  readonly rows: number
  /** Rows of a batch that stay within a chunk's bytes. */
  readonly batchRows: number
}

export async function openParquetFile(path: string): Promise<SourceFile> {
  const bytes = Bun.file(path).size
  const reader = await parquetReader().catch((cause: unknown) => {
    throw notParquet(path, cause)
  })
  const file = await openFile(reader, path)
  try {
    const shape = readShape(file)
    file.free()
    return {
      path,
      bytes,
      columns: shape.columns,
      chunks: () => readChunks(reader, path, bytes, shape),
    }
  } catch (cause) {
    throw notParquet(path, cause)
  }
}

async function openFile(reader: ParquetReader, path: string): Promise<ParquetFile> {
  try {
    return await Promise.race([reader.fromFile(Bun.file(path)), reader.broken])
  } catch (cause) {
    throw notParquet(path, cause)
  }
}

function readShape(file: ParquetFile): Shape {
  const metadata = file.metadata()
  let rows = 0
  let rowBytes = 1
  for (const group of metadata.rowGroups()) {
    rows += group.numRows()
    rowBytes = Math.max(rowBytes, group.totalByteSize() / Math.max(group.numRows(), 1))
    group.free()
  }
  metadata.free()
  const { fields } = tableFromIPC(file.schema().intoIPCStream(), EXACT).schema
  const batchRows = Math.max(1, Math.min(CHUNK_ROWS_MAX, Math.floor(CHUNK_BYTES_MAX / rowBytes)))
  return { columns: fields.map((field) => field.name), rows, batchRows }
}

async function* readChunks(
  reader: ParquetReader,
  path: string,
  bytes: number,
  shape: Shape,
): AsyncGenerator<ColumnChunk> {
  const file = await openFile(reader, path)
  try {
    // The reader refuses to stream a file without row groups.
    if (shape.rows === 0) return
    let firstRow = 1
    for await (const stream of readStreams(reader, file, shape.batchRows)) {
      const { rows, columns } = readBatch(stream)
      const fileBytesRead = Math.floor(bytes * Math.min(1, (firstRow - 1 + rows) / shape.rows))
      yield {
        kind: 'columns',
        file: path,
        firstRow,
        rows,
        columns,
        fileBytesRead,
        unreadable: NONE_UNREADABLE,
      }
      firstRow += rows
    }
    file.free()
  } catch (cause) {
    // Not freed: after a trap the reader's memory can't be entered again.
    throw notParquet(path, cause)
  }
}

/** Each batch as an Arrow stream of its own. */
async function* readStreams(
  reader: ParquetReader,
  file: ParquetFile,
  batchSize: number,
): AsyncGenerator<Uint8Array> {
  const opened = await Promise.race([file.stream({ batchSize }), reader.broken])
  const batches = (opened as ReadableStream<RecordBatch>).getReader() // typed without its content
  for (;;) {
    const { done, value } = await Promise.race([batches.read(), reader.broken])
    if (done) return
    yield value.intoIPCStream()
  }
}

function readBatch(stream: Uint8Array): { rows: number; columns: NamedColumn[] } {
  const table = tableFromIPC(stream, EXACT)
  const columns = table.schema.fields.map((field, place) => {
    // A stream of one record batch: each column has exactly one part.
    const batch: Batch<unknown> = table.getChildAt(place).data[0]!
    return { name: field.name, column: arrowColumn(batch) }
  })
  return { rows: table.numRows, columns }
}

const notParquet = (path: string, cause: unknown): Fault =>
  new Fault('source_invalid', `not a readable Parquet file: ${readerText(cause)}`, {
    where: path,
    allowed: 'a Parquet file, whole: uncompressed, or by Snappy, Zstandard, gzip, Brotli or LZ4',
    cause,
  })

/** The reader throws errors and bare texts, and traps on what it did not expect. */
function readerText(cause: unknown): string {
  if (cause instanceof WebAssembly.RuntimeError) return 'its pages do not decode'
  return cause instanceof Error ? cause.message : String(cause)
}
