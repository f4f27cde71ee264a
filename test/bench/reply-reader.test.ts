/** Where a reply ends, whatever pieces it comes in. */
import { expect, test } from 'bun:test'
import { ReplyReader } from '../../bench/load/reply-reader.ts'

const BODY = '{"values":[1,2,3]}'.repeat(3)
const REPLIES = {
  'by its length': `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'by its chunks': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(BODY, 17)}`,
  'by one chunk': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(BODY, BODY.length)}`,
}

function chunks(body: string, size: number): string {
  const count = Math.ceil(body.length / size)
  const parts = Array.from({ length: count }, (_, at) => body.slice(at * size, (at + 1) * size))
  return [...parts, ''].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
}

test.each(Object.entries(REPLIES))('a reply that ends %s, cut anywhere', (_, text) => {
  const bytes = Buffer.from(text)
  const reader = new ReplyReader()
  for (let cut = 1; cut < bytes.length; cut++) {
    reader.begin()
    expect(reader.read(bytes.subarray(0, cut))).toBe(false)
    expect(reader.read(bytes.subarray(cut))).toBe(true)
    expect([reader.status, reader.bodyBytes]).toEqual([200, BODY.length])
  }
})

test('a reply that comes byte by byte ends with its last', () => {
  for (const text of Object.values(REPLIES)) {
    const reader = new ReplyReader()
    reader.begin()
    const ends = Array.from(Buffer.from(text), (byte) => reader.read(Uint8Array.of(byte)))
    expect(ends.indexOf(true)).toBe(text.length - 1)
    expect(reader.bodyBytes).toBe(BODY.length)
  }
})

test('a reply without a body ends with its header', () => {
  const reader = new ReplyReader()
  reader.begin()
  expect(reader.read(Buffer.from('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n'))).toBe(true)
  expect(reader.status).toBe(503)
})
