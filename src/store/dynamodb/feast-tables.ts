/** The tables of a catalog in DynamoDB, as Feast's `apply` makes them: made, or looked at. */
import { TABLE_POLL_MS, TABLE_READY_MS_MAX } from '../../base/limits.ts'
import type { FeatureView } from '../../catalog/catalog.ts'
import type { DynamoOptions } from './dynamo-options.ts'
import type { TableCalls, TableFound, Tags } from './table-calls.ts'
import { FEAST_KEYS } from './table-calls.ts'

/** A view's table, as it should be. */
export type WantedTable = {
  readonly view: string
  /** 0 without versions. */
  readonly version: number
  readonly table: string
  readonly tags: Tags
}

/** `there`: it was there before, and is right. */
export type TableState = 'created' | 'there' | 'ok' | 'missing' | 'wrong'

export type TableReport = {
  readonly wanted: WantedTable
  readonly state: TableState
  /** Why it is wrong. */
  readonly faults: readonly string[]
  /** What is not as Feast would make it, and does no harm. */
  readonly warnings: readonly string[]
}

/** Waits for what DynamoDB does in its own time. */
export type TableClock = {
  readonly nowMs: () => number
  readonly pause: (ms: number) => Promise<void>
}

/** While it changes its size or its indexes it serves as before. */
const SERVING: readonly string[] = ['ACTIVE', 'UPDATING']

/** One for each view that has rows: online, of every kind, and in every version that is served. */
export function wantedTables(
  views: readonly FeatureView[],
  options: Pick<DynamoOptions, 'tableName' | 'tags'>,
): readonly WantedTable[] {
  return views
    .filter((view) => view.online)
    .map((view) => ({
      view: view.name,
      version: view.version,
      table: options.tableName(view.table),
      tags: tagsOf(view, options.tags),
    }))
}

/** Feast's rule: the view's word for a key wins over the configured one, unless it is empty. */
function tagsOf(view: FeatureView, configured: Tags): Tags {
  const tags = new Map<string, string>()
  for (const [key, value] of configured) tags.set(key, view.tags.get(key) || value)
  for (const [key, value] of view.tags) if (!configured.has(key)) tags.set(key, value)
  return tags
}

/**
 * Makes the table unless one of its name is there, which is left as it is. Wait for it with
 * `tableWhenReady`: made one after the other and then waited for, all take as long as one.
 */
export async function makeTable(
  { table, tags }: WantedTable,
  calls: TableCalls,
): Promise<'created' | 'there'> {
  if ((await calls.describe(table)) !== undefined) return 'there'
  return (await calls.create(table, tags)) ? 'created' : 'there'
}

export async function tableWhenReady(
  wanted: WantedTable,
  made: 'created' | 'there',
  { calls, clock }: { readonly calls: TableCalls; readonly clock: TableClock },
): Promise<TableReport> {
  const untilMs = clock.nowMs() + TABLE_READY_MS_MAX
  let found = await calls.describe(wanted.table)
  // A table just made may not be seen at once.
  while (!isServing(found) && clock.nowMs() < untilMs) {
    await clock.pause(TABLE_POLL_MS)
    found = await calls.describe(wanted.table)
  }
  if (found === undefined) return { wanted, state: 'missing', faults: [], warnings: [] }
  const faults = faultsOf(found)
  return { wanted, state: faults.length > 0 ? 'wrong' : made, faults, warnings: [] }
}

const isServing = (found: TableFound | undefined): boolean =>
  found !== undefined && SERVING.includes(found.status)

/** Changes nothing. */
export async function checkTable(wanted: WantedTable, calls: TableCalls): Promise<TableReport> {
  const found = await calls.describe(wanted.table)
  if (found === undefined) return { wanted, state: 'missing', faults: [], warnings: [] }
  const faults = faultsOf(found)
  const warnings = tagWarnings(wanted.tags, await calls.tagsOf(found))
  return { wanted, state: faults.length > 0 ? 'wrong' : 'ok', faults, warnings }
}

function faultsOf({ keys, status }: TableFound): readonly string[] {
  const faults: string[] = []
  const [wanted, found] = [FEAST_KEYS, keys].map((names) => names.join(', '))
  if (found !== wanted) faults.push(`its key is ${found}; Feast's is ${wanted}`)
  if (!SERVING.includes(status)) faults.push(`it is ${status}, not ACTIVE`)
  return faults
}

/** Others' tags beside the wanted ones are theirs. */
function tagWarnings(wanted: Tags, found: Tags | string): readonly string[] {
  if (typeof found === 'string') return [`its tags can't be read: ${found}`]
  return [...wanted]
    .filter(([key, value]) => found.get(key) !== value)
    .map(([key, value]) => {
      const now = found.get(key)
      const what = now === undefined ? 'is missing' : `is ${JSON.stringify(now)}`
      return `its tag ${key} ${what}; Feast would write ${JSON.stringify(value)}`
    })
}
