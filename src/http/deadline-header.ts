/** X-Salver-Deadline-Ms: what a caller gives a read, from its arrival. */
import { Fault } from '../base/fault.ts'

/** Infinity where there is none. */
export function deadlineOf(headers: Headers): number {
  const text = headers.get('x-salver-deadline-ms')
  if (text === null) return Infinity
  const ms = Number(text)
  if (ms > 0 && ms < Infinity) return ms
  throw new Fault('invalid_request', `${JSON.stringify(text)} is no deadline`, {
    where: 'header x-salver-deadline-ms',
    allowed: 'a positive number of milliseconds',
  })
}
