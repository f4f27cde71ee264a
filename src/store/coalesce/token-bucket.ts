/** Allows something extra for each so many ordinary ones, and a few saved up. */
export class TokenBucket {
  readonly #share: number
  readonly #tokensMax: number
  #tokens: number

  /** `share` of a token is earned by each ordinary one; `tokens` are there at first. */
  constructor(share: number, tokensMax: number, tokens: number) {
    this.#share = share
    this.#tokensMax = tokensMax
    this.#tokens = tokens
  }

  earn(): void {
    this.#tokens = Math.min(this.#tokens + this.#share, this.#tokensMax)
  }

  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** What was taken was not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#tokens + 1, this.#tokensMax)
  }
}
