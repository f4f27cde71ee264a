/** What the coalescer is bounded by and driven by. */
import {
  CALLS_IN_FLIGHT_MAX,
  CALL_MS_MAX,
  STORE_KEYS_WAITING_MAX,
  STORE_READ_MS_MAX,
} from '../../base/limits.ts'
import type { Clock } from './clock.ts'
import { SYSTEM_CLOCK } from './clock.ts'

export type CoalesceSettings = {
  readonly callsInFlightMax: number
  /** Keys that wait for a free call; those past it are refused. */
  readonly keysWaitingMax: number
  /** What a read without a deadline waits. */
  readonly readMsMax: number
  /** One attempt of a call. */
  readonly callMsMax: number
  readonly clock: Clock
  /** From 0 to below 1: spreads retries. Differs from process to process, or they would come together. */
  readonly random: () => number
}

export const COALESCE_DEFAULTS: CoalesceSettings = Object.freeze({
  callsInFlightMax: CALLS_IN_FLIGHT_MAX,
  keysWaitingMax: STORE_KEYS_WAITING_MAX,
  readMsMax: STORE_READ_MS_MAX,
  callMsMax: CALL_MS_MAX,
  clock: SYSTEM_CLOCK,
  random: Math.random,
})
