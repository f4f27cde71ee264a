/** What the workloads over DynamoDB share: the stub, a server over it, and requests of 100 keys. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeDynamoRepo, SERVICE } from './dynamo-repo.ts'
import { SEED } from './float-store.ts'
import { CALL_HEADERS, makeCallBodies } from './dynamo-stub/call-bodies.ts'
import type { Stub } from './dynamo-stub/start-stub.ts'
import { startStub } from './dynamo-stub/start-stub.ts'
import { STUB_ROWS } from './dynamo-stub/stub-items.ts'
import type { LoadReport, LoadSpec } from './load/load-spec.ts'
import { runLoad } from './load/run-load.ts'
import { makeRandom } from './random.ts'
import { freePort, type Served, serveRepo } from './served.ts'
import { type Figure, figure, type Size } from './workload.ts'

export const REQUEST_KEYS = 100
export const IN_FLIGHT = 64
export const BINARY_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/vnd.salver',
}

export type DynamoRig = {
  readonly stub: Stub
  readonly repo: string
  readonly folder: string
  /** Files with the calls that requests of `disjointIds` lead to, for who asks the stub itself. */
  readonly calls: readonly string[]
  /** Calls of 100 keys a second that the stub bears while nothing else runs. */
  readonly stubAlone: number
}

/** The stub, and how much of it there is, measured by a client on the other core. */
export async function withStub<T>(
  folder: string,
  size: Size,
  run: (rig: DynamoRig) => Promise<T>,
): Promise<T> {
  const stub = await startStub()
  try {
    const repo = await makeDynamoRepo(join(folder, 'repo'), stub.url)
    const calls = await makeCallBodies(join(folder, 'calls'), disjointIds())
    const spec = {
      bodies: calls,
      headers: CALL_HEADERS,
      connections: 16,
      rate: 0,
      mode: 'raw',
    } as const
    const seconds = size === 'smoke' ? 0.2 : 1
    await runLoad({ ...spec, url: `${stub.url}/`, seconds }, 'server')
    const alone = await runLoad({ ...spec, url: `${stub.url}/`, seconds }, 'server')
    return await run({ stub, repo, folder, calls, stubAlone: alone.requestsPerSecond })
  } finally {
    await stub.stop()
  }
}

export async function withSalver<T>(
  rig: DynamoRig,
  run: (served: Served) => Promise<T>,
): Promise<T> {
  const served = await serveRepo(rig.repo, freePort())
  try {
    return await run(served)
  } finally {
    await served.stop()
  }
}

/**
 * Every id once, in requests of 100: those under way together ask for other keys, so that nothing is
 * gained by fetching equal keys once.
 */
export function disjointIds(): readonly (readonly number[])[] {
  const random = makeRandom(SEED + 5)
  const ids = Array.from({ length: STUB_ROWS }, (_, id) => id)
  for (let at = ids.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[ids[at], ids[other]] = [ids[other]!, ids[at]!]
  }
  const requests = Math.floor(STUB_ROWS / REQUEST_KEYS)
  return Array.from({ length: requests }, (_, request) =>
    ids.slice(request * REQUEST_KEYS, (request + 1) * REQUEST_KEYS),
  )
}

/** Files of request bodies for the ids; `options` stand beside them. */
export async function requestBodies(
  folder: string,
  requests: readonly (readonly number[])[],
  options: object,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  return Promise.all(
    requests.map(async (ids, index) => {
      const path = join(folder, `${index}.json`)
      const body = { feature_service: SERVICE, entities: { document_id: ids }, ...options }
      await Bun.write(path, JSON.stringify(body))
      return path
    }),
  )
}

export const binaryBodies = (folder: string, requests: readonly (readonly number[])[]) =>
  requestBodies(join(folder, 'binary'), requests, { block: 'matrix', schema: 'omit' })

/** A load of requests for a binary reply. */
export const binaryLoad = (served: Served, bodies: readonly string[]) => ({
  url: `${served.url}/v1/features`,
  bodies,
  headers: BINARY_HEADERS,
  connections: IN_FLIGHT,
})

/** The same calls without a server between, from the server's core: the stub's own latency. */
export async function stubsOwn(
  rig: DynamoRig,
  spec: Pick<LoadSpec, 'seconds' | 'rate' | 'mode'>,
): Promise<LoadReport> {
  const url = `${rig.stub.url}/`
  const parts = { url, bodies: rig.calls, headers: CALL_HEADERS, connections: IN_FLIGHT }
  return sound(await runLoad({ ...parts, ...spec }, 'server'), 'the stub')
}

/** Throws for a run in which anything was not answered. */
export function sound<Report extends LoadReport>(report: Report, who: string): Report {
  if (report.errors + report.not2xx === 0) return report
  throw new Error(`${who}: ${report.errors} errors, ${report.not2xx} replies not 2xx`)
}

export const NO_TAIL = { tailShare: 0, tailMs: 0 } as const

/** That the stub was no limit: how many times the load of the heaviest run it bears alone. */
export const headroom = (rig: DynamoRig, callsPerSecond: readonly number[]): Figure[] => [
  figure('stub alone, calls/s', '1/s', [rig.stubAlone]),
  figure('stub alone, times the load of the heaviest run', 'ratio', [
    rig.stubAlone / Math.max(...callsPerSecond),
  ]),
]
