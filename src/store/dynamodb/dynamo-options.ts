/** What Feast's `online_store: {type: dynamodb, …}` says, checked: the options of reference/online-stores/dynamodb. */
import { z } from 'zod'
import { closestName } from '../../base/closest-name.ts'
import { Fault } from '../../base/fault.ts'
import { BATCH_GET_KEYS_MAX } from '../../base/limits.ts'
import type { OnlineStore } from '../../catalog/catalog.ts'

export type DynamoOptions = {
  readonly region: string
  /** '' where the SDK's rules find it: the region's own, or what the environment says. */
  readonly endpointUrl: string
  readonly consistentReads: boolean
  /** Keys of one BatchGetItem. */
  readonly batchSize: number
  /** Name of a table in DynamoDB, by its view's table name. */
  readonly tableName: (table: string) => string
  /** AWS tags of tables to be made. */
  readonly tags: ReadonlyMap<string, string>
}

const TEMPLATE = '{project}.{table_name}'

const FIELDS = {
  region: z.string('the name of an AWS region').min(1, 'the name of an AWS region'),
  endpoint_url: z
    .url({ protocol: /^https?$/, error: 'http://HOST:PORT or https://…' })
    .refine(
      (text) => (URL.parse(text)?.pathname ?? '/') === '/',
      'http://HOST:PORT, without a path',
    )
    .nullish(),
  table_name_template: z.string('text with {project} and {table_name}').default(TEMPLATE),
  consistent_reads: z.boolean('true or false').default(false),
  batch_size: z.int('a whole number').min(1, '1 or more').default(BATCH_GET_KEYS_MAX),
  tags: z.record(z.string(), z.string('text'), 'a map of texts').nullish(),
}

/** They tune Feast's own client, and mean nothing to ours. */
const OTHER_CLIENT = [
  'session_based_auth',
  'max_read_workers',
  'warmup_connections',
  'max_pool_connections',
  'keepalive_timeout',
  'connect_timeout',
  'read_timeout',
  'total_max_retry_attempts',
  'retry_mode',
]

const KNOWN = [...Object.keys(FIELDS), ...OTHER_CLIENT]
const SCHEMA = z.object(FIELDS)

/** Throws one Fault that holds every fault. */
export function parseDynamoOptions(store: OnlineStore, project: string): DynamoOptions {
  const faults = [...store.options.keys()].filter((key) => !KNOWN.includes(key)).map(unknownOption)
  const parsed = SCHEMA.safeParse(Object.fromEntries(store.options))
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => faultOf(issue, store)))
  const given = store.options.get('table_name_template')
  const template = typeof given === 'string' ? given : TEMPLATE // any other has its own fault
  const naming = parseTemplate(template, project)
  if (naming === undefined) faults.push(badTemplate(template))
  if (faults.length > 0 || parsed.data === undefined || naming === undefined) throw allOf(faults)
  const { data } = parsed
  return {
    region: data.region,
    endpointUrl: data.endpoint_url ?? '',
    consistentReads: data.consistent_reads,
    batchSize: Math.min(data.batch_size, BATCH_GET_KEYS_MAX),
    tableName: naming,
    tags: new Map(Object.entries(data.tags ?? {})),
  }
}

/** Python's str.format with two names; undefined where the text asks for anything else. */
function parseTemplate(text: string, project: string): ((table: string) => string) | undefined {
  const parts: readonly string[] =
    text.match(/\{\{|\}\}|\{project\}|\{table_name\}|[^{}]+|[{}]/g) ?? []
  if (parts.includes('{') || parts.includes('}') || !parts.includes('{table_name}'))
    return undefined
  return (table) => parts.map((part) => partText(part, project, table)).join('')
}

function partText(part: string, project: string, table: string): string {
  if (part === '{project}') return project
  if (part === '{table_name}') return table
  return part === '{{' || part === '}}' ? part.charAt(0) : part
}

const where = (path: readonly PropertyKey[]): string => ['online_store', ...path].join('.')

function unknownOption(key: string): Fault {
  const closest = closestName(key, KNOWN)
  const hint = closest === undefined ? '' : ` (did you mean "${closest}"?)`
  return new Fault('catalog_invalid', `online_store.${key} is unknown${hint}`, {
    where: where([key]),
    allowed: KNOWN.join(', '),
  })
}

function faultOf(issue: z.core.$ZodIssue, store: OnlineStore): Fault {
  const name = where(issue.path)
  const isGiven = store.options.has(String(issue.path[0]))
  const message = !isGiven ? `${name} is missing` : `${name} is not ${issue.message}`
  return new Fault('catalog_invalid', message, { where: name, allowed: issue.message })
}

const badTemplate = (template: string): Fault =>
  new Fault('catalog_invalid', `online_store.table_name_template is ${JSON.stringify(template)}`, {
    where: where(['table_name_template']),
    allowed: `text with {table_name}, and {project} where it is wanted, such as ${TEMPLATE}`,
  })

function allOf(faults: readonly Fault[]): Fault {
  const lines = faults.map(({ message, allowed }) => `${message}; allowed: ${allowed}`)
  return new Fault('catalog_invalid', lines.join('\n'), { where: 'feature_store.yaml', faults })
}
