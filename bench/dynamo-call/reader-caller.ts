/** A call by our own reader and client: rows as the server has them, in a batch that is used again. */
import { CREDENTIALS } from '../dynamo-repo.ts'
import { STUB_FEATURES, STUB_JOIN_KEYS, STUB_TABLE, STUB_VIEW } from '../dynamo-stub/stub-items.ts'
import { KEY_BYTES_MAX } from '../../src/base/limits.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { keySignature, makeKeyWriter } from '../../src/row/entity-key.ts'
import type { Layout } from '../../src/row/layout.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { DynamoReader } from '../../src/store/dynamodb/dynamo-reader.ts'
import { DynamoHttpClient } from '../../src/store/dynamodb/http-client.ts'
import { FOUND, ReadBatch } from '../../src/store/read-batch.ts'
import type { CalledRows, Caller } from './caller.ts'

const CALL_MS_MAX = 10_000

const writer = makeKeyWriter(STUB_JOIN_KEYS)

export function readerCaller(endpoint: string): Caller {
  const reader = new DynamoReader({
    calls: clientOf(endpoint),
    tableName: () => STUB_TABLE,
    consistentReads: false,
    callKeysMax: 100,
  })
  const layout = floatLayout()
  const table = reader.tableNumber(STUB_VIEW, keySignature(STUB_JOIN_KEYS), {
    layout,
    features: undefined,
    cacheMaxStalenessMs: 0,
    staleIfError: false,
  })
  const idle: ReadBatch[] = []
  const { signal } = new AbortController()
  return {
    async call(ids) {
      const batch = idle.pop() ?? new ReadBatch(ids.length, 4096, ids.length * 256)
      batch.reset()
      for (const id of ids) {
        const start = batch.reserveKey(KEY_BYTES_MAX)
        batch.commitKey(table, writer.write([id], batch.keys, start))
      }
      const result = await reader.callMany(batch, CALL_MS_MAX, signal)
      if (result !== 'answered') throw new Error(`the call was ${result}`)
      idle.push(batch)
      return () => rowsOf(batch, layout)
    },
    close() {},
  }
}

function clientOf(endpoint: string): DynamoHttpClient {
  const credentials = {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
    sessionToken: '',
    expiresMs: Infinity,
  }
  return new DynamoHttpClient({
    endpoint,
    region: CREDENTIALS.AWS_DEFAULT_REGION,
    credentials: () => Promise.resolve(credentials),
  })
}

const floatLayout = (): Layout =>
  makeLayout(
    Array.from({ length: STUB_FEATURES }, (_, at) => ({
      name: `f${at}`,
      type: valueType('FLOAT'),
    })),
    false,
  )

function rowsOf(batch: ReadBatch, layout: Layout): CalledRows {
  const values = new Float32Array(batch.count * STUB_FEATURES).fill(Number.NaN)
  const view = new DataView(batch.rows.buffer)
  for (let place = 0; place < batch.count; place++) {
    if (batch.states[place] !== FOUND) continue
    for (let at = 0; at < STUB_FEATURES; at++) {
      const offset = batch.rowStarts[place]! + layout.slots[at]!
      values[place * STUB_FEATURES + at] = view.getFloat32(offset, true)
    }
  }
  return { values, timesMs: batch.times.slice(0, batch.count).map((us) => us / 1000) }
}
