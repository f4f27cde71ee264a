/** Open loop at half of capacity: latency from the time a request was due. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeFloatStore, SEED } from '../float-store.ts'
import { runLoad } from '../load/run-load.ts'
import type { LoadReport } from '../load/load-spec.ts'
import { makeRandom } from '../random.ts'
import { freePort, serveBare, serveStore } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { rows: 2_000, entities: 10, seconds: 0.3, repeats: 1, bodies: 8 },
  full: { rows: 1_000_000, entities: 100, seconds: 3, repeats: 5, bodies: 256 },
} as const
const CONNECTIONS = 16
const HEADERS = { 'content-type': 'application/json', accept: 'application/vnd.salver' }

export const tail: Workload = {
  name: 'tail',
  about: 'binary replies of 100 x 50 Float32, open loop at half of capacity',
  async run(size, workDir) {
    const shape = SIZES[size]
    const store = await makeFloatStore(join(workDir, 'tail'), shape.rows, 50)
    const folder = join(workDir, 'tail-bodies')
    mkdirSync(folder, { recursive: true })
    const random = makeRandom(SEED + 3)
    const bodies: string[] = []
    for (let index = 0; index < shape.bodies; index++) {
      const ids = Array.from({ length: shape.entities }, () => Math.floor(random() * shape.rows))
      const path = join(folder, `${index}.json`)
      const body = { feature_service: 'ranking', entities: { document_id: ids } }
      await Bun.write(path, JSON.stringify({ ...body, block: 'matrix', schema: 'omit' }))
      bodies.push(path)
    }
    const served = await serveStore(store, freePort())
    const replyPath = join(folder, 'reply')
    await Bun.write(replyPath, new Uint8Array(shape.entities * 200 + 300))
    const bare = await serveBare(replyPath)
    try {
      const ours = await measure('salver', `${served.url}/v1/features`, bodies, shape)
      const theirs = await measure('bare server', `${bare.url}/`, bodies, shape)
      return [...ours, ...theirs]
    } finally {
      await served.stop()
      await bare.stop()
    }
  },
}

async function measure(
  who: string,
  url: string,
  bodies: readonly string[],
  shape: { readonly seconds: number; readonly repeats: number },
): Promise<Figure[]> {
  const spec = { url, bodies, headers: HEADERS, connections: CONNECTIONS, seconds: shape.seconds }
  const full = await runLoad({ ...spec, mode: 'raw', rate: 0 })
  const rate = Math.floor(full.requestsPerSecond / 2)
  const reports: LoadReport[] = []
  for (let repeat = 0; repeat < shape.repeats; repeat++) {
    reports.push(await runLoad({ ...spec, mode: 'open', rate }))
  }
  const of = (name: string, unit: string, pick: (report: LoadReport) => number): Figure =>
    figure(`${who}: ${name}`, unit, reports.map(pick))
  return [
    figure(`${who}: offered`, '1/s', [rate]),
    of('p50', 'us', (report) => report.p50Us),
    of('p95', 'us', (report) => report.p95Us),
    of('p99', 'us', (report) => report.p99Us),
    of('p99.9', 'us', (report) => report.p999Us),
    of('errors', 'requests', (report) => report.errors + report.not2xx),
    of('generator late, p99', 'us', (report) => report.sentLateP99Us),
  ]
}
