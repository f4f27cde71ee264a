/**
 * What is asked (Query), how it will be answered (Plan) and what was found (Answer): the three values
 * that pass between the wire and the store. Only a Query holds names; a Plan holds positions.
 */
import type { Catalog, FeatureView, PlainValue } from '../catalog/catalog.ts'
import type { KeyTypeName } from '../catalog/value-type.ts'
import type { Layout } from '../row/layout.ts'
import type { ReadBatch } from '../store/read-batch.ts'

/** What takes the place of a value that is missing, null or withheld. */
export type Fill = 'null' | 'nan' | 'default'

/** How a block's values lie in a binary reply; other formats pay no heed. */
export type BlockForm = 'rows' | 'matrix'

export type EntityColumn = { readonly name: string; readonly values: readonly PlainValue[] }

/** One request on the native path. */
export type Query = {
  /** '' where references are given instead: exactly one of the two. */
  readonly service: string
  /** `view:feature`, in the asked order. */
  readonly references: readonly string[]
  readonly columns: readonly EntityColumn[]
  readonly fill: Fill
  readonly statuses: boolean
  readonly eventTimes: boolean
  readonly form: BlockForm
  /** Milliseconds from the request's arrival, or Infinity. */
  readonly deadlineMs: number
}

/** A join key of a block: which request column feeds it, and as what type. */
export type PlannedKey = {
  readonly column: string
  readonly name: string
  readonly type: KeyTypeName
}

/** The part of a reply that one view (under one name) answers. */
export type PlanBlock = {
  readonly view: FeatureView
  /** The alias, else the view's name (with `@vN` for a versioned reference). */
  readonly name: string
  /** The store's number for the view's table, or 0. */
  readonly table: number
  /** Layout in which rows enter the block: the view's own, whatever layout they were stored in. */
  readonly layout: Layout
  /** In key order. Empty for an entityless view: its key is `constantKey`. */
  readonly keys: readonly PlannedKey[]
  readonly constantKey: Uint8Array
  /** Positions in `view.features`, in the asked order. */
  readonly features: Uint32Array
}

export type Plan = {
  readonly catalog: Catalog
  readonly blocks: readonly PlanBlock[]
  /** Where each asked reference lies, in the asked order: block number and place in its `features`. */
  readonly outputs: readonly { readonly block: number; readonly place: number }[]
  /** Number of asked features over all blocks. */
  readonly featureCount: number
  /** 8 bytes of a hash over everything that shapes a reply: names, types, layouts, form. Hex. */
  readonly schemaId: string
}

/**
 * State of a row in an answer, the same numbers as in a binary reply. Do not change.
 * A row that is not ROW_PRESENT has no values: its cells have the row's state.
 */
export const ROW_PRESENT = 0
export const ROW_NOT_FOUND = 1
/** Older than the view's ttl; its values are withheld, its event time is told. */
export const ROW_OUTSIDE_MAX_AGE = 2
/** The store had not answered by the deadline, or could not read the row. */
export const ROW_LATE = 3

/** Cell states as the native formats name them. */
export const STATUS_NAMES = [
  'PRESENT',
  'NULL',
  'NOT_FOUND',
  'OUTSIDE_MAX_AGE',
  'DEFAULTED',
  'LATE',
] as const
export type StatusName = (typeof STATUS_NAMES)[number]

export type AnswerBlock = {
  readonly plan: PlanBlock
  /** All key columns of the block had one value: it has one row that stands for every request row. */
  readonly broadcast: boolean
  /** 1 where broadcast, else the request's rows. */
  readonly rows: number
  /** For each row of the block the place of its key in `batch`: duplicates share one. */
  readonly places: Uint32Array
}

export type Answer = {
  readonly plan: Plan
  readonly query: Query
  /** Rows of the request: the length of its longest column. */
  readonly rows: number
  readonly blocks: readonly AnswerBlock[]
  /**
   * Every distinct key of every block, read. Rows are in the layout of their block (transcoded where
   * they were stored in another). Valid until the next request of this thread.
   */
  readonly batch: ReadBatch
  /** ROW_* for each place of the batch, ttl applied. */
  readonly rowStates: Uint8Array
  /** Cells that are LATE, over all blocks. */
  readonly lateCells: number
  /** Rows that are copies older than their view allows, given because the store failed. */
  readonly staleRows: number
}
