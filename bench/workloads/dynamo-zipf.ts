/** Requests that ask for what is popular: keys and calls that coalescing saves the store. */
import { join } from 'node:path'
import type { DynamoRig } from '../dynamo-rig.ts'
import {
  binaryBodies,
  binaryLoad,
  headroom,
  NO_TAIL,
  sound,
  withSalver,
  withStub,
} from '../dynamo-rig.ts'
import type { StubbedLoad } from '../dynamo-stub/start-stub.ts'
import { STUB_ROWS } from '../dynamo-stub/stub-items.ts'
import { SEED } from '../float-store.ts'
import { makeRandom } from '../random.ts'
import type { Served } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { bodies: 256, seconds: 0.3, warmup: 0.1, repeats: 1 },
  full: { bodies: 8_192, seconds: 3, warmup: 1, repeats: 5 },
} as const
const KEYS = 20
const DELAY_MS = 5

export const dynamoZipf: Workload = {
  name: 'dynamo-zipf',
  about: 'requests of 20 keys from Zipf(1.0) over 20,000, 64 in flight, DynamoDB answers in 5 ms',
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-zipf'), size, async (rig) => {
      await rig.stub.setDelay({ delayMs: DELAY_MS, ...NO_TAIL })
      return withSalver(rig, (served) => measure(rig, served, SIZES[size]))
    }),
}

async function measure(
  rig: DynamoRig,
  served: Served,
  shape: (typeof SIZES)[keyof typeof SIZES],
): Promise<Figure[]> {
  const { seconds, warmup, repeats } = shape
  const requests = zipfRequests(shape.bodies)
  const load = binaryLoad(served, await binaryBodies(rig.folder, requests))
  await rig.stub.load({ ...load, mode: 'raw', seconds: warmup, rate: 0 })
  const reports: StubbedLoad[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    reports.push(sound(await rig.stub.load({ ...load, mode: 'raw', seconds, rate: 0 }), 'salver'))
  }
  // Without coalescing: one call for each request, for each of its keys once.
  const keysAsked = requests.reduce((sum, ids) => sum + new Set(ids).size, 0) / requests.length
  const of = (name: string, unit: string, pick: (one: StubbedLoad) => number): Figure =>
    figure(name, unit, reports.map(pick))
  return [
    ...headroom(
      rig,
      reports.map((one) => one.stub.calls / one.seconds),
    ),
    of('requests/s', '1/s', (one) => one.requestsPerSecond),
    of('p50', 'us', (one) => one.p50Us),
    of('p99', 'us', (one) => one.p99Us),
    figure('keys a request, without coalescing', 'keys', [keysAsked]),
    of('keys a request, seen by the stub', 'keys', (one) => one.stub.keys / one.requests),
    of('calls a request, seen by the stub', 'calls', (one) => one.stub.calls / one.requests),
    of('keys saved', 'ratio', (one) => 1 - one.stub.keys / one.requests / keysAsked),
    of('calls saved', 'ratio', (one) => 1 - one.stub.calls / one.requests),
  ]
}

/** Rank r is asked for 1/r times as often as the first. */
function zipfRequests(count: number): number[][] {
  const sums = new Float64Array(STUB_ROWS)
  let sum = 0
  for (let rank = 0; rank < STUB_ROWS; rank++) sums[rank] = sum += 1 / (rank + 1)
  const random = makeRandom(SEED + 6)
  return Array.from({ length: count }, () =>
    Array.from({ length: KEYS }, () => rankAt(sums, random() * sum)),
  )
}

/** The first rank whose sum is above `target`. */
function rankAt(sums: Float64Array, target: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle]! > target) high = middle
    else low = middle + 1
  }
  return low
}
