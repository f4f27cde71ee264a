/** What a named workload is: a smoke size that the tests run, a full size for the figures. */

/** One line of a result: what was measured, beside what. */
export type Figure = {
  readonly name: string
  readonly unit: string
  /** Median over the repeats. */
  readonly median: number
  readonly lowest: number
  readonly highest: number
  readonly repeats: number
}

export type Size = 'smoke' | 'full'

export type Workload = {
  readonly name: string
  /** One sentence: what it shows. */
  readonly about: string
  readonly run: (size: Size, workDir: string) => Promise<readonly Figure[]>
}

export function figure(name: string, unit: string, values: readonly number[]): Figure {
  if (values.length === 0) throw new Error(`no value for ${name}`)
  const sorted = [...values].sort((left, right) => left - right)
  return {
    name,
    unit,
    median: sorted[sorted.length >> 1]!,
    lowest: sorted[0]!,
    highest: sorted[sorted.length - 1]!,
    repeats: sorted.length,
  }
}
