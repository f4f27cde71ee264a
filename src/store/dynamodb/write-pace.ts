/**
 * How many calls are under way at once, and when a call that got no answer is made again. Throttling
 * halves the number and makes a pause; answers let it grow again by one a round. A run slows down and
 * goes on; only when the store has answered nothing for STORE_WRITE_RETRY_MS_MAX is a call given up.
 */
import { Fault } from '../../base/fault.ts'
import {
  STORE_WRITE_PAUSE_MS_MAX,
  STORE_WRITE_PAUSE_MS_MIN,
  STORE_WRITE_RETRY_MS_MAX,
} from '../../base/limits.ts'
import { DynamoFailure } from './dynamo-failure.ts'

export type PaceClock = {
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly pause: (ms: number) => Promise<void>
  /** From 0 to below 1. */
  readonly random: () => number
}

export const REAL_CLOCK: PaceClock = {
  now: () => performance.now(),
  pause: (ms) => Bun.sleep(ms),
  random: Math.random,
}

/** The client has forgotten these credentials: the same call is signed with others. */
const CREDENTIALS_ENDED: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
])

export type PaceCounters = { callsThrottled: number; callsUnanswered: number }

export class WritePace {
  readonly #clock: PaceClock
  readonly #inFlightMax: number
  readonly #waiting: (() => void)[] = []
  #limit: number
  #inFlight = 0
  #slowedAt = -Infinity
  readonly #counters: PaceCounters

  constructor(clock: PaceClock, inFlightMax: number, counters: PaceCounters) {
    this.#clock = clock
    this.#counters = counters
    this.#inFlightMax = inFlightMax
    this.#limit = inFlightMax
  }

  /** Calls that may be under way now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /**
   * Makes a call until it is answered. `attempt` resolves with how many of its items the store left out
   * for now (0: done), or rejects with a DynamoFailure: `condition` and `refused` are the caller's.
   */
  async run(doing: string, attempt: () => Promise<number>): Promise<void> {
    let left = Infinity
    let since = this.#clock.now()
    let hasNewCredentials = false
    for (let tries = 0; ; tries++) {
      const startedAt = await this.#enter()
      let failure: DynamoFailure | undefined
      let remaining = left
      try {
        remaining = await attempt()
      } catch (thrown) {
        if (!(thrown instanceof DynamoFailure) || thrown.kind === 'condition') throw thrown
        if (thrown.kind === 'refused') {
          if (hasNewCredentials || !CREDENTIALS_ENDED.has(thrown.exception)) throw thrown
          hasNewCredentials = true
        }
        failure = thrown
      } finally {
        this.#leave()
      }
      if (remaining === 0) return this.#speedUp()
      if (remaining < left) {
        since = this.#clock.now()
        tries = 0
        left = remaining
      }
      this.#count(failure)
      this.#slowDown(startedAt)
      const waitedMs = this.#clock.now() - since
      if (waitedMs > STORE_WRITE_RETRY_MS_MAX) throw givenUp(doing, waitedMs, failure)
      await this.#clock.pause(this.#pauseMs(tries))
    }
  }

  async #enter(): Promise<number> {
    while (this.#inFlight >= this.limit) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#inFlight++
    return this.#clock.now()
  }

  #leave(): void {
    this.#inFlight--
    this.#wake()
  }

  #wake(): void {
    const free = this.limit - this.#inFlight
    for (const resolve of this.#waiting.splice(0, Math.max(0, free))) resolve()
  }

  #speedUp(): void {
    this.#limit = Math.min(this.#inFlightMax, this.#limit + 1 / this.#limit)
    this.#wake()
  }

  /** Calls that were under way together count once. */
  #slowDown(startedAt: number): void {
    if (startedAt < this.#slowedAt) return
    this.#slowedAt = this.#clock.now()
    this.#limit = Math.max(1, this.#limit / 2)
  }

  #pauseMs(tries: number): number {
    const most = Math.min(STORE_WRITE_PAUSE_MS_MAX, STORE_WRITE_PAUSE_MS_MIN * 2 ** tries)
    return most * (0.5 + this.#clock.random() / 2)
  }

  #count(failure: DynamoFailure | undefined): void {
    if (failure === undefined || failure.kind === 'throttled') {
      this.#counters.callsThrottled++
    } else this.#counters.callsUnanswered++
  }
}

function givenUp(doing: string, waitedMs: number, failure: DynamoFailure | undefined): Fault {
  const why = failure === undefined ? 'throttled, items were left out' : failure.message
  const seconds = Math.round(waitedMs / 1000)
  const message = `DynamoDB did not take ${doing} for ${seconds} s: ${why}`
  const isThrottled = failure === undefined || failure.kind === 'throttled'
  return new Fault(isThrottled ? 'write_failed' : 'unavailable', message, {
    allowed: 'running it again is always safe',
    cause: failure,
  })
}

/** Runs `work` over all items, so many at once; the first failure lets no further one begin. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  atOnceMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const failures: unknown[] = []
  const runOne = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failures.push(error)
      }
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, runOne))
  if (failures.length > 0) throw failures[0]
}
