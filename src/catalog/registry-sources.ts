/** Feast's data sources as a view's batch and stream source. */
import type { BatchSource, StreamSource } from './catalog.ts'
import type { DataSource } from './feast-registry_pb.ts'
import { SourceType } from './feast-registry_pb.ts'

/** A table of a warehouse has no path: its rows come as files named on the command line. */
export function toBatchSource(source: DataSource): BatchSource {
  const path = filePath(source)
  return {
    name: source.name,
    path,
    format: path === '' ? '' : 'parquet',
    timestampField: source.timestampField,
    createdTimestampField: source.createdTimestampColumn,
    timestampUnit: '',
    fieldMapping: new Map(Object.entries(source.fieldMapping)),
  }
}

function filePath(source: DataSource): string {
  if (source.type !== SourceType.BATCH_FILE) return ''
  // A format that this schema has no field for, such as Delta, is a folder with files that don't count.
  const format = source.fileOptions?.fileFormat
  const isParquet = format?.parquetFormat !== undefined || (format?.$unknown ?? []).length === 0
  return isParquet ? (source.fileOptions?.uri ?? '').replace(/^file:\/\//, '') : ''
}

export function toStreamSource(source: DataSource, timestampField: string): StreamSource {
  return {
    name: source.name,
    kind: KINDS.get(source.type) ?? 'other',
    topic: source.kafkaOptions?.topic ?? '',
    brokers: source.kafkaOptions?.kafkaBootstrapServers ?? '',
    timestampField: source.timestampField === '' ? timestampField : source.timestampField,
    fieldMapping: new Map(Object.entries(source.fieldMapping)),
  }
}

const KINDS: ReadonlyMap<SourceType, StreamSource['kind']> = new Map([
  [SourceType.PUSH_SOURCE, 'push'],
  [SourceType.STREAM_KAFKA, 'kafka'],
])
