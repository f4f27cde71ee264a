/** A serving side over a real store in a folder of its own, in this process but for the writer thread. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BODY_MS_MAX, FUTURE_MARGIN_US } from '../../src/base/limits.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { readFeaturesYaml } from '../../src/catalog/read-features-yaml.ts'
import type { StoreThread } from '../../src/commands/store-thread.ts'
import type { ServingSettings } from '../../src/http/serving-side.ts'
import { ServingSide } from '../../src/http/serving-side.ts'
import { openStoreThread } from '../../src/threads/open-store-thread.ts'

export const DEFINITIONS = `
project: shop
entities:
  - { name: user, join_key: user_id, value_type: INT64 }
  - { name: item, join_key: item_id, value_type: STRING }
feature_views:
  - name: clicks
    entities: [user]
    features:
      - { name: count, type: Int64 }
      - { name: rate, type: Float32, default: 0.5 }
      - { name: label, type: String }
  - name: price
    entities: [item]
    features:
      - { name: euros, type: Float64 }
feature_services:
  - name: ranking
    features: [clicks, price]
`

export type Served = {
  readonly side: ServingSide
  readonly store: StoreThread
  readonly catalog: Catalog
  readonly log: string[]
  close(): Promise<void>
}

export async function openServed(settings: Partial<ServingSettings> = {}): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'salver-http-'))
  const catalog = readFeaturesYaml(DEFINITIONS, { file: 'features.yaml', folder })
  const log: string[] = []
  const side = new ServingSide(
    {
      host: '127.0.0.1',
      port: 0,
      token: '',
      readOnly: false,
      feastTtl: 'ignore',
      requestsInFlightMax: 100,
      bodyMsMax: BODY_MS_MAX,
      ...settings,
    },
    { metrics: async () => '', log: (line) => void log.push(line) },
  )
  const store = await openStoreThread({
    dataDir: join(folder, 'data'),
    durability: 'process',
    futureMarginUs: FUTURE_MARGIN_US,
    catalog,
  })
  side.open(catalog, store.reader, store)
  return {
    side,
    store,
    catalog,
    log,
    close: async () => {
      await side.drain(0)
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
