/**
 * When keys were last written, so that a read asked for before a write is not kept after it. A mark
 * stands for every key with the same lower bits of its hash: one that has them by chance is read
 * once more.
 */
export class WriteMarks {
  readonly bytes: number
  readonly #times: Float64Array

  /** `count` is a power of two. */
  constructor(count: number) {
    this.#times = new Float64Array(count).fill(-Infinity)
    this.bytes = this.#times.byteLength
  }

  mark(hash: number, nowMs: number): void {
    this.#times[hash & (this.#times.length - 1)] = nowMs
  }

  /** Whether a read asked for at `asOfMs` may have missed a write of the key. */
  isOutdated(hash: number, asOfMs: number): boolean {
    return asOfMs <= this.#times[hash & (this.#times.length - 1)]!
  }
}
