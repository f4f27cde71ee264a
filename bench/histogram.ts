/** Every latency of a run, kept whole: percentiles are read from the values, not from buckets. */

/** A run of 20 s at 200 k requests a second. */
const SAMPLES_MAX = 4_000_000

export type Percentiles = {
  readonly count: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

export class Histogram {
  #values = new Float64Array(65_536)
  #count = 0
  /** Samples that no longer fitted: a run that has any is void. */
  dropped = 0

  record(us: number): void {
    if (this.#count === SAMPLES_MAX) {
      this.dropped++
      return
    }
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#count * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = us
  }

  percentiles(): Percentiles {
    const sorted = this.#values.slice(0, this.#count).sort()
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    return {
      count: sorted.length,
      p50Us: at(0.5),
      p95Us: at(0.95),
      p99Us: at(0.99),
      p999Us: at(0.999),
      maxUs: at(1),
    }
  }
}
