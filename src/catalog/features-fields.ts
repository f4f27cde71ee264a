/** The keys of features.yaml. A schema's message says what is allowed in its place. */
import { z } from 'zod'
import { FEATURES_PER_VIEW_MAX, NAME_BYTES_MAX } from '../base/limits.ts'
import { DURATION_ALLOWED, parseDurationUs } from './parse-duration.ts'

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Columns of data files have names that are no identifiers: `7d_mean`, `größe`, `a.b`. */
const COLUMN = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u

const fits = (name: string): boolean => Buffer.byteLength(name) <= NAME_BYTES_MAX
const isUnreserved = (name: string): boolean => !name.startsWith('__')

const IDENTIFIER_ALLOWED = `a name of letters, digits and _, not beginning with a digit or __, up to ${NAME_BYTES_MAX} bytes`
const COLUMN_ALLOWED = `a name of letters, digits, _, - and ., not beginning with __, up to ${NAME_BYTES_MAX} bytes`

const identifier = z
  .string(IDENTIFIER_ALLOWED)
  .refine((name) => IDENTIFIER.test(name) && isUnreserved(name) && fits(name), IDENTIFIER_ALLOWED)

/** Rows on the wire carry their time under this name. */
const EVENT_TIME_COLUMN = 'event_timestamp'
const VALUE_ALLOWED = `${COLUMN_ALLOWED}; ${EVENT_TIME_COLUMN} is the row's time`

const column = z
  .string(COLUMN_ALLOWED)
  .refine((name) => COLUMN.test(name) && isUnreserved(name) && fits(name), COLUMN_ALLOWED)
const valueColumn = column.refine((name) => name !== EVENT_TIME_COLUMN, VALUE_ALLOWED)
/** A column of a data file: any text. */
const fileColumn = z.string('the name of a column').min(1, 'the name of a column')

const text = z.string('a text')
const flag = z.boolean('true or false').default(false)
const list = z.array(z.unknown(), 'a list')

const durationUs = z
  .unknown()
  .refine((found) => parseDurationUs(found) !== undefined, DURATION_ALLOWED)
  .transform((found) => parseDurationUs(found) ?? 0)
  .optional()
  .default(0)

const oneOf = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, `one of ${words.join(', ')}`)

const PROJECT = /^[A-Za-z0-9][A-Za-z0-9_]*$/
const PROJECT_ALLOWED = 'letters, digits and _, not beginning with _'
export const project = z
  .string(PROJECT_ALLOWED)
  .refine((name) => PROJECT.test(name) && fits(name), PROJECT_ALLOWED)

export const CATALOG_FIELDS = {
  project,
  description: text.optional(),
  entities: list.default([]),
  feature_views: list.default([]),
  feature_services: list.default([]),
}

export const ENTITY_FIELDS = {
  name: identifier,
  join_key: valueColumn.optional(),
  value_type: z.string('String, Bytes, Int32, Int64 or UnixTimestamp'),
  description: text.optional(),
}

const TAGS_ALLOWED = 'a map of texts'

export const VIEW_FIELDS = {
  name: identifier,
  entities: z.array(z.string('the name of an entity'), 'a list of names of entities').default([]),
  features: z
    .array(z.unknown(), 'a list of features')
    .min(1, 'at least one feature')
    .max(FEATURES_PER_VIEW_MAX, `at most ${FEATURES_PER_VIEW_MAX} features`),
  ttl: durationUs,
  source: z.unknown(),
  stream_source: z.unknown(),
  push_source: identifier.optional(),
  partial: flag,
  wide: flag,
  cache_max_staleness: durationUs,
  stale_if_error: flag,
  freshness_slo: durationUs,
  online: z.boolean('true or false').default(true),
  tags: z.record(z.string(), z.string(TAGS_ALLOWED), TAGS_ALLOWED).default({}),
  description: text.optional(),
  owner: text.optional(),
}

export const FEATURE_FIELDS = {
  name: valueColumn,
  type: z.string('a type such as Float32, Int64, String or Array(Float32)'),
  default: z.unknown(),
  description: text.optional(),
}

const MAPPING_ALLOWED = 'a map: column of the source -> feature or join key'
const fieldMapping = z
  .record(z.string(), z.string('the name of a feature or join key'), MAPPING_ALLOWED)
  .default({})

export const SOURCE_FIELDS = {
  name: text.optional(),
  path: z.string('a path or a glob').min(1, 'a path or a glob').default(''),
  format: oneOf(['parquet', 'ndjson', 'csv']).optional(),
  timestamp_field: fileColumn.default(EVENT_TIME_COLUMN),
  created_timestamp_column: fileColumn.optional(),
  timestamp_unit: oneOf(['s', 'ms', 'us', 'ns']).optional(),
  field_mapping: fieldMapping,
}

export const STREAM_SOURCE_FIELDS = {
  name: text.optional(),
  topic: z.string('the name of a topic').min(1, 'the name of a topic'),
  kafka_bootstrap_servers: z.string('host:port, or several with commas').min(1, 'host:port'),
  timestamp_field: fileColumn.default(EVENT_TIME_COLUMN),
  field_mapping: fieldMapping,
}

export const SERVICE_FIELDS = {
  name: identifier,
  features: z.array(z.unknown(), 'a list of feature views').min(1, 'at least one feature view'),
  description: text.optional(),
}

export const PROJECTION_FIELDS = {
  view: z.string('the name of a feature view'),
  features: z
    .array(z.string('the name of a feature'), 'a list of names of features')
    .min(1, 'at least one feature; all of them if the key is left out')
    .optional(),
  alias: identifier.optional(),
  join_key_map: z
    .record(z.string(), valueColumn, 'a map: join key of the view -> name in the request')
    .default({}),
}
