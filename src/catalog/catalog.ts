/**
 * What is served: read once from Feast's registry or a features.yaml, frozen, and the same whichever
 * it came from. Every name becomes a position here; past the plan of a query there are no names.
 */
import type { KeyTypeName, ValueType } from './value-type.ts'

/**
 * A value as the rest of the program hands it around before it becomes bytes.
 * INT64 and UNIX_TIMESTAMP (seconds) are a number where that is exact, else a bigint; BYTES a
 * Uint8Array; ZONED_TIMESTAMP, maps and nested lists hold their own types (see row/value.ts).
 */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

export type Feature = {
  readonly name: string
  /** Place in its view's `features`. */
  readonly position: number
  readonly type: ValueType
  /** What the native path fills in where the value is missing and `fill: default` is asked. */
  readonly defaultValue: PlainValue | undefined
  /** The text of Feast's tag `feast:nested_inner_type` ("Array(Array(INT64))"), '' if none. */
  readonly nestedType: string
}

export type JoinKey = { readonly name: string; readonly type: KeyTypeName }

export type BatchSource = {
  readonly name: string
  /** Path or glob as declared, relative to the catalog's folder; '' where there is none. */
  readonly path: string
  /** 'parquet' | 'ndjson' | 'csv', or '' to tell by the file's name. */
  readonly format: '' | 'parquet' | 'ndjson' | 'csv'
  readonly timestampField: string
  /** '' where there is none. */
  readonly createdTimestampField: string
  /** Unit of an integer timestamp column; '' where none is declared. */
  readonly timestampUnit: '' | 's' | 'ms' | 'us' | 'ns'
  /** Source column -> feature or join key name. */
  readonly fieldMapping: ReadonlyMap<string, string>
}

export type StreamSource = {
  readonly name: string
  readonly kind: 'push' | 'kafka' | 'other'
  readonly topic: string
  readonly brokers: string
  readonly timestampField: string
  readonly fieldMapping: ReadonlyMap<string, string>
}

export type FeatureView = {
  readonly name: string
  /** Place in `catalog.views`. */
  readonly position: number
  readonly kind: 'feature_view' | 'stream_feature_view' | 'label_view'
  /** Name of its table: the view's name, or `name_vN` under Feast's versioning. */
  readonly table: string
  readonly version: number
  /** Entity names in declared order, parallel to nothing: a view's keys are `joinKeys`. */
  readonly entities: readonly string[]
  /** In ascending order of their UTF-8 bytes, as the entity key is written. Empty: entityless. */
  readonly joinKeys: readonly JoinKey[]
  readonly features: readonly Feature[]
  /** Microseconds; 0 means no limit. */
  readonly ttlUs: number
  readonly partial: boolean
  readonly wide: boolean
  /** Milliseconds; 0 where not declared. */
  readonly cacheMaxStalenessMs: number
  readonly staleIfError: boolean
  /** Microseconds; 0 where not declared. */
  readonly freshnessSloUs: number
  readonly batchSource: BatchSource | undefined
  readonly streamSource: StreamSource | undefined
  readonly online: boolean
  /** Feast's `enabled=False`. */
  readonly disabled: boolean
  /** Feast's lifecycle state: '' or a name such as MATERIALIZING, in which reads are refused. */
  readonly refusedState: '' | 'CREATED' | 'GENERATED' | 'MATERIALIZING'
  readonly tags: ReadonlyMap<string, string>
}

/** One view as a service (or a reference) uses it. */
export type Projection = {
  readonly view: number
  /** '' where not renamed. */
  readonly alias: string
  /** Version asked for, or -1. */
  readonly versionTag: number
  /** Positions in the view's features, in the service's order. */
  readonly features: readonly number[]
  /** Join key of the view -> name used in the request. */
  readonly joinKeyMap: ReadonlyMap<string, string>
}

export type FeatureService = {
  readonly name: string
  readonly projections: readonly Projection[]
  readonly precomputed: boolean
  /** Names of on-demand views it holds: asking for the service is then a `not_served` fault. */
  readonly onDemand: readonly string[]
}

export type Entity = {
  readonly name: string
  readonly joinKey: string
  readonly type: KeyTypeName | 'UNKNOWN'
}

/** An object of the registry that Salver knows and does not serve. */
export type NotServed = { readonly kind: string; readonly name: string; readonly reason: string }

/** The `online_store` of feature_store.yaml, uninterpreted but for its type. */
export type OnlineStore = {
  readonly type: string
  readonly options: ReadonlyMap<string, PlainValue>
}

export type Catalog = {
  readonly project: string
  /** Where it was read from, for people. */
  readonly origin: string
  /** Folder that relative source paths are relative to. */
  readonly folder: string
  /** Hex digest over the content: equal catalogs have equal digests on every server. */
  readonly digest: string
  readonly versioning: boolean
  readonly entities: readonly Entity[]
  readonly views: readonly FeatureView[]
  readonly services: readonly FeatureService[]
  /** Push sources: name -> positions of the views that they feed. */
  readonly pushSources: ReadonlyMap<string, readonly number[]>
  readonly notServed: readonly NotServed[]
  readonly onlineStore: OnlineStore | undefined
  readonly viewsByName: ReadonlyMap<string, FeatureView>
  readonly servicesByName: ReadonlyMap<string, FeatureService>
}

/** Join key and value type that Feast gives an entityless view. */
export const DUMMY_JOIN_KEY = '__dummy_id'
