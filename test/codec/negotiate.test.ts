/** Which format a header asks for. */
import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { decoderFor, encoderFor } from '../../src/codec/negotiate.ts'

const JSON_TYPE = 'application/json'
const MSGPACK = 'application/msgpack'
const BINARY = 'application/vnd.salver'

test.each([
  [null, JSON_TYPE],
  ['', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/*', JSON_TYPE],
  [JSON_TYPE, JSON_TYPE],
  [MSGPACK, MSGPACK],
  ['application/x-msgpack', MSGPACK],
  ['application/vnd.msgpack', MSGPACK],
  [BINARY, BINARY],
  ['Application/VND.Salver', BINARY],
  ['application/json; charset=utf-8', JSON_TYPE],
  ['application/vnd.salver, application/json', BINARY],
  ['application/json, application/vnd.salver', JSON_TYPE],
  ['application/json;q=0.5, application/vnd.salver;q=0.9', BINARY],
  ['application/json;q=0, */*', MSGPACK],
  ['*/*, application/vnd.salver', BINARY],
  ['*/*;q=0.9, application/vnd.salver;q=0.1', JSON_TYPE],
  ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', JSON_TYPE],
  ['application/json;q=2, application/msgpack;q=0.1', MSGPACK],
  ['application/*;q=0.2, application/json;q=0.1', MSGPACK],
])('accept %p gets %s', (accept, type) => {
  expect(encoderFor(accept).contentTypes[0]).toBe(type)
})

test.each([
  'text/html',
  'application/json;q=0',
  '*/*;q=0',
  'application/vnd.salver;q=nonsense',
  ',',
  'x'.repeat(100_000),
])('accept %p gets nothing, and is told what there is', (accept) => {
  const fault = thrown(() => encoderFor(accept))
  expect([fault.code, fault.where]).toEqual(['unsupported_type', 'accept'])
  expect(fault.allowed).toBe(`${JSON_TYPE}, ${MSGPACK}, ${BINARY}`)
  expect(fault.message.length).toBeLessThan(200)
})

test.each([
  [null, JSON_TYPE],
  [JSON_TYPE, JSON_TYPE],
  ['application/json; charset=UTF-8', JSON_TYPE],
  ['application/json;charset="utf-8"', JSON_TYPE],
  ['APPLICATION/JSON', JSON_TYPE],
  [MSGPACK, MSGPACK],
  ['application/x-msgpack', MSGPACK],
])('content type %p is read as %s', (contentType, type) => {
  expect(decoderFor(contentType).contentTypes[0]).toBe(type)
})

test.each([
  '',
  'text/plain',
  BINARY,
  'application/json; charset=latin1',
  'multipart/form-data; boundary=x',
])('content type %p is refused, and told what there is', (contentType) => {
  const fault = thrown(() => decoderFor(contentType))
  expect([fault.code, fault.where]).toEqual(['unsupported_type', 'content-type'])
  expect(fault.allowed).toBe(`${JSON_TYPE}, ${MSGPACK}`)
})

function thrown(run: () => unknown): Fault {
  try {
    run()
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
  throw new Error('nothing was thrown')
}
