/**
 * The contract of what is ingested in batch: files that yield their rows in bounded chunks. It
 * imports no implementation; open-source.ts chooses one for each file.
 */
import type { PlainValue } from '../catalog/catalog.ts'
import type { NamedColumn } from './column.ts'

export type SourceFormat = 'parquet' | 'ndjson' | 'csv'

/** A row that could not be read at all; those around it could. */
export class UnreadableRow {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** A row as JSON has it; names are those of the source. */
export type RowRecord = { readonly [name: string]: PlainValue }

type ChunkPlace = {
  /** Path of the file, for messages. */
  readonly file: string
  /** Number in the file of the chunk's first row, from 1; a CSV header is no row. */
  readonly firstRow: number
  readonly rows: number
  /** Bytes of the file that were read up to the end of this chunk: for progress only. */
  readonly fileBytesRead: number
}

export type ColumnChunk = ChunkPlace & {
  readonly kind: 'columns'
  readonly columns: readonly NamedColumn[]
  /** Rows that have no place in the columns, by their index; what the columns hold there is void. */
  readonly unreadable: ReadonlyMap<number, UnreadableRow>
}

export type RecordChunk = ChunkPlace & {
  readonly kind: 'records'
  readonly records: readonly (RowRecord | UnreadableRow)[]
}

/** At most CHUNK_ROWS_MAX rows, and about CHUNK_BYTES_MAX bytes. Valid until the next is asked for. */
export type Chunk = ColumnChunk | RecordChunk

export interface SourceFile {
  readonly path: string
  readonly bytes: number
  /** Names of its columns; undefined where each row names its own (NDJSON). */
  readonly columns: readonly string[] | undefined
  /** Rejects with Fault('source_invalid') where the file is not what it says it is. */
  chunks(): AsyncIterable<Chunk>
}

export type Source = {
  /** As it was asked for: a path or a glob. */
  readonly name: string
  /** In the order in which they are read: by name. */
  readonly files: readonly SourceFile[]
  readonly bytes: number
}
