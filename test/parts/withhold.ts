/** Takes keys out of a BatchGetItem, or writes out of a BatchWriteItem, as a busy store does. */

export type Json = { readonly [name: string]: unknown }

export type Withheld = {
  /** What is left to ask; undefined: nothing. */
  readonly asked: Json | undefined
  /** How many keys or writes were taken out. */
  readonly count: number
  /** A reply to `asked`, with what was taken out beside what the store left out itself. */
  complete(reply: Json): Json
}

/** How an operation names what it leaves out, and where a table's part has its list. */
type Shape = {
  readonly leftOut: string
  readonly nothingDone: Json
  listOf(part: unknown): readonly unknown[]
  withList(part: unknown, list: readonly unknown[]): unknown
}

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  [
    'BatchGetItem',
    {
      leftOut: 'UnprocessedKeys',
      nothingDone: { Responses: {}, UnprocessedKeys: {} },
      listOf: (part) => (part as { readonly Keys: readonly unknown[] }).Keys,
      withList: (part, list) => ({ ...(part as Json), Keys: list }),
    },
  ],
  [
    'BatchWriteItem',
    {
      leftOut: 'UnprocessedItems',
      nothingDone: { UnprocessedItems: {} },
      listOf: (part) => part as readonly unknown[],
      withList: (_, list) => list,
    },
  ],
])

/** Undefined for other operations; `isTaken` is asked once for each key or write. */
export function withhold(
  operation: string,
  body: Json,
  isTaken: () => boolean,
): Withheld | undefined {
  const shape = SHAPES.get(operation)
  if (shape === undefined) return undefined
  const kept: [string, unknown][] = []
  const taken: [string, unknown][] = []
  let count = 0
  for (const [table, part] of Object.entries(body['RequestItems'] as Json)) {
    const split = Object.groupBy(shape.listOf(part), () => (isTaken() ? 'taken' : 'kept'))
    if (split.kept !== undefined) kept.push([table, shape.withList(part, split.kept)])
    if (split.taken === undefined) continue
    taken.push([table, shape.withList(part, split.taken)])
    count += split.taken.length
  }
  return {
    asked: kept.length === 0 ? undefined : { ...body, RequestItems: Object.fromEntries(kept) },
    count,
    complete: (reply) => ({ ...reply, [shape.leftOut]: merged(shape, reply, taken) }),
  }
}

/** The reply where nothing was left to ask. */
export const nothingDone = (operation: string): Json => SHAPES.get(operation)?.nothingDone ?? {}

function merged(shape: Shape, reply: Json, taken: readonly [string, unknown][]): Json {
  const left = { ...(reply[shape.leftOut] as Json | undefined) }
  for (const [table, part] of taken) {
    const before = left[table] === undefined ? [] : shape.listOf(left[table])
    left[table] = shape.withList(part, [...before, ...shape.listOf(part)])
  }
  return left
}
