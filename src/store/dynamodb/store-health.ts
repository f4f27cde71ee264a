/** Whether DynamoDB answers, judged by the calls since the last look. */
import type { CallTally } from './http-client.ts'

export type TalliedCalls = { readonly tally: Readonly<CallTally>; readonly lastFailure: string }

export class StoreHealth {
  readonly #calls: TalliedCalls
  #seen: Readonly<CallTally>
  /** '' while it answers. Without a call since the last look it stays what it was. */
  problem = ''
  /** Nobody asked since the last look. */
  isIdle = true

  constructor(calls: TalliedCalls) {
    this.#calls = calls
    this.#seen = { ...calls.tally }
  }

  look(): void {
    const { tally, lastFailure } = this.#calls
    const seen = this.#seen
    this.#seen = { ...tally }
    const answered = tally.answered - seen.answered + tally.refused - seen.refused
    const throttled = tally.throttled - seen.throttled
    const unavailable = tally.unavailable - seen.unavailable
    const abandoned = tally.abandoned - seen.abandoned
    const failed = throttled + unavailable
    this.isIdle = answered + failed + abandoned === 0
    if (this.isIdle) return
    // A call that was given up may be one of two that raced; where none was answered it is not.
    const lost = answered === 0 ? failed + abandoned : failed
    if (lost === 0) this.problem = ''
    else
      this.problem = `${lost} of ${answered + lost} calls were not answered${because(lastFailure, failed)}`
  }
}

const because = (lastFailure: string, failed: number): string =>
  failed === 0 ? ' before who asked gave up' : `, the last one: ${lastFailure}`
