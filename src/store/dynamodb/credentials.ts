/** Who signs a call. */

export type Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** '' where there is none. */
  readonly sessionToken: string
  /** Milliseconds since 1970 of their end, or Infinity. */
  readonly expiresMs: number
}

/** A source renews them by itself before their end; `mustBeNew` where the ones it gave were refused. */
export type CredentialSource = (mustBeNew: boolean) => Promise<Credentials>

/** So long before their end they are asked for anew, while the old ones still sign. */
const RENEW_AHEAD_MS = 5 * 60_000
/** A source that failed is asked again after this, unless there is nothing to sign with. */
const ASK_AGAIN_MS = 1_000

/** Credentials at hand without waiting, once they were there: renewed beside the calls, not before one. */
export class HeldCredentials {
  readonly #source: CredentialSource
  readonly #nowMs: () => number
  #held: Credentials | undefined
  #asking: Promise<Credentials> | undefined
  #askNotBeforeMs = 0
  #mustBeNew = false

  constructor(source: CredentialSource, nowMs: () => number) {
    this.#source = source
    this.#nowMs = nowMs
  }

  /** Without a promise where credentials are held that still sign. Rejects where there are none. */
  current(): Credentials | Promise<Credentials> {
    const held = this.#held
    const nowMs = this.#nowMs()
    if (held === undefined || held.expiresMs <= nowMs) return this.#ask()
    if (held.expiresMs - RENEW_AHEAD_MS <= nowMs && nowMs >= this.#askNotBeforeMs) {
      this.#askNotBeforeMs = nowMs + ASK_AGAIN_MS
      // The held ones sign until their end; a source that still fails then is told to the call.
      this.#ask().catch(() => {})
    }
    return held
  }

  /** They were refused though their time had not come: the next call asks for others. */
  forget(refused: Credentials): void {
    if (this.#held !== refused) return
    this.#held = undefined
    this.#mustBeNew = true
  }

  #ask(): Promise<Credentials> {
    this.#asking ??= this.#source(this.#mustBeNew).then(
      (credentials) => {
        this.#asking = undefined
        this.#held = credentials
        this.#mustBeNew = false
        return credentials
      },
      (thrown: unknown) => {
        this.#asking = undefined
        throw thrown
      },
    )
    return this.#asking
  }
}
