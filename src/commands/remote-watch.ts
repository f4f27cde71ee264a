/** Says how a store over the network does: in /ready as a warning while it fails, in the log when that changes. */
import { REMOTE_WATCH_MS, REMOTE_WELL_MS } from '../base/limits.ts'
import type { Readiness } from '../http/readiness.ts'
import type { RemoteSide } from './store-thread.ts'

export type RemoteParts = {
  readonly remote: RemoteSide
  readonly readiness: Readiness
  readonly log: (line: string) => void
}

export class RemoteWatch {
  readonly #parts: RemoteParts
  readonly #timer: Timer
  #toldIll = false
  #lastIllMs = -Infinity

  constructor(parts: RemoteParts) {
    this.#parts = parts
    this.#timer = setInterval(() => this.look(), REMOTE_WATCH_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  look(): void {
    const text = this.#parts.remote.look().join('; ')
    const nowMs = performance.now()
    if (text !== '') this.#lastIllMs = nowMs
    if (text === '') this.#parts.readiness.clearWarning('store')
    else this.#parts.readiness.warn('store', `DynamoDB: ${text}`)
    // That it fails, or works again for a while, is news; how it is worded, and each call, is not.
    const isIll = nowMs - this.#lastIllMs < REMOTE_WELL_MS
    if (isIll === this.#toldIll) return
    this.#toldIll = isIll
    this.#parts.log(isIll ? `DynamoDB: ${text}` : 'DynamoDB answers again')
  }
}
