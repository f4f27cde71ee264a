/** The sample table in DynamoDB Local: stores over it, and looks at it from outside of them. */
import { eventTsText } from '../../../src/base/time-text.ts'
import { entityId } from '../../../src/row/entity-id.ts'
import { keyPrefix } from '../../../src/row/entity-key.ts'
import { Coalescer } from '../../../src/store/coalesce/coalescer.ts'
import type { DynamoCalls } from '../../../src/store/dynamodb/dynamo-client.ts'
import { DynamoReader } from '../../../src/store/dynamodb/dynamo-reader.ts'
import { DynamoStore } from './dynamo-store.ts'
import type { LedgerParts } from '../../../src/store/dynamodb/open-ledger.ts'
import { DynamoWriter } from '../../../src/store/dynamodb/dynamo-writer.ts'
import { DynamoHttpClient } from '../../../src/store/dynamodb/http-client.ts'
import type { PaceClock } from '../../../src/store/dynamodb/write-pace.ts'
import { REAL_CLOCK } from '../../../src/store/dynamodb/write-pace.ts'
import type { DynamoJson } from '../../parts/dynamodb.ts'
import { createFeastTable, itemsOf, rawCall, uniqueName } from '../../parts/dynamodb.ts'
import type { SampleRow } from '../sample-table.ts'
import { KEY_BYTES, SampleTable, writeSampleKey } from '../sample-table.ts'

export const clientOf = (url: string): DynamoCalls =>
  new DynamoHttpClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: async () => ({
      accessKeyId: 'test',
      secretAccessKey: 'test',
      sessionToken: '',
      expiresMs: Infinity,
    }),
  })

/** Pauses take no time: the clock moves on by them. */
export function quickClock(random: () => number = Math.random): PaceClock {
  let pausedMs = 0
  return {
    now: () => performance.now() + pausedMs,
    pause: async (ms) => {
      pausedMs += ms
      await new Promise((resolve) => setImmediate(resolve))
    },
    random,
  }
}

export type StoreOptions = {
  /** Of the writer. */
  readonly calls: DynamoCalls
  readonly refreshAfterUs: number | undefined
  readonly assumeEmpty: boolean
  readonly ledger: LedgerParts | undefined
  readonly clock: PaceClock
  readonly callKeysMax: number
}

/** Tables `sample` and `other` of one test, and stores over them. */
export class DynamoTables {
  readonly #url: string
  readonly #prefix = uniqueName('written')

  constructor(url: string) {
    this.#url = url
  }

  static async create(url: string): Promise<DynamoTables> {
    const tables = new DynamoTables(url)
    await createFeastTable(url, tables.name('sample'))
    await createFeastTable(url, tables.name('other'))
    return tables
  }

  readonly name = (table: string): string => `${this.#prefix}.${table}`

  store(options: Partial<StoreOptions> = {}): DynamoStore {
    const calls = clientOf(this.#url)
    const tableName = this.name
    const { callKeysMax = 100, clock = REAL_CLOCK } = options
    const reader = new DynamoReader({ calls, tableName, consistentReads: true, callKeysMax })
    const writer = new DynamoWriter(
      {
        calls: options.calls ?? calls,
        tableName,
        callKeysMax,
        refreshAfterUs: 'refreshAfterUs' in options ? options.refreshAfterUs : 0,
        assumeEmpty: options.assumeEmpty ?? false,
        ledger: options.ledger,
      },
      clock,
    )
    return new DynamoStore({
      reader: new Coalescer(reader, { readMsMax: 10_000 }),
      writer,
      calls,
      tableName,
    })
  }

  async sample(options: Partial<StoreOptions> = {}): Promise<OpenSample> {
    const store = this.store(options)
    return { store, table: await SampleTable.open(store) }
  }

  /** Feast's way: a whole item, without a condition. `timeText` undefined: no event_ts at all. */
  async putForeign(id: number, timeText: string | undefined, value: bigint): Promise<void> {
    await rawCall(this.#url, 'PutItem', {
      TableName: this.name('sample'),
      Item: foreignItem(id, timeText, value),
    })
  }

  async deleteForeign(id: number): Promise<void> {
    const key = { entity_id: { S: sampleEntityId(id) } }
    await rawCall(this.#url, 'DeleteItem', { TableName: this.name('sample'), Key: key })
  }

  items(table = 'sample'): Promise<Map<string, DynamoJson>> {
    return itemsOf(this.#url, this.name(table))
  }

  async item(id: number): Promise<DynamoJson | undefined> {
    return (await this.items()).get(sampleEntityId(id))
  }
}

export type OpenSample = { readonly store: DynamoStore; readonly table: SampleTable }

const PREFIX = keyPrefix([{ name: 'id', type: 'INT64' }])

export function sampleEntityId(id: number): string {
  const key = new Uint8Array(KEY_BYTES)
  writeSampleKey(key, 0, id)
  return entityId(PREFIX, key)
}

/** An item of the sample table with 8 bytes of blob, as `writeSampleRow` makes them. */
export function foreignItem(id: number, timeText: string | undefined, value: bigint): DynamoJson {
  const bytes = Uint8Array.from({ length: 8 }, (_, place) => Number(value) * 31 + place * 7)
  const blob = Uint8Array.of(0x0a, bytes.length, ...bytes)
  return {
    entity_id: { S: sampleEntityId(id) },
    ...(timeText === undefined ? {} : { event_ts: { S: timeText } }),
    values: { M: { value: { B: int64Value(value).toBase64() }, blob: { B: blob.toBase64() } } },
  }
}

/** A feast.types.Value with an INT64 that is not negative. */
function int64Value(value: bigint): Uint8Array {
  const bytes = [0x20]
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

export const sampleRow = (value: number, timeUs: number): SampleRow => ({
  value,
  blobBytes: 8,
  timeUs,
})

export const textOf = (timeUs: number): string => eventTsText(timeUs)
