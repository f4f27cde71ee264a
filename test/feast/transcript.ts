/** The recorded answers of Feast (test/fixtures/feast), and when an answer of ours is the same. */

export type Exchange = {
  readonly n: number
  readonly name: string
  readonly tag: 'must' | 'lenient' | 'known-defect'
  readonly area: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly content_type: string | null
    readonly body: string | null
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string | null
  }
  /** Features whose list has no order. */
  readonly sets?: readonly string[]
}

export const parseTranscript = (lines: string): readonly Exchange[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Exchange) // the fixture's README says so

/**
 * A body in a form in which equal answers are equal: columns sorted by name, object keys too, sets
 * as sets, and a number as its kind and value, so that 1, 1.0 and -0.0 differ and no digit is lost.
 */
export function comparable(body: string | null, sets: readonly string[] = []): unknown {
  if (body === null || body === '') return ''
  const value = parseWithSource(body, (_, each, { source }) =>
    typeof each === 'number' ? numberText(source ?? '') : each,
  )
  return isReply(value) ? sortedReply(value, sets) : value
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
/** The engine tells a reviver the text of a number; the compiler's library does not know it yet. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown

function numberText(source: string): string {
  if (/^-?\d+$/.test(source)) return `integer ${BigInt(source)}`
  const value = Number(source)
  return `float ${Object.is(value, -0) ? '-0' : value}`
}

type Reply = {
  results: { values: unknown[]; statuses: string[]; event_timestamps: string[] }[]
  metadata: { feature_names: string[] }
}

const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' && value !== null && 'results' in value && 'metadata' in value

function sortedReply(reply: Reply, sets: readonly string[]): unknown {
  const { feature_names: names, ...metadata } = reply.metadata
  const columns = reply.results.map((column, place) => {
    const name = names[place] ?? ''
    const values = sets.includes(name) ? column.values.map(sortedSet) : column.values
    return { name, ...column, values }
  })
  columns.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return { names: names.toSorted(), columns, metadata }
}

const sortedSet = (value: unknown): unknown =>
  Array.isArray(value) ? value.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) : value
