/** The end of a Worker: nothing throws in the thread that started it, so it has to be listened for. */
import { Fault } from '../base/fault.ts'

/** A thread that fails says why by `error`; one that only ends, or was never there, by `close`. */
export function untilDead(worker: Worker, name: string): Promise<Fault> {
  const { promise, resolve } = Promise.withResolvers<Fault>()
  worker.addEventListener('error', ({ message }) => {
    resolve(new Fault('unavailable', `${name} failed: ${message}`))
  })
  worker.addEventListener('close', () => resolve(new Fault('unavailable', `${name} ended`)))
  return promise
}
