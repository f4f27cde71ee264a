/** Requests with a deadline over a store with a long tail: how far past it their replies come. */
import { join } from 'node:path'
import type { DynamoRig } from '../dynamo-rig.ts'
import {
  binaryBodies,
  binaryLoad,
  disjointIds,
  headroom,
  NO_TAIL,
  sound,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import type { Served } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { seconds: 0.5, warmup: 0.2, repeats: 1 },
  full: { seconds: 5, warmup: 2, repeats: 5 },
} as const
const DELAY_MS = 5
const TAIL = { tailShare: 0.05, tailMs: 200 } as const
const DEADLINE_MS = 20

export const dynamoDeadline: Workload = {
  name: 'dynamo-deadline',
  about: 'deadlines of 20 ms at half of capacity, 5 % of calls of DynamoDB take 200 ms',
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-deadline'), size, (rig) =>
      withSalver(rig, (served) => measure(rig, served, SIZES[size])),
    ),
}

async function measure(
  rig: DynamoRig,
  served: Served,
  shape: (typeof SIZES)[keyof typeof SIZES],
): Promise<Figure[]> {
  const { seconds, warmup, repeats } = shape
  const plain = binaryLoad(served, await binaryBodies(rig.folder, disjointIds()))
  await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
  await rig.stub.load({ ...plain, mode: 'raw', seconds: warmup, rate: 0 })
  const full = sound(await rig.stub.load({ ...plain, mode: 'raw', seconds, rate: 0 }), 'salver')
  const rate = Math.floor(full.requestsPerSecond / 2)
  await rig.stub.setDelay({ delayMs: DELAY_MS, ...TAIL })
  const headers = { ...plain.headers, 'x-salver-deadline-ms': `${DEADLINE_MS}` }
  const load = { ...plain, headers, deadlineMs: DEADLINE_MS, mode: 'open', rate } as const
  await rig.stub.load({ ...load, seconds: warmup })
  const reports: StubbedLoad[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    reports.push(sound(await rig.stub.load({ ...load, seconds }), 'salver'))
  }
  const calls = [full, ...reports].map((one) => one.stub.calls / one.seconds)
  return [...headroom(rig, calls), figure('offered', '1/s', [rate]), ...figures(reports)]
}

function figures(reports: readonly StubbedLoad[]): Figure[] {
  const of = (name: string, unit: string, pick: (one: StubbedLoad) => number): Figure =>
    figure(name, unit, reports.map(pick))
  return [
    of('p50', 'us', (one) => one.p50Us),
    of('replies past their deadline, share', 'ratio', (one) => one.pastDeadlineShare),
    of('past the deadline, p99 of all replies', 'us', (one) => one.pastDeadline.p99Us),
    of('past the deadline, p99.9 of all replies', 'us', (one) => one.pastDeadline.p999Us),
    of('past the deadline, longest', 'us', (one) => one.pastDeadline.maxUs),
    of('generator read late, p99', 'us', (one) => one.readLate.p99Us),
    of('generator read late, p99.9', 'us', (one) => one.readLate.p999Us),
    of('generator read late, longest', 'us', (one) => one.readLate.maxUs),
  ]
}
