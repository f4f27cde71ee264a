/** Calls that fail as DynamoDB's do: throttled, unanswered, done in part. The real ones are behind. */
import type { DynamoCalls, DynamoOperation } from '../../../src/store/dynamodb/dynamo-client.ts'
import { DynamoFailure } from '../../../src/store/dynamodb/dynamo-failure.ts'

/**
 * `lost`: done, and the answer lost; `down`: not done; `part`: some of its items done, the others left
 * out; `cut`: not done, nor is any call after it.
 */
export type Fate = 'done' | 'throttled' | 'lost' | 'down' | 'part' | 'cut'

export type Planned = { readonly operation: DynamoOperation; readonly body: Uint8Array }

type Requests = Readonly<Record<string, unknown[] | { readonly Keys: unknown[] }>>

const NO_BYTES = new Uint8Array(0)

export class FaultyCalls implements DynamoCalls {
  readonly #inner: DynamoCalls
  #isCut = false
  /** Decides the fate of each call; may do something first, as another writer would. */
  fate: (planned: Planned) => Fate | Promise<Fate>
  readonly made: DynamoOperation[] = []

  constructor(inner: DynamoCalls, fate: FaultyCalls['fate'] = () => 'done') {
    this.#inner = inner
    this.fate = fate
  }

  count(operation: DynamoOperation): number {
    return this.made.filter((made) => made === operation).length
  }

  async call(
    operation: DynamoOperation,
    body: Uint8Array,
    msMax: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    this.made.push(operation)
    const fate = this.#isCut ? 'cut' : await this.fate({ operation, body })
    if (fate === 'cut') {
      this.#isCut = true
      throw new Error('the process ended here')
    }
    if (fate === 'throttled') throw new DynamoFailure('throttled', '', 'slower', NO_BYTES)
    if (fate === 'down') throw new DynamoFailure('unavailable', '', 'no connection', NO_BYTES)
    if (fate === 'part') return this.#part(operation, body, msMax)
    const reply = await this.#inner.call(operation, body, msMax, signal)
    if (fate === 'lost') throw new DynamoFailure('unavailable', '', 'no answer in time', NO_BYTES)
    return reply
  }

  /** The first half of the items is done; of one alone nothing. */
  async #part(operation: DynamoOperation, body: Uint8Array, msMax: number): Promise<Uint8Array> {
    const isRead = operation === 'BatchGetItem'
    if (!isRead && operation !== 'BatchWriteItem') {
      throw new DynamoFailure('throttled', '', 'slower', NO_BYTES)
    }
    const { RequestItems: requests } = parse(body) as { readonly RequestItems: Requests }
    const [[table, asked]] = Object.entries(requests) as [[string, Requests[string]]]
    const items = Array.isArray(asked) ? asked : asked.Keys
    const done = items.slice(0, items.length >> 1)
    const left = items.slice(items.length >> 1)
    const shaped = (some: unknown[]) => (isRead ? { Keys: some, ConsistentRead: true } : some)
    const reply =
      done.length === 0
        ? {}
        : (parse(
            await this.#inner.call(
              operation,
              encode({ RequestItems: { [table]: shaped(done) } }),
              msMax,
            ),
          ) as object)
    const name = isRead ? 'UnprocessedKeys' : 'UnprocessedItems'
    return encode({ ...reply, [name]: { [table]: shaped(left) } })
  }
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

export const isWrite = (operation: DynamoOperation): boolean =>
  operation === 'PutItem' || operation === 'UpdateItem' || operation === 'DeleteItem'
