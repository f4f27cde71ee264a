/** Reading DynamoDB in this thread: calls, coalesced, with kept rows in front where views allow them. */
import { REMOTE_WATCH_MS } from '../base/limits.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { RemoteFigures } from '../http/remote-figures.ts'
import { CachedReader } from '../store/cache/cached-reader.ts'
import { Coalescer } from '../store/coalesce/coalescer.ts'
import { DynamoReader } from '../store/dynamodb/dynamo-reader.ts'
import type { DynamoHttpClient } from '../store/dynamodb/http-client.ts'
import { StoreHealth } from '../store/dynamodb/store-health.ts'
import type { RowReader, WriteFollower } from '../store/store.ts'
import { openDynamo } from './dynamo-store.ts'
import type { RemoteSide } from './store-thread.ts'

export async function openDynamoReading(asked: {
  readonly catalog: Catalog
  readonly readMsMax: number
  readonly cacheBytesMax: number
}): Promise<DynamoReading> {
  const { options, calls } = await openDynamo(asked.catalog)
  const { tableName, consistentReads, batchSize } = options
  const store = new DynamoReader({ calls, tableName, consistentReads, callKeysMax: batchSize })
  const coalescer = new Coalescer(store, {
    readMsMax: asked.readMsMax,
  })
  const bytesMax = asked.cacheBytesMax
  const cache = bytesMax > 0 ? new CachedReader(coalescer, { bytesMax }) : undefined
  const probe = probeBody(asked.catalog, tableName)
  return new DynamoReading({ calls, store, coalescer, cache, probe })
}

type Parts = {
  readonly calls: DynamoHttpClient
  readonly store: DynamoReader
  readonly coalescer: Coalescer
  /** Keeps nothing of views that do not declare how old a kept row may be. */
  readonly cache: CachedReader | undefined
  /** Body of a BatchGetItem that any answer to shows that the store is there. */
  readonly probe: Uint8Array
}

/** A key that no table holds: an id is 32 digits long. */
function probeBody(catalog: Catalog, tableName: (table: string) => string): Uint8Array {
  const name = tableName(catalog.views[0]?.table ?? 'none')
  const keys = { Keys: [{ entity_id: { S: 'none' } }] }
  return new TextEncoder().encode(JSON.stringify({ RequestItems: { [name]: keys } }))
}

export class DynamoReading implements RemoteSide {
  readonly reader: RowReader & WriteFollower
  readonly #parts: Parts
  readonly #health: StoreHealth

  constructor(parts: Parts) {
    this.reader = parts.cache ?? parts.coalescer
    this.#parts = parts
    this.#health = new StoreHealth(parts.calls)
  }

  figures(): RemoteFigures {
    const { calls, store, coalescer, cache } = this.#parts
    return {
      counters: { ...calls.tally, ...store.counters, ...coalescer.counters, ...cache?.counters },
      gauges: { ...coalescer.gauges, ...cache?.gauges },
    }
  }

  look(): readonly string[] {
    const health = this.#health
    health.look()
    if (health.isIdle && health.problem !== '') this.#probe()
    const tables = [...this.#parts.store.problems].map(([name, why]) => `table ${name}: ${why}`)
    return health.problem === '' ? tables : [health.problem, ...tables]
  }

  #probe(): void {
    // How it ends is tallied, and seen by the next look.
    this.#parts.calls.call('BatchGetItem', this.#parts.probe, REMOTE_WATCH_MS).catch(() => {})
  }

  async close(): Promise<void> {
    this.#parts.coalescer.close()
  }
}
