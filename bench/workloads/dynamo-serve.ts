/** `salver serve` over DynamoDB: what it adds to the store's own latency, and how much one core serves. */
import { join } from 'node:path'
import type { DynamoRig } from '../dynamo-rig.ts'
import {
  binaryBodies,
  binaryLoad,
  disjointIds,
  headroom,
  NO_TAIL,
  sound,
  stubsOwn,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import type { LoadReport } from '../load/load-spec.ts'
import { treeCpuUs } from '../machine.ts'
import type { Served } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { rate: 200, seconds: 0.3, warmup: 0.2, repeats: 1 },
  full: { rate: 2_000, seconds: 3, warmup: 2, repeats: 5 },
} as const
const DELAY_MS = 5

type Shape = (typeof SIZES)[keyof typeof SIZES]

export const dynamoServe: Workload = {
  name: 'dynamo-serve',
  about: 'binary replies of 100 x 50 Float32 out of DynamoDB that answers in 5 ms',
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-serve'), size, async (rig) => {
      await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
      return withSalver(rig, (served) => measure(rig, served, SIZES[size]))
    }),
}

async function measure(rig: DynamoRig, served: Served, shape: Shape): Promise<Figure[]> {
  const load = binaryLoad(served, await binaryBodies(rig.folder, disjointIds()))
  const { rate, seconds, warmup, repeats } = shape
  await rig.stub.load({ ...load, mode: 'raw', seconds: warmup, rate: 0 })
  const ours: StubbedLoad[] = []
  const own: LoadReport[] = []
  const full: StubbedLoad[] = []
  const cpu = { open: [] as number[], full: [] as number[] }
  for (let repeat = 0; repeat < repeats; repeat++) {
    own.push(await stubsOwn(rig, { mode: 'open', rate, seconds }))
    const startUs = treeCpuUs(served.pid)
    ours.push(sound(await rig.stub.load({ ...load, mode: 'open', rate, seconds }), 'salver'))
    const openUs = treeCpuUs(served.pid)
    full.push(sound(await rig.stub.load({ ...load, mode: 'raw', rate: 0, seconds }), 'salver'))
    cpu.open.push((openUs - startUs) / ours.at(-1)!.requests)
    cpu.full.push((treeCpuUs(served.pid) - openUs) / full.at(-1)!.requests)
  }
  const calls = [...ours, ...full].map((one) => one.stub.calls / one.seconds)
  return [
    ...headroom(rig, calls),
    ...openFigures(`open loop, ${rate} requests/s`, ours, own),
    figure(`open loop, ${rate} requests/s: CPU a request`, 'us', cpu.open),
    ...closedFigures('64 in flight', full),
    figure('64 in flight: CPU a request', 'us', cpu.full),
  ]
}

function openFigures(
  label: string,
  ours: readonly StubbedLoad[],
  own: readonly LoadReport[],
): Figure[] {
  const figures: Figure[] = []
  for (const [percentile, pick] of PERCENTILES) {
    const added = ours.map((one, at) => pick(one) - pick(own[at]!))
    figures.push(
      figure(`${label}: salver ${percentile}`, 'us', ours.map(pick)),
      figure(`${label}: the stub's own ${percentile}`, 'us', own.map(pick)),
      figure(`${label}: added ${percentile}`, 'us', added),
    )
  }
  return [
    ...figures,
    figure(
      `${label}: generator late, p99`,
      'us',
      ours.map((one) => one.sentLateP99Us),
    ),
    figure(
      `${label}: stub late, p99`,
      'us',
      ours.map((one) => one.stubLateP99Us),
    ),
  ]
}

const PERCENTILES = [
  ['p50', (report: LoadReport) => report.p50Us],
  ['p95', (report: LoadReport) => report.p95Us],
  ['p99', (report: LoadReport) => report.p99Us],
] as const

function closedFigures(label: string, full: readonly StubbedLoad[]): Figure[] {
  const of = (name: string, unit: string, pick: (one: StubbedLoad) => number): Figure =>
    figure(`${label}: ${name}`, unit, full.map(pick))
  return [
    of('requests/s', '1/s', (one) => one.requestsPerSecond),
    of('p50', 'us', (one) => one.p50Us),
    of('p99', 'us', (one) => one.p99Us),
    of('calls a request', 'calls', (one) => one.stub.calls / one.requests),
    of('keys a call', 'keys', (one) => one.stub.keys / one.stub.calls),
  ]
}
