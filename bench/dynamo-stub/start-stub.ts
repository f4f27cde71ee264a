/** The stub as a process of its own, on the generator's core. */
import { pinned } from '../machine.ts'
import type { LoadReport, LoadSpec } from '../load/load-spec.ts'
import type { StubAnswers, StubCounts, StubDelay, StubOrder } from './stub-orders.ts'

const ENTRY = new URL('./main.ts', import.meta.url).pathname

/** What a load through a server was, and what of it reached the stub. */
export type StubbedLoad = LoadReport & {
  readonly stub: StubCounts
  readonly stubLateP99Us: number
}

export type Stub = {
  readonly url: string
  readonly pid: number
  setDelay(delay: StubDelay): Promise<void>
  counts(): Promise<StubCounts>
  /** Generates the load in the stub's process. Throws if the stub had to drop calls. */
  load(spec: LoadSpec): Promise<StubbedLoad>
  stop(): Promise<void>
}

export async function startStub(): Promise<Stub> {
  const { promise: port, resolve: tellPort } = Promise.withResolvers<number>()
  let tell: (answer: unknown) => void = () => {}
  const child = Bun.spawn(pinned('generator', [process.execPath, ENTRY]), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, BUN_BE_BUN: '1' },
    ipc(message: { readonly port: number } | { readonly answer: unknown }) {
      if ('port' in message) tellPort(message.port)
      else tell(message.answer)
    },
  })
  const died = child.exited.then((code) => {
    throw new Error(`the stub ended with ${code}`)
  })
  died.catch(() => {}) // told to whoever waits; a stub that is stopped ends too
  const order = async <Order extends StubOrder>(
    asked: Order,
  ): Promise<StubAnswers[Order['kind']]> => {
    const answer = new Promise<unknown>((resolve) => {
      tell = resolve
    })
    child.send(asked)
    return (await Promise.race([answer, died])) as StubAnswers[Order['kind']] // of main.ts
  }
  return {
    url: `http://127.0.0.1:${await Promise.race([port, died])}`,
    pid: child.pid,
    async setDelay(delay) {
      await order({ kind: 'delay', delay })
    },
    counts: () => order({ kind: 'counts' }),
    async load(spec) {
      const before = await order({ kind: 'counts' })
      const { report, lateP99Us } = await order({ kind: 'load', spec })
      const stub = difference(await order({ kind: 'counts' }), before)
      if (stub.overflows > 0) throw new Error(`the stub dropped ${stub.overflows} calls`)
      return { ...report, stub, stubLateP99Us: lateP99Us }
    },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

const difference = (after: StubCounts, before: StubCounts): StubCounts => ({
  calls: after.calls - before.calls,
  keys: after.keys - before.keys,
  repeats: after.repeats - before.repeats,
  abandoned: after.abandoned - before.abandoned,
  refused: after.refused - before.refused,
  overflows: after.overflows - before.overflows,
})
