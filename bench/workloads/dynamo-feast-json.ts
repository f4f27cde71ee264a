/** Feast's own JSON over the same stub: Salver beside Feast's Python server, in turn. */
import { join } from 'node:path'
import type { DynamoRig } from '../dynamo-rig.ts'
import {
  disjointIds,
  headroom,
  NO_TAIL,
  requestBodies,
  sound,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import { treeCpuUs } from '../machine.ts'
import { freePort, type Served, serveFeast } from '../served.ts'
import { type Figure, figure, type Size, type Workload } from '../workload.ts'
import { feastPython } from '../../scripts/parts/feast.ts'
import { PartMissing } from '../../scripts/parts/parts-folder.ts'

const SIZES = {
  smoke: { seconds: 0.3, feastSeconds: 0.3, warmup: 0.2, repeats: 1 },
  full: { seconds: 3, feastSeconds: 8, warmup: 2, repeats: 5 },
} as const
const DELAY_MS = 1
/** So many that each server's core is never idle, and no more: the rest would only queue. */
const CONNECTIONS = 16
const HEADERS = { 'content-type': 'application/json' }

export const dynamoFeastJson: Workload = {
  name: 'dynamo-feast-json',
  about: "Feast's JSON of 100 x 50 Float32 out of DynamoDB, beside Feast's Python server",
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-feast-json'), size, async (rig) => {
      await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
      const python = await pythonOrReason()
      return withSalver(rig, async (served) => {
        if (python === undefined) return compare(rig, size, served, undefined)
        const feast = await serveFeast(python, rig.repo, freePort())
        try {
          return await compare(rig, size, served, feast)
        } finally {
          await feast.stop()
        }
      })
    }),
}

/** Undefined where Feast can't be had on this machine: then Salver's figures stand alone. */
async function pythonOrReason(): Promise<string | undefined> {
  try {
    return await feastPython()
  } catch (thrown) {
    if (!(thrown instanceof PartMissing)) throw thrown
    console.error(`dynamo-feast-json: without Feast's server: ${thrown.message}`)
    return undefined
  }
}

type Sample = StubbedLoad & { readonly cpuUs: number }

async function compare(
  rig: DynamoRig,
  size: Size,
  salver: Served,
  feast: Served | undefined,
): Promise<Figure[]> {
  const { seconds, feastSeconds, warmup, repeats } = SIZES[size]
  const bodies = await requestBodies(join(rig.folder, 'feast'), disjointIds(), {})
  if (feast !== undefined) await requireEqual(salver, feast, bodies[0]!)
  await sample(rig, salver, bodies, warmup)
  const ours: Sample[] = []
  const theirs: Sample[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    ours.push(await sample(rig, salver, bodies, seconds))
    if (feast !== undefined) theirs.push(await sample(rig, feast, bodies, feastSeconds))
  }
  const calls = ours.map((one) => one.stub.calls / one.seconds)
  const figures = [...headroom(rig, calls), ...figuresOf('salver', ours)]
  if (feast === undefined) return figures
  const ratio = (name: string, pick: (at: number) => number): Figure =>
    figure(
      name,
      'ratio',
      ours.map((_, at) => pick(at)),
    )
  return [
    ...figures,
    ...figuresOf("Feast's Python server", theirs),
    ratio(
      "requests/s, times those of Feast's Python server",
      (at) => ours[at]!.requestsPerSecond / theirs[at]!.requestsPerSecond,
    ),
    ratio(
      "CPU a request of Feast's Python server, times ours",
      (at) => theirs[at]!.cpuUs / ours[at]!.cpuUs,
    ),
  ]
}

async function sample(
  rig: DynamoRig,
  served: Served,
  bodies: readonly string[],
  seconds: number,
): Promise<Sample> {
  const url = `${served.url}/get-online-features`
  const spec = { url, bodies, headers: HEADERS, connections: CONNECTIONS, seconds, rate: 0 }
  const startUs = treeCpuUs(served.pid)
  const report = sound(await rig.stub.load({ ...spec, mode: 'raw' }), served.url)
  return { ...report, cpuUs: (treeCpuUs(served.pid) - startUs) / report.requests }
}

const figuresOf = (who: string, samples: readonly Sample[]): Figure[] => [
  figure(
    `${who}: requests/s`,
    '1/s',
    samples.map((one) => one.requestsPerSecond),
  ),
  figure(
    `${who}: CPU a request`,
    'us',
    samples.map((one) => one.cpuUs),
  ),
  figure(
    `${who}: reply size`,
    'bytes',
    samples.map((one) => one.replyBytes),
  ),
]

/** Feast gives the features in another order each time it starts. */
async function requireEqual(salver: Served, feast: Served, bodyPath: string): Promise<void> {
  const [ours, theirs] = await Promise.all([
    columnsOf(salver, bodyPath),
    columnsOf(feast, bodyPath),
  ])
  if (Bun.deepEquals(ours, theirs)) return
  throw new Error("salver and Feast's server give different answers")
}

type FeastReply = {
  readonly metadata: { readonly feature_names: readonly string[] }
  readonly results: readonly object[]
}

async function columnsOf(served: Served, bodyPath: string): Promise<Map<string, object>> {
  const body = Bun.file(bodyPath)
  const answer = await fetch(`${served.url}/get-online-features`, {
    method: 'POST',
    headers: HEADERS,
    body,
  })
  if (!answer.ok) throw new Error(`${served.url}: ${answer.status} ${await answer.text()}`)
  const reply = (await answer.json()) as FeastReply // Feast's shape
  return new Map(reply.metadata.feature_names.map((name, at) => [name, reply.results[at] ?? {}]))
}
