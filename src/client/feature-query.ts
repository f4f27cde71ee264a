/** A question to `/v1/features`, and its JSON. */
import { ClientError } from './client-error.ts'

export type EntityValue = string | number | bigint | boolean

export type FeatureQuery = {
  /** Exactly one of `featureService` and `features` (`view:feature`). */
  readonly featureService?: string
  readonly features?: readonly string[]
  /** Join key -> a value for each row, or one for all. */
  readonly entities: { readonly [joinKey: string]: EntityValue | readonly EntityValue[] }
  /** What stands where there is no value; `null` unless given. */
  readonly fill?: 'null' | 'nan' | 'default'
  readonly statuses?: boolean
  readonly eventTimes?: boolean
  readonly block?: 'rows' | 'matrix'
}

/** Equal for queries whose replies have the same columns in the same form. */
export const columnsKey = ({ featureService, features, block }: FeatureQuery): string =>
  JSON.stringify([block ?? 'rows', featureService ?? '', features ?? []])

export function queryText(
  query: FeatureQuery,
  schema: 'include' | 'omit',
  deadlineMs: number,
): string {
  const head = {
    feature_service: query.featureService,
    features: query.features,
    fill: query.fill,
    statuses: query.statuses,
    event_times: query.eventTimes,
    block: query.block,
    schema,
    deadline_ms: deadlineMs === Infinity ? undefined : deadlineMs,
  }
  const columns = Object.entries(query.entities).map(
    ([name, values]) => `${JSON.stringify(name)}:${valuesText(name, values)}`,
  )
  return `{"entities":{${columns.join(',')}},${JSON.stringify(head).slice(1)}`
}

function valuesText(name: string, values: EntityValue | readonly EntityValue[]): string {
  if (!isList(values)) return valueText(name, values)
  return `[${values.map((value) => valueText(name, value)).join(',')}]`
}

const isList = (values: EntityValue | readonly EntityValue[]): values is readonly EntityValue[] =>
  Array.isArray(values)

/** JSON.stringify refuses a bigint; as digits it is exact. */
function valueText(name: string, value: EntityValue): string {
  if (typeof value === 'bigint') return String(value)
  const text: string | undefined = JSON.stringify(value)
  if (text !== undefined && text !== 'null') return text
  throw new ClientError('invalid_query', `${String(value)} is no value for the join key ${name}`)
}
