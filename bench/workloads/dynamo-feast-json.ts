/** Feast's own JSON over the same stub: Salver beside Feast's servers, in turn. */
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
import { STUB_JOIN_KEYS } from '../dynamo-stub/stub-items.ts'
import { treeCpuUs } from '../machine.ts'
import { freePort, type Served, serveFeast, serveFeastGo } from '../served.ts'
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

/** Names the executable of Feast's Go server; without it that server is not measured. */
const GO_SERVER = 'FEAST_GO_SERVER'
const PATH = '/get-online-features'

export const dynamoFeastJson: Workload = {
  name: 'dynamo-feast-json',
  about: "Feast's JSON of 100 x 50 Float32 out of DynamoDB, beside Feast's servers",
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-feast-json'), size, async (rig) => {
      await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
      return withSalver(rig, async (salver) => {
        const rivals: Rival[] = []
        try {
          rivals.push(...(await startPython(rig, size)))
          rivals.push(...(await startGo(rig, size)))
          return await compare(rig, size, salver, rivals)
        } finally {
          await Promise.all(rivals.map((rival) => rival.served.stop()))
        }
      })
    }),
}

type Columns = ReadonlyMap<string, Column>
type Column = { readonly values: readonly unknown[]; readonly [more: string]: unknown }

/** A server that ours is compared with, and how it is asked. */
type Rival = {
  readonly who: string
  readonly served: Served
  readonly path: string
  readonly seconds: number
  /** The part of an answer in which it and ours are equal. */
  readonly shared: (columns: Columns) => Columns
}

async function startPython({ repo }: DynamoRig, size: Size): Promise<Rival[]> {
  const python = await pythonOrReason()
  if (python === undefined) return []
  const served = await serveFeast(python, repo, freePort())
  const seconds = SIZES[size].feastSeconds
  return [{ who: "Feast's Python server", served, path: PATH, seconds, shared: (all) => all }]
}

/** Asked for as much as the others tell, and for as little as it tells when it isn't asked. */
async function startGo({ repo, stub }: DynamoRig, size: Size): Promise<Rival[]> {
  const executable = process.env[GO_SERVER]
  if (executable === undefined) return []
  const served = await serveFeastGo({ executable, repo, endpoint: stub.url }, freePort())
  const { seconds } = SIZES[size]
  const who = "Feast's Go server"
  return [
    { who, served, path: `${PATH}?status=true`, seconds, shared: float32Features },
    { who: `${who}, values alone`, served, path: PATH, seconds, shared: valuesAlone },
  ]
}

/** It writes a Float32 in fewer digits, and gives keys the time of the request. */
const float32Features = (columns: Columns): Columns =>
  new Map(
    [...columns]
      .filter(([name]) => !STUB_JOIN_KEYS.some((key) => key.name === name))
      .map(([name, column]) => [name, { ...column, values: column.values.map(float32) }]),
  )

const float32 = (value: unknown): unknown =>
  typeof value === 'number' ? Math.fround(value) : value

const valuesAlone = (columns: Columns): Columns =>
  new Map([...float32Features(columns)].map(([name, { values }]) => [name, { values }]))

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
  rivals: readonly Rival[],
): Promise<Figure[]> {
  const { seconds, warmup, repeats } = SIZES[size]
  const bodies = await requestBodies(join(rig.folder, 'feast'), disjointIds(), {})
  const measure = (served: Served, path: string, time: number): Promise<Sample> =>
    sample(rig, { served, path, bodies, seconds: time })
  for (const rival of rivals) await requireEqual(salver, rival, bodies[0]!)
  await measure(salver, PATH, warmup)
  const ours: Sample[] = []
  const theirs = rivals.map((rival) => ({ rival, samples: [] as Sample[] }))
  for (let repeat = 0; repeat < repeats; repeat++) {
    ours.push(await measure(salver, PATH, seconds))
    for (const { rival, samples } of theirs) {
      samples.push(await measure(rival.served, rival.path, rival.seconds))
    }
  }
  const all = [ours, ...theirs.map(({ samples }) => samples)].flat()
  const calls = all.map((one) => one.stub.calls / one.seconds)
  return [
    ...headroom(rig, calls),
    ...figuresOf('salver', ours),
    ...theirs.flatMap(({ rival, samples }) => [
      ...figuresOf(rival.who, samples),
      ...ratios(rival.who, samples, ours),
    ]),
  ]
}

const ratios = (who: string, theirs: readonly Sample[], ours: readonly Sample[]): Figure[] => [
  figure(
    `requests/s, times those of ${who}`,
    'ratio',
    ours.map((one, at) => one.requestsPerSecond / theirs[at]!.requestsPerSecond),
  ),
  figure(
    `CPU a request of ${who}, times ours`,
    'ratio',
    ours.map((one, at) => theirs[at]!.cpuUs / one.cpuUs),
  ),
]

type Asking = {
  readonly served: Served
  readonly path: string
  readonly bodies: readonly string[]
  readonly seconds: number
}

async function sample(rig: DynamoRig, asking: Asking): Promise<Sample> {
  const { served, path, bodies, seconds } = asking
  const url = served.url + path
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
async function requireEqual(salver: Served, rival: Rival, bodyPath: string): Promise<void> {
  const [ours, theirs] = await Promise.all([
    columnsOf(salver.url + PATH, bodyPath),
    columnsOf(rival.served.url + rival.path, bodyPath),
  ])
  if (Bun.deepEquals(rival.shared(ours), rival.shared(theirs))) return
  throw new Error(`salver and ${rival.who} give different answers`)
}

type FeastReply = {
  readonly metadata: { readonly feature_names: readonly string[] }
  readonly results: readonly Column[]
}

async function columnsOf(url: string, bodyPath: string): Promise<Columns> {
  const body = Bun.file(bodyPath)
  const answer = await fetch(url, { method: 'POST', headers: HEADERS, body })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  const reply = (await answer.json()) as FeastReply // Feast's shape
  return new Map(
    reply.metadata.feature_names.map((name, at) => [name, reply.results[at] ?? { values: [] }]),
  )
}
