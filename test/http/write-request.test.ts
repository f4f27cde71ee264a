import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { OUTCOME } from '../../src/row/order-rule.ts'
import { makeWriteGuard } from '../../src/http/write-guard.ts'
import { encodeWriteReply, parseWriteRequest } from '../../src/http/write-request.ts'

const parse = (query: string, contentType = 'application/json') =>
  parseWriteRequest(new URLSearchParams(query), new Headers({ 'content-type': contentType }))

/** The fault that a call throws. */
function faultOf(call: () => unknown): Fault {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}

test('a write is direct, real and told row by row unless it says otherwise', () => {
  expect(parse('view=v')).toEqual({
    view: 'v',
    lane: 'direct',
    format: 'json',
    dryRun: false,
    tellsOutcomes: true,
  })
  const asked = parse('view=v&lane=batch&dry_run=1&outcomes=counts', 'Application/X-NDJSON; a=b')
  expect(asked).toEqual({
    view: 'v',
    lane: 'batch',
    format: 'ndjson',
    dryRun: true,
    tellsOutcomes: false,
  })
})

test('a parameter that is wrong, unknown, doubled or missing is named with what is allowed', () => {
  const wrong = ['', 'view=', 'view=v&lane=fast', 'view=v&dry_run=maybe', 'view=v&outcomes=all']
  for (const query of [...wrong, 'view=v&viw=w', 'view=v&view=w']) {
    const fault = faultOf(() => parse(query))
    expect(fault.code).toBe('invalid_request')
    expect(fault.where).toStartWith('parameter ')
    expect(fault.allowed).not.toBe(undefined)
  }
})

test('a body of an unknown type is refused by name', () => {
  expect(faultOf(() => parse('view=v', 'text/csv')).message).toContain('text/csv')
  expect(faultOf(() => parse('view=v', '')).code).toBe('unsupported_type')
})

test('outcomes are told in the words of a receipt', () => {
  const reply = {
    read: 3,
    counts: {
      new: 1,
      changed: 0,
      unchanged: 0,
      touched: 0,
      refreshed: 0,
      older: 1,
      rejected: 1,
      deleted: 0,
    },
    outcomes: Uint8Array.of(OUTCOME.new, OUTCOME.older, OUTCOME.rejected),
    rejected: [{ index: 2, column: 'a', reason: 'no number' }],
    bytesWritten: 96,
  }
  expect(JSON.parse(encodeWriteReply(reply, true))).toEqual({
    read: 3,
    counts: reply.counts,
    bytes_written: 96,
    rejected: reply.rejected,
    outcomes: ['new', 'older', 'rejected'],
  })
  expect(JSON.parse(encodeWriteReply(reply, false)).outcomes).toBe(undefined)
})

test('only the token opens a guarded server, and nothing opens a read-only one', () => {
  const bearing = (value: string) => new Headers({ authorization: value })
  const guard = makeWriteGuard('s3cret', false)
  guard(bearing('Bearer s3cret'))
  guard(bearing('bearer s3cret'))
  for (const value of ['Bearer s3cre', 'Bearer s3cret1', 's3cret', 'Basic s3cret', 'Bearer']) {
    expect(faultOf(() => guard(bearing(value))).code).toBe('unauthorized')
  }
  expect(faultOf(() => guard(new Headers())).code).toBe('unauthorized')
  makeWriteGuard('', false)(new Headers())
  expect(faultOf(() => makeWriteGuard('s3cret', true)(bearing('Bearer s3cret'))).code).toBe(
    'read_only',
  )
})
