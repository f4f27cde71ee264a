/** What a reader throws, as lines that a test can compare. */
import { Fault } from '../../src/base/fault.ts'

/** Every fault of a catalog, or none: `where: message`. */
export function faultLines(read: () => unknown): string[] {
  const fault = faultOf(read)
  const faults = fault.faults.length === 0 ? [fault] : fault.faults
  return faults.map(({ where, message }) => `${where}: ${message}`)
}

export function faultOf(read: () => unknown): Fault {
  try {
    read()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no fault was thrown')
}

export async function faultOfPromise(promise: Promise<unknown>): Promise<Fault> {
  const ended = await promise.then(
    () => new Error('no fault was thrown'),
    (error: unknown) => error,
  )
  if (ended instanceof Fault) return ended
  throw ended
}
