/** Random choices that can be made again: SEED= repeats a run, STEPS= makes it longer. */

const seedOf = (name: string): number => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${name}: SEED=${seed}`)
  return seed
}

/** How many steps a random test takes: few in a usual run. */
export const stepsOf = (usual: number): number => Number(process.env['STEPS'] ?? usual)

export class SeededRandom {
  #state: number

  constructor(name: string) {
    this.#state = seedOf(name) >>> 0
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** From 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  list<T>(countMax: number, make: () => T): T[] {
    return Array.from({ length: this.below(countMax + 1) }, make)
  }

  shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let place = shuffled.length - 1; place > 0; place--) {
      const other = this.below(place + 1)
      ;[shuffled[place], shuffled[other]] = [shuffled[other]!, shuffled[place]!]
    }
    return shuffled
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }

  /** Text with characters of every UTF-8 length. */
  text(unitsMax: number): string {
    return this.list(unitsMax, () =>
      this.pick(['a', 'Z', '0', ' ', '\0', 'é', '用', '￮', '😀']),
    ).join('')
  }

  int64(): bigint {
    const bits = this.below(64)
    const wide = (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32))
    return BigInt.asIntN(64, this.chance(0.5) ? wide >> BigInt(bits) : -(wide >> BigInt(bits)))
  }

  double(): number {
    return this.pick([
      0,
      -0,
      1,
      -1.5,
      Infinity,
      -Infinity,
      5e-324,
      1.7976931348623157e308,
      this.next(),
      (this.next() - 0.5) * 10 ** this.below(300),
    ])
  }
}
