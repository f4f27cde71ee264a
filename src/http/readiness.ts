/**
 * Whether this server should be sent requests: it is, unless something says why not. What is wrong
 * and does not keep it from answering reads is a warning.
 */

export type Hindrance = 'starting' | 'draining'
export type Warning = 'writes' | 'catalog' | 'damage' | 'store'

export class Readiness {
  readonly #reasons = new Map<Hindrance, string>([['starting', 'the store is being opened']])
  readonly #warnings = new Map<Warning, string>()

  hinder(by: Hindrance, reason: string): void {
    this.#reasons.set(by, reason)
  }

  clear(by: Hindrance): void {
    this.#reasons.delete(by)
  }

  warn(of: Warning, text: string): void {
    this.#warnings.set(of, text)
  }

  clearWarning(of: Warning): void {
    this.#warnings.delete(of)
  }

  get isReady(): boolean {
    return this.#reasons.size === 0
  }

  get reasons(): readonly string[] {
    return [...this.#reasons.values()]
  }

  get warnings(): readonly string[] {
    return [...this.#warnings.values()]
  }
}
