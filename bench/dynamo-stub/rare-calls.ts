/** Answers to the operations that a server makes beside its reads, as plain as they may be. */
import { STUB_ROWS, STUB_TABLE, stubEntityId, stubItem } from './stub-items.ts'

export type RareAnswer = { readonly status: 200 | 400; readonly body: string }

const TABLE = {
  TableName: STUB_TABLE,
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'entity_id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'entity_id', AttributeType: 'S' }],
  TableArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${STUB_TABLE}`,
  BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  ItemCount: STUB_ROWS,
}

const ANSWERS: { readonly [operation: string]: object } = {
  DescribeTable: { Table: TABLE },
  CreateTable: { TableDescription: TABLE },
  ListTables: { TableNames: [STUB_TABLE] },
  ListTagsOfResource: { Tags: [] },
  TagResource: {},
  PutItem: {},
  UpdateItem: {},
  DeleteItem: {},
  BatchWriteItem: { UnprocessedItems: {} },
}

export function answerRare(operation: string, body: string): RareAnswer {
  if (operation === 'GetItem') return { status: 200, body: answerGetItem(body) }
  const answer = ANSWERS[operation]
  if (answer === undefined) return refusal('UnknownOperationException', operation)
  return { status: 200, body: JSON.stringify(answer) }
}

export const refusal = (exception: string, message: string): RareAnswer => ({
  status: 400,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${exception}`, message }),
})

let idsByEntity: Map<string, number> | undefined

function answerGetItem(body: string): string {
  idsByEntity ??= new Map(Array.from({ length: STUB_ROWS }, (_, id) => [stubEntityId(id), id]))
  const asked = JSON.parse(body) as { readonly Key: { readonly entity_id: { readonly S: string } } }
  const id = idsByEntity.get(asked.Key.entity_id.S)
  return id === undefined ? '{}' : `{"Item":${stubItem(id)}}`
}
