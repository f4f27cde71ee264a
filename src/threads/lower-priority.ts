/** The writing thread goes second: reads go first where both want the processor. */
import { setPriority } from 'node:os'

const NICENESS = 10

/** Refused by some sandboxes: then the thread runs at the priority of all others, and says so. */
export function lowerPriority(): string[] {
  try {
    setPriority(0, NICENESS) // 0 here means this thread alone
    return []
  } catch (cause) {
    return [`the writer thread keeps its priority: ${String(cause)}`]
  }
}
