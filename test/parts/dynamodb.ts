/** DynamoDB Local for tests: one for all files of a run, and plain calls to look at it from outside. */
import { describe } from 'bun:test'
import {
  type DynamoDbLocal,
  FAKE_SIGNATURE,
  startDynamoDbLocal,
} from '../../scripts/parts/dynamodb-local.ts'
import { PartMissing } from '../../scripts/parts/parts-folder.ts'

export type DynamoForTests = { readonly url: string } | { readonly skipped: string }

let started: Promise<DynamoForTests> | undefined

/** The one of this process, started by the first who asks. It ends with the process. */
export function dynamodbLocal(): Promise<DynamoForTests> {
  started ??= startForTests()
  return started
}

async function startForTests(): Promise<DynamoForTests> {
  try {
    const { url } = await startDynamoDbLocal()
    return { url }
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error
    return { skipped: error.message }
  }
}

/** A DynamoDB Local of the test's own, to be stopped and killed. */
export const ownDynamo = (port = 0): Promise<DynamoDbLocal> => startDynamoDbLocal({ port })

/**
 * `describe` over DynamoDB Local: `await` it at the top of a file. Where it can't be had, the tests are
 * skipped and the name says why.
 */
export async function describeWithDynamo(name: string, body: (url: string) => void): Promise<void> {
  const dynamo = await dynamodbLocal()
  const skipped = 'skipped' in dynamo
  const reason = skipped ? ` (skipped: ${dynamo.skipped.split('\n')[0]})` : ''
  describe.skipIf(skipped)(`${name}${reason}`, () => body(skipped ? '' : dynamo.url))
}

export type DynamoJson = Readonly<Record<string, unknown>>

/** A reply that is not 200. */
export class RawCallError extends Error {
  readonly status: number
  /** Without its namespace, such as ResourceNotFoundException. */
  readonly exception: string

  constructor(status: number, body: string) {
    super(`${status} ${body}`)
    this.status = status
    this.exception = /"__type":"(?:[^"#]*#)?([^"]*)"/.exec(body)?.[1] ?? ''
  }
}

/** One call of the protocol with plain JSON, beside everything of ours. */
export async function rawCall(
  url: string,
  operation: string,
  payload: unknown,
): Promise<DynamoJson> {
  const reply = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization: FAKE_SIGNATURE,
    },
    body: JSON.stringify(payload),
  })
  const text = await reply.text()
  if (reply.status !== 200) throw new RawCallError(reply.status, text)
  return JSON.parse(text)
}

/** A table as Feast describes it to DynamoDB. In DynamoDB Local it is there when the call is answered. */
export async function createFeastTable(url: string, name: string): Promise<void> {
  await rawCall(url, 'CreateTable', {
    TableName: name,
    KeySchema: [{ AttributeName: 'entity_id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'entity_id', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
}

/** Every item of a table, by its entity_id. */
export async function itemsOf(url: string, table: string): Promise<Map<string, DynamoJson>> {
  const items = new Map<string, DynamoJson>()
  let start: unknown
  do {
    const page = await rawCall(url, 'Scan', {
      TableName: table,
      ConsistentRead: true,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    })
    for (const item of page['Items'] as readonly DynamoJson[]) {
      items.set((item['entity_id'] as { S: string }).S, item)
    }
    start = page['LastEvaluatedKey']
  } while (start !== undefined)
  return items
}

let names = 0

/** A name that no other test of the run has: the tables of all lie in one database. */
export function uniqueName(start: string): string {
  names++
  return `${start}_${names.toString(36)}`
}

/** What the AWS SDK's default chain finds in the environment of a program of ours. */
export const TEST_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const

/** The same in this process, for what runs in it. */
export function useTestCredentials(): void {
  Object.assign(process.env, TEST_CREDENTIALS)
}
