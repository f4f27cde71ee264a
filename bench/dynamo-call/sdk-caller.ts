/** The same calls by the AWS SDK as it comes, and the same rows out of what it returns. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CREDENTIALS } from '../dynamo-repo.ts'
import { STUB_FEATURES, STUB_TABLE, stubEntityId } from '../dynamo-stub/stub-items.ts'
import type { Caller } from './caller.ts'

export function sdkCaller(endpoint: string): Caller {
  const client = new DynamoDBClient({
    endpoint,
    region: CREDENTIALS.AWS_DEFAULT_REGION,
    credentials: {
      accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
      secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
    },
  })
  return {
    async call(ids) {
      const entityIds = ids.map(stubEntityId)
      const Keys = entityIds.map((id) => ({ entity_id: { S: id } }))
      const command = new BatchGetItemCommand({ RequestItems: { [STUB_TABLE]: { Keys } } })
      const { Responses } = await client.send(command)
      const places = new Map(entityIds.map((id, place) => [id, place]))
      const values = new Float32Array(ids.length * STUB_FEATURES)
      const timesMs = new Float64Array(ids.length)
      for (const item of Responses?.[STUB_TABLE] ?? []) {
        const place = places.get(item['entity_id']?.S ?? '')!
        timesMs[place] = Date.parse(item['event_ts']?.S ?? '')
        fillRow(values.subarray(place * STUB_FEATURES), item['values']?.M ?? {})
      }
      return () => ({ values, timesMs })
    },
    close: () => client.destroy(),
  }
}

function fillRow(row: Float32Array, values: Record<string, AttributeValue>): void {
  for (let position = 0; position < STUB_FEATURES; position++) {
    row[position] = floatOf(values[`f${position}`]?.B ?? new Uint8Array(0))
  }
}

/** A feast.types.Value with float_val: its tag and four bytes. */
const floatOf = (value: Uint8Array): number =>
  value.length === 5
    ? new DataView(value.buffer, value.byteOffset, value.byteLength).getFloat32(1, true)
    : Number.NaN
