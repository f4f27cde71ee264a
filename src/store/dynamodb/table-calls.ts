/** Tables of DynamoDB and their tags: rare calls, made by the AWS SDK. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Fault } from '../../base/fault.ts'
import { TABLE_CALL_MS_MAX } from '../../base/limits.ts'
import { openSdkClient } from './dynamo-endpoint.ts'
import type { DynamoOptions } from './dynamo-options.ts'

export type TableFound = {
  readonly arn: string
  /** ACTIVE when it takes reads and writes. */
  readonly status: string
  /** Key attributes in order, such as `entity_id HASH S`. */
  readonly keys: readonly string[]
}

export type Tags = ReadonlyMap<string, string>

/** Each call rejects with a Fault. */
export interface TableCalls {
  /** undefined where there is no such table. */
  describe(table: string): Promise<TableFound | undefined>
  /** Whether it was made by this call: false where one of this name is there, or being made. */
  create(table: string, tags: Tags): Promise<boolean>
  /** Or the exception for which they can't be read. */
  tagsOf(found: TableFound): Promise<Tags | string>
  close(): void
}

/** What Feast hashes a key to, as its tables are keyed. */
const KEY = 'entity_id'
export const FEAST_KEYS: readonly string[] = [`${KEY} HASH S`]

/** No permission, or a store that has no tags: the table is as good without. */
const TAGS_UNREADABLE: readonly string[] = ['AccessDeniedException', 'UnknownOperationException']

export async function openTableCalls(options: DynamoOptions): Promise<TableCalls> {
  const sdk = await import('@aws-sdk/client-dynamodb')
  return new SdkTableCalls(await openSdkClient(options), sdk)
}

type Sdk = typeof import('@aws-sdk/client-dynamodb')

class SdkTableCalls implements TableCalls {
  readonly #client: DynamoDBClient
  readonly #sdk: Sdk

  constructor(client: DynamoDBClient, sdk: Sdk) {
    this.#client = client
    this.#sdk = sdk
  }

  async describe(table: string): Promise<TableFound | undefined> {
    const command = new this.#sdk.DescribeTableCommand({ TableName: table })
    const call = this.#client.send(command, limits())
    const reply = await except(['ResourceNotFoundException'], call, `describing ${table}`)
    if (typeof reply === 'string' || reply.Table === undefined) return undefined
    const { TableArn: arn = '', TableStatus: status = '', KeySchema, ...rest } = reply.Table
    const types = new Map(rest.AttributeDefinitions?.map((it) => [it.AttributeName, it]))
    const keys = (KeySchema ?? []).map(({ AttributeName: name, KeyType: kind }) =>
      [name, kind, types.get(name)?.AttributeType].join(' '),
    )
    return { arn, status, keys }
  }

  async create(table: string, tags: Tags): Promise<boolean> {
    const command = new this.#sdk.CreateTableCommand({
      TableName: table,
      KeySchema: [{ AttributeName: KEY, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: KEY, AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
      // Even an empty list asks for a permission of its own.
      ...(tags.size === 0 ? {} : { Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }),
    })
    const call = this.#client.send(command, limits())
    const reply = await except(['ResourceInUseException'], call, `creating ${table}`)
    return typeof reply !== 'string'
  }

  async tagsOf({ arn }: TableFound): Promise<Tags | string> {
    const tags = new Map<string, string>()
    let NextToken: string | undefined
    do {
      const command = new this.#sdk.ListTagsOfResourceCommand({ ResourceArn: arn, NextToken })
      const call = this.#client.send(command, limits())
      const reply = await except(TAGS_UNREADABLE, call, `listing the tags of ${arn}`)
      if (typeof reply === 'string') return reply
      for (const { Key = '', Value = '' } of reply.Tags ?? []) tags.set(Key, Value)
      NextToken = reply.NextToken
    } while (NextToken !== undefined)
    return tags
  }

  close(): void {
    this.#client.destroy()
  }
}

const limits = () => ({ abortSignal: AbortSignal.timeout(TABLE_CALL_MS_MAX) })

/** The reply, or the name of an exception that is an answer too. Others become a Fault. */
async function except<Reply>(
  names: readonly string[],
  call: Promise<Reply>,
  doing: string,
): Promise<Reply | string> {
  try {
    return await call
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : ''
    if (names.includes(name)) return name
    throw refusal(thrown, doing)
  }
}

function refusal(cause: unknown, doing: string): Fault {
  const [name, message] = cause instanceof Error ? [cause.name, cause.message] : ['', String(cause)]
  const why = ['', 'Error'].includes(name) ? message : `${name}: ${message}`
  const isOurs = name === 'CredentialsProviderError' || name === 'AccessDeniedException'
  return new Fault(isOurs ? 'usage' : 'unavailable', `${doing} failed: ${why}`, {
    where: 'DynamoDB',
    cause,
  })
}
