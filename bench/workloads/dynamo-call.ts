/** CPU of one call of 100 keys, from keys to rows: our reader beside the AWS SDK, in turn. */
import { join } from 'node:path'
import type { CallOrder, CallReport } from '../dynamo-call/call-order.ts'
import type { DynamoRig } from '../dynamo-rig.ts'
import { headroom, withStub } from '../dynamo-rig.ts'
import { pinned } from '../machine.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { salver: { calls: 20, warmup: 5 }, sdk: { calls: 20, warmup: 5 }, repeats: 1 },
  // The SDK takes thirty times as long, and is warm as soon.
  full: { salver: { calls: 4_000, warmup: 1_000 }, sdk: { calls: 600, warmup: 200 }, repeats: 5 },
} as const
const IN_FLIGHT = [1, 16] as const

const ENTRY = new URL('../dynamo-call/main.ts', import.meta.url).pathname

export const dynamoCall: Workload = {
  name: 'dynamo-call',
  about: 'CPU of one call of DynamoDB for 100 x 50 Float32, from keys to rows, beside the AWS SDK',
  run: (size, workDir) =>
    withStub(join(workDir, 'dynamo-call'), size, async (rig) => {
      const figures: Figure[] = []
      const rates: number[] = []
      for (const inFlight of IN_FLIGHT) {
        const { ours, theirs } = await measure(rig, inFlight, SIZES[size])
        rates.push(...[...ours, ...theirs].map((one) => one.callsPerSecond))
        figures.push(...figuresOf(`${inFlight} in flight`, ours, theirs))
      }
      return [...headroom(rig, rates), ...figures]
    }),
}

type Reports = { readonly ours: readonly CallReport[]; readonly theirs: readonly CallReport[] }

async function measure(
  rig: DynamoRig,
  inFlight: number,
  shape: (typeof SIZES)[keyof typeof SIZES],
): Promise<Reports> {
  const { salver, sdk, repeats } = shape
  const order = { url: rig.stub.url, inFlight }
  const ours: CallReport[] = []
  const theirs: CallReport[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    ours.push(await runCalls({ ...order, ...salver, who: 'salver' }))
    theirs.push(await runCalls({ ...order, ...sdk, who: 'sdk' }))
  }
  return { ours, theirs }
}

async function runCalls(order: CallOrder): Promise<CallReport> {
  const child = Bun.spawn(pinned('server', [process.execPath, ENTRY]), {
    stdin: new TextEncoder().encode(JSON.stringify(order)),
    stdout: 'pipe',
    stderr: 'inherit',
    env: { ...process.env, BUN_BE_BUN: '1' },
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`the calls by ${order.who} failed: ${text}`)
  return JSON.parse(text) as CallReport // written by dynamo-call/main.ts
}

function figuresOf(
  label: string,
  ours: readonly CallReport[],
  theirs: readonly CallReport[],
): Figure[] {
  const of = (name: string, reports: readonly CallReport[]): Figure[] => [
    figure(
      `${label}: ${name}, CPU a call`,
      'us',
      reports.map((one) => one.cpuUs),
    ),
    figure(
      `${label}: ${name}, calls/s`,
      '1/s',
      reports.map((one) => one.callsPerSecond),
    ),
  ]
  return [
    ...of('salver', ours),
    ...of('the AWS SDK', theirs),
    figure(
      `${label}: CPU of the AWS SDK, times ours`,
      'ratio',
      theirs.map((one, at) => one.cpuUs / ours[at]!.cpuUs),
    ),
  ]
}
