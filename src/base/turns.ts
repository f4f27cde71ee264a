/** Long work of a thread in short steps: between two of them everything else of the thread gets its turn. */

export class Turns {
  readonly #stepMsMax: number
  #beganMs = -Infinity
  readonly #waiting: (() => void)[] = []

  constructor(stepMsMax: number) {
    this.#stepMsMax = stepMsMax
  }

  /** Runs the steps to their end; `onStep` sees each place where they stopped for a moment. */
  async run<T>(steps: Generator<void, T>, onStep?: () => void | Promise<void>): Promise<T> {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value
      const waited = onStep?.()
      if (waited !== undefined) await waited
      if (performance.now() - this.#beganMs > this.#stepMsMax) await this.#pause()
    }
  }

  /** However many wait, one goes on in each turn: they share the time of one. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#next)
    })
  }

  readonly #next = (): void => {
    this.#beganMs = performance.now()
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(this.#next)
  }
}
