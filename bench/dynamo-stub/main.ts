/**
 * The stub's process. Load is generated in it too: stub and generator share a core, and two that turn
 * without pause would take it from each other for milliseconds; in one loop each has its turn.
 */
import { runOpenLoop } from '../load/open-loop.ts'
import { STUB_ROWS } from './stub-items.ts'
import type { StubAnswers, StubOrder } from './stub-orders.ts'
import { StubServer } from './stub-server.ts'

const stub = new StubServer(STUB_ROWS)

async function obey(order: StubOrder): Promise<StubAnswers[StubOrder['kind']]> {
  switch (order.kind) {
    case 'delay':
      stub.delay = order.delay
      return null
    case 'counts':
      return stub.counts
    case 'load': {
      stub.takeLateP99Us()
      const report = await runOpenLoop(order.spec)
      return { report, lateP99Us: stub.takeLateP99Us() }
    }
  }
}

/** One order at a time: the next is sent when this one was answered. */
process.on('message', (order: StubOrder) => {
  void obey(order).then((answer) => process.send?.({ answer }))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ port: stub.port })
