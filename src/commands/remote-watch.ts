/** Says how a store over the network does: in /ready as a warning while it fails, in the log when that changes. */
import { REMOTE_WATCH_MS } from '../base/limits.ts'
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
  #told = ''

  constructor(parts: RemoteParts) {
    this.#parts = parts
    this.#timer = setInterval(() => this.look(), REMOTE_WATCH_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  look(): void {
    const problems = this.#parts.remote.look()
    const text = problems.join('; ')
    if (text === this.#told) return
    const isNews = (text === '') !== (this.#told === '')
    this.#told = text
    if (text === '') this.#parts.readiness.clearWarning('store')
    else this.#parts.readiness.warn('store', `DynamoDB: ${text}`)
    // A reason that changes its words every time is no news: that it fails, or works again, is.
    if (isNews) this.#parts.log(text === '' ? 'DynamoDB answers again' : `DynamoDB: ${text}`)
  }
}
