/** POST /v1/write: what its address and headers say, and what its reply looks like. */
import { Fault } from '../base/fault.ts'
import { OUTCOME_NAMES } from '../row/order-rule.ts'
import type { WriteCall, WriteReply } from './write-lane.ts'

/** A call without its body, and whether the reply names an outcome for each row. */
export type WriteRequest = Omit<WriteCall, 'body'> & { readonly tellsOutcomes: boolean }

const PARAMETERS = ['view', 'lane', 'dry_run', 'outcomes']

const TRUE = ['true', '1']

const FORMATS: ReadonlyMap<string, WriteCall['format']> = new Map([
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/json', 'json'],
  ['application/msgpack', 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
  ['application/vnd.msgpack', 'msgpack'],
])

export function parseWriteRequest(parameters: URLSearchParams, headers: Headers): WriteRequest {
  for (const name of parameters.keys()) requireKnown(parameters, name)
  const view = parameters.get('view') ?? ''
  if (view === '') {
    throw new Fault('invalid_request', 'no view is named', {
      where: 'parameter view',
      allowed: '?view=NAME',
    })
  }
  return {
    view,
    lane: choice(parameters, 'lane', ['direct', 'batch']),
    format: formatOf(headers.get('content-type')),
    dryRun: TRUE.includes(choice(parameters, 'dry_run', ['false', 'true', '0', '1'])),
    tellsOutcomes: choice(parameters, 'outcomes', ['each', 'counts']) === 'each',
  }
}

function requireKnown(parameters: URLSearchParams, name: string): void {
  const where = `parameter ${name}`
  if (!PARAMETERS.includes(name)) {
    const allowed = PARAMETERS.join(', ')
    throw new Fault('invalid_request', `there is no parameter ${name}`, { where, allowed })
  }
  if (parameters.getAll(name).length > 1) {
    throw new Fault('invalid_request', `${name} is given twice`, { where, allowed: 'one of each' })
  }
}

/** The first choice is what counts where none is given. */
function choice<T extends string>(
  parameters: URLSearchParams,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const given = parameters.get(name)
  if (given === null) return choices[0]
  const chosen = choices.find((one) => one === given)
  if (chosen !== undefined) return chosen
  throw new Fault('invalid_request', `${name} can't be ${JSON.stringify(given)}`, {
    where: `parameter ${name}`,
    allowed: choices.join(' or '),
  })
}

function formatOf(contentType: string | null): WriteCall['format'] {
  const media = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const format = FORMATS.get(media)
  if (format !== undefined) return format
  const found = media === '' ? 'the body has no content type' : `${media} is not read here`
  throw new Fault('unsupported_type', found, {
    where: 'header content-type',
    allowed: 'application/x-ndjson, application/json or application/msgpack',
  })
}

/** `rejected` lists the rows; `counts` has their number beside those of the other outcomes. */
export function encodeWriteReply(reply: WriteReply, tellsOutcomes: boolean): string {
  const { read, counts, bytesWritten, rejected } = reply
  const told = { read, counts, bytes_written: bytesWritten, rejected }
  if (!tellsOutcomes) return JSON.stringify(told)
  return JSON.stringify({ ...told, outcomes: Array.from(reply.outcomes, outcomeName) })
}

const outcomeName = (outcome: number): string => OUTCOME_NAMES[outcome]!
