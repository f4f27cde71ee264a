/** What a server answers to a write; undefined for what no Salver server would say (a proxy may stand between). */
import { OUTCOME } from '../row/order-rule.ts'
import { NO_UNITS } from '../store/write-batch.ts'
import type { RefusedEntry, SinkOutcomes } from './sink.ts'

const OUTCOMES: ReadonlyMap<unknown, number> = new Map(Object.entries(OUTCOME))

type Fields = { readonly [name: string]: unknown }

/** The reply names an outcome for each of `rows` rows. */
export function parseWriteReply(text: string, rows: number): SinkOutcomes | undefined {
  const reply = parseObject(text)
  const { outcomes: names, rejected, bytes_written: bytesWritten } = reply ?? {}
  if (!Array.isArray(names) || !Array.isArray(rejected) || names.length !== rows) return undefined
  const outcomes = new Uint8Array(rows)
  for (let place = 0; place < rows; place++) {
    const outcome = OUTCOMES.get(names[place])
    if (outcome === undefined) return undefined
    outcomes[place] = outcome
  }
  const refused = rejected.map(parseRefused).filter((entry) => entry !== undefined)
  if (typeof bytesWritten !== 'number' || refused.length !== rejected.length) return undefined
  return { outcomes, bytesWritten, ...NO_UNITS, refused }
}

function parseRefused(value: unknown): RefusedEntry | undefined {
  if (!isFields(value)) return undefined
  const { index, column, reason } = value
  if (typeof index !== 'number') return undefined
  return { index, column: String(column), reason: String(reason) }
}

export type Refusal = {
  readonly message: string
  readonly where: string | undefined
  readonly allowed: string | undefined
}

export function parseRefusal(text: string): Refusal | undefined {
  const error = parseObject(text)?.['error']
  if (!isFields(error)) return undefined
  const { message, where, allowed } = error
  if (typeof message !== 'string') return undefined
  return {
    message,
    where: typeof where === 'string' ? where : undefined,
    allowed: typeof allowed === 'string' ? allowed : undefined,
  }
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
