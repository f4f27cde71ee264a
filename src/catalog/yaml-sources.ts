/** Where the rows of a view of features.yaml come from. */
import type { BatchSource, StreamSource } from './catalog.ts'
import { SOURCE_FIELDS, STREAM_SOURCE_FIELDS } from './features-fields.ts'
import type { RawMap, Report } from './field-report.ts'
import { addFault, hint, rawMap, readFields } from './field-report.ts'
import type { Path } from './yaml-document.ts'

/** The view that a source feeds: its name, and the names of its join keys and features. */
export type FedView = { readonly view: string; readonly columns: readonly string[] }

export function readBatchSource(
  report: Report,
  view: Path,
  map: RawMap,
  fed: FedView,
): BatchSource | undefined {
  if (!('source' in map)) return undefined
  const path = [...view, 'source']
  const raw = rawMap(report, path, map['source'])
  if (raw === undefined) return undefined
  const fields = readFields(report, { path, otherKeys: 'refuse' }, SOURCE_FIELDS, raw)
  return {
    name: fields.name ?? `${fed.view}_source`,
    path: fields.path ?? '',
    format: fields.format ?? '',
    timestampField: fields.timestamp_field ?? '',
    createdTimestampField: fields.created_timestamp_column ?? '',
    timestampUnit: fields.timestamp_unit ?? '',
    fieldMapping: readMapping(report, path, fields.field_mapping, fed),
  }
}

export function readStreamSource(
  report: Report,
  view: Path,
  map: RawMap,
  fed: FedView,
): StreamSource | undefined {
  if (!('stream_source' in map)) return undefined
  const path = [...view, 'stream_source']
  const raw = rawMap(report, path, map['stream_source'])
  if (raw === undefined) return undefined
  const fields = readFields(report, { path, otherKeys: 'refuse' }, STREAM_SOURCE_FIELDS, raw)
  return {
    name: fields.name ?? `${fed.view}_stream`,
    kind: 'kafka',
    topic: fields.topic ?? '',
    brokers: fields.kafka_bootstrap_servers ?? '',
    timestampField: fields.timestamp_field ?? '',
    fieldMapping: readMapping(report, path, fields.field_mapping, fed),
  }
}

/** What pushes rows names their columns as the view does, and their time `event_timestamp`. */
export const pushedSource = (name: string | undefined): StreamSource | undefined =>
  name === undefined
    ? undefined
    : {
        name,
        kind: 'push',
        topic: '',
        brokers: '',
        timestampField: 'event_timestamp',
        fieldMapping: new Map(),
      }

function readMapping(
  report: Report,
  source: Path,
  mapping: { readonly [column: string]: string } | undefined,
  { columns }: FedView,
): ReadonlyMap<string, string> {
  const targets = new Map<string, string>()
  for (const [column, target] of Object.entries(mapping ?? {})) {
    const path = [...source, 'field_mapping', column]
    const other = targets.get(target)
    if (!columns.includes(target)) {
      const message = `the view has no feature or join key ${JSON.stringify(target)}${hint(target, columns)}`
      addFault(report, path, message, columns.join(', '))
    } else if (other !== undefined) {
      const [name, first] = [JSON.stringify(target), JSON.stringify(other)]
      addFault(report, path, `${name} is filled from column ${first} already`)
    } else targets.set(target, column)
  }
  return new Map(Object.entries(mapping ?? {}))
}
