/** The calling process: so many calls, so many of them under way, and the CPU that it used for them. */
import { disjointIds } from '../dynamo-rig.ts'
import { STUB_EVENT_US, STUB_FEATURES, stubValues } from '../dynamo-stub/stub-items.ts'
import type { CallOrder, CallReport } from './call-order.ts'
import type { Caller } from './caller.ts'
import { readerCaller } from './reader-caller.ts'
import { sdkCaller } from './sdk-caller.ts'

const order = JSON.parse(await Bun.stdin.text()) as CallOrder // written by workloads/dynamo-call.ts
const requests = disjointIds()
const caller = order.who === 'sdk' ? sdkCaller(order.url) : readerCaller(order.url)
await requireTrue(caller)
await callMany(order.warmup)
const startMs = performance.now()
const before = process.cpuUsage()
await callMany(order.calls)
const { user, system } = process.cpuUsage(before)
const seconds = (performance.now() - startMs) / 1000
caller.close()
const report: CallReport = {
  cpuUs: (user + system) / order.calls,
  callsPerSecond: order.calls / seconds,
}
process.stdout.write(JSON.stringify(report), () => process.exit(0))

async function callMany(calls: number): Promise<void> {
  let sent = 0
  const lane = async (): Promise<void> => {
    while (sent < calls) await caller.call(requests[sent++ % requests.length]!)
  }
  await Promise.all(Array.from({ length: order.inFlight }, lane))
}

/** What is measured does what it says: the rows are those that the stub holds. */
async function requireTrue(asked: Caller): Promise<void> {
  const ids = requests[0]!
  const { values, timesMs } = (await asked.call(ids))()
  ids.forEach((id, place) => {
    const row = values.subarray(place * STUB_FEATURES, (place + 1) * STUB_FEATURES)
    if (Bun.deepEquals(row, stubValues(id)) && timesMs[place] === STUB_EVENT_US / 1000) return
    throw new Error(`${order.who}: the row of ${id} is not what the stub holds`)
  })
}
