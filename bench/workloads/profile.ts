/** Where the microseconds of one request go: each stage alone, in this process, on random entities. */
import { join } from 'node:path'
import { makeFloatStore, SEED } from '../float-store.ts'
import { makeRandom } from '../random.ts'
import { type Figure, figure, type Workload } from '../workload.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { decoderFor, encoderFor } from '../../src/codec/negotiate.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { nativePlans } from '../../src/query/plan-cache.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'

const SIZES = {
  smoke: { rows: 2_000, entities: 10, requests: 50, repeats: 1 },
  full: { rows: 1_000_000, entities: 100, requests: 5_000, repeats: 5 },
} as const
const FEATURES = 50
const REPLIES = ['application/vnd.salver', 'application/msgpack', 'application/json'] as const

export const profile: Workload = {
  name: 'profile',
  about: 'where a request of 100 x 50 Float32 spends its time, stage by stage, without HTTP',
  async run(size, workDir) {
    const { rows, entities, requests, repeats } = SIZES[size]
    const { catalogPath, dataDir } = await makeFloatStore(join(workDir, 'profile'), rows, FEATURES)
    const store = await openEmbeddedStore({ dir: dataDir, durability: 'sync' })
    const catalog = await openCatalog(catalogPath)
    const plans = nativePlans(store)
    const answerer = new Answerer(store, () => Date.now() * 1000)
    const decoder = decoderFor('application/json')
    const bodies = makeBodies(rows, entities, requests)
    const stages = new Map<string, number[]>()
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const accept of REPLIES) {
        const encoder = encoderFor(accept)
        const spent = { decode: 0, plan: 0, read: 0, encode: 0 }
        for (const body of bodies) {
          const start = Bun.nanoseconds()
          const { schema, ...query } = decoder.decodeRead(body)
          const decoded = Bun.nanoseconds()
          const plan = plans.planFor(catalog, query)
          const planned = Bun.nanoseconds()
          const encoding = await answerer.answer(plan, query, (answer) => {
            const read = Bun.nanoseconds()
            const bytes = encoder.encode(answer, schema)
            if (bytes.length === 0) throw new Error('an empty reply')
            return { read, end: Bun.nanoseconds() }
          })
          spent.decode += decoded - start
          spent.plan += planned - decoded
          spent.read += encoding.read - planned
          spent.encode += encoding.end - encoding.read
        }
        for (const [stage, nanoseconds] of Object.entries(spent)) {
          const name = stage === 'encode' ? `encode ${accept}` : STAGES[stage as 'decode']
          const values = stages.get(name) ?? []
          values.push(nanoseconds / requests / 1000)
          stages.set(name, values)
        }
      }
    }
    await store.close()
    return [...stages].map(([name, values]): Figure => figure(name, 'us', values))
  },
}

const STAGES = {
  decode: 'decode the JSON request',
  plan: 'find the plan',
  read: 'keys, look-up, states',
} as const

function makeBodies(rows: number, entities: number, requests: number): Uint8Array[] {
  const random = makeRandom(SEED + 4)
  return Array.from({ length: requests }, () => {
    const ids = Array.from({ length: entities }, () => Math.floor(random() * rows))
    const query = { feature_service: 'ranking', entities: { document_id: ids } }
    return new TextEncoder().encode(JSON.stringify({ ...query, block: 'matrix', schema: 'omit' }))
  })
}
