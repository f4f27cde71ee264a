/** A store with a slow call now and then: what hedging makes of it, and what it costs. */
import { join } from 'node:path'
import {
  binaryBodies,
  binaryLoad,
  disjointIds,
  headroom,
  sound,
  stubsOwn,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import type { LoadReport } from '../load/load-spec.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { rate: 200, seconds: 0.5, warmup: 0.2, repeats: 1 },
  full: { rate: 2_000, seconds: 5, warmup: 2, repeats: 5 },
} as const
const DELAY = { delayMs: 5, tailShare: 0.01, tailMs: 100 } as const

export const dynamoTail: Workload = {
  name: 'dynamo-tail',
  about:
    'DynamoDB answers in 5 ms, 1 % of calls in 100 ms: with hedging and, from the stub, without',
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-tail'), size, (rig) =>
      withSalver(rig, async (served) => {
        const { rate, seconds, warmup, repeats } = SIZES[size]
        const load = binaryLoad(served, await binaryBodies(rig.folder, disjointIds()))
        await rig.stub.setDelay(DELAY)
        await rig.stub.load({ ...load, mode: 'open', rate, seconds: warmup })
        const ours: StubbedLoad[] = []
        const own: LoadReport[] = []
        for (let repeat = 0; repeat < repeats; repeat++) {
          own.push(await stubsOwn(rig, { mode: 'open', rate, seconds }))
          ours.push(sound(await rig.stub.load({ ...load, mode: 'open', rate, seconds }), 'salver'))
        }
        const calls = ours.map((one) => one.stub.calls / one.seconds)
        return [...headroom(rig, calls), ...figures(ours, own)]
      }),
    ),
}

function figures(ours: readonly StubbedLoad[], own: readonly LoadReport[]): Figure[] {
  const of = (name: string, unit: string, pick: (one: StubbedLoad) => number): Figure =>
    figure(`with hedging: ${name}`, unit, ours.map(pick))
  const without = (name: string, pick: (one: LoadReport) => number): Figure =>
    figure(`the stub's own, so without: ${name}`, 'us', own.map(pick))
  return [
    of('p50', 'us', (one) => one.p50Us),
    of('p99', 'us', (one) => one.p99Us),
    of('p99.9', 'us', (one) => one.p999Us),
    of('extra calls, share of the others', 'ratio', extraCalls),
    of('calls a request', 'calls', (one) => one.stub.calls / one.requests),
    of('generator late, p99', 'us', (one) => one.sentLateP99Us),
    without('p50', (one) => one.p50Us),
    without('p99', (one) => one.p99Us),
    without('p99.9', (one) => one.p999Us),
  ]
}

/** Keys of no two requests are equal: a call for the very keys of one under way is a hedge. */
const extraCalls = ({ stub }: StubbedLoad): number => stub.repeats / (stub.calls - stub.repeats)
