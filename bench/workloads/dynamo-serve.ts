/** `salver serve` over DynamoDB: what it adds to the store's own latency, and how much one core serves. */
import { join } from 'node:path'
import type { DynamoRig } from '../dynamo-rig.ts'
import {
  binaryBodies,
  binaryLoad,
  disjointIds,
  headroom,
  IN_FLIGHT,
  NO_TAIL,
  sound,
  stubsOwn,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import type { LoadReport, LoadSpec } from '../load/load-spec.ts'
import { treeCpuUs } from '../machine.ts'
import type { Served } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { rate: 200, seconds: 0.3, warmup: 0.2, repeats: 1, delaysMs: [5] },
  full: { rate: 2_000, seconds: 3, warmup: 6, repeats: 5, delaysMs: [0, 1, 5, 20] },
} as const
/** Of the closed loop. */
const DELAY_MS = 5

type Shape = (typeof SIZES)[keyof typeof SIZES]

export const dynamoServe: Workload = {
  name: 'dynamo-serve',
  about: "binary replies of 100 x 50 Float32 out of DynamoDB, over the stub's own latency",
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-serve'), size, (rig) =>
      withSalver(rig, (served) => measure(rig, served, SIZES[size])),
    ),
}

async function measure(rig: DynamoRig, served: Served, shape: Shape): Promise<Figure[]> {
  const load = binaryLoad(served, await binaryBodies(rig.folder, disjointIds()))
  await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
  await rig.stub.load({ ...load, mode: 'raw', seconds: shape.warmup, rate: 0 })
  const full = await samples(rig, served, { ...load, mode: 'raw', rate: 0 }, shape)
  const rates = full.map((one) => one.stub.calls / one.seconds)
  const figures: Figure[] = []
  for (const delayMs of shape.delaysMs) {
    await rig.stub.setDelay({ delayMs, ...NO_TAIL })
    const own: LoadReport[] = []
    const ours = await samples(rig, served, { ...load, mode: 'open', rate: shape.rate }, shape, own)
    rates.push(...ours.map((one) => one.stub.calls / one.seconds))
    figures.push(...openFigures(`${delayMs} ms, ${shape.rate} requests/s`, ours, own))
  }
  return [
    ...headroom(rig, rates),
    ...closedFigures(`${DELAY_MS} ms, ${IN_FLIGHT} in flight`, full),
    ...figures,
  ]
}

type Sample = StubbedLoad & { readonly cpuUs: number }

/** With `own`, each in turn with the stub's own, which are added there. */
async function samples(
  rig: DynamoRig,
  served: Served,
  load: Omit<LoadSpec, 'seconds'>,
  shape: Shape,
  own?: LoadReport[],
): Promise<Sample[]> {
  const { rate, mode } = load
  const { seconds, repeats } = shape
  const ours: Sample[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    own?.push(await stubsOwn(rig, { mode, rate, seconds }))
    const startUs = treeCpuUs(served.pid)
    const report = sound(await rig.stub.load({ ...load, seconds }), 'salver')
    ours.push({ ...report, cpuUs: (treeCpuUs(served.pid) - startUs) / report.requests })
  }
  return ours
}

const PERCENTILES = [
  ['p50', (report: LoadReport) => report.p50Us],
  ['p95', (report: LoadReport) => report.p95Us],
  ['p99', (report: LoadReport) => report.p99Us],
] as const

function openFigures(label: string, ours: readonly Sample[], own: readonly LoadReport[]): Figure[] {
  const of = (name: string, pick: (one: Sample) => number): Figure =>
    figure(`${label}: ${name}`, 'us', ours.map(pick))
  const percentiles = PERCENTILES.flatMap(([percentile, pick]) => {
    const added = ours.map((one, at) => pick(one) - pick(own[at]!))
    return [
      of(`salver ${percentile}`, pick),
      figure(`${label}: the stub's own ${percentile}`, 'us', own.map(pick)),
      figure(`${label}: added ${percentile}`, 'us', added),
    ]
  })
  return [
    ...percentiles,
    of('CPU a request', (one) => one.cpuUs),
    of('generator late, p99', (one) => one.sentLateP99Us),
    of('stub late, p99', (one) => one.stubLateP99Us),
  ]
}

function closedFigures(label: string, full: readonly Sample[]): Figure[] {
  const of = (name: string, unit: string, pick: (one: Sample) => number): Figure =>
    figure(`${label}: ${name}`, unit, full.map(pick))
  return [
    of('requests/s', '1/s', (one) => one.requestsPerSecond),
    of('CPU a request', 'us', (one) => one.cpuUs),
    of('p50', 'us', (one) => one.p50Us),
    of('p99', 'us', (one) => one.p99Us),
    of('calls a request', 'calls', (one) => one.stub.calls / one.requests),
    of('keys a call', 'keys', (one) => one.stub.keys / one.stub.calls),
  ]
}
