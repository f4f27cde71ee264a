import { describe, expect, test } from 'bun:test'
import { STORE_REPLY_BYTES_MAX } from '../../../src/base/limits.ts'
import { HttpReplyParser } from '../../../src/store/dynamodb/http-reply-parser.ts'
import { SeededRandom } from '../../base/seeded-random.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The replies of a stream that comes in these pieces. */
function repliesOf(pieces: readonly Uint8Array[]): string[] {
  const parser = new HttpReplyParser()
  const replies: string[] = []
  for (const piece of pieces) {
    const reply = parser.take(piece)
    if (reply !== undefined) replies.push(`${reply.status} ${textOf(reply.body)}`)
  }
  const last = parser.end()
  if (last !== undefined) replies.push(`${last.status} ${textOf(last.body)}`)
  return replies
}

const REPLIES: readonly (readonly [text: string, reply: string])[] = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', '200 hello'],
  ['HTTP/1.1 400 Bad Request\r\ncontent-length:0\r\n\r\n', '400 '],
  ['HTTP/1.1 204 No Content\r\n\r\n', '204 '],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', '200 ok'],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n',
    '200 abc0123456789',
  ],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nTrailer: x\r\n\r\n',
    '200 ab',
  ],
]

test.each(REPLIES)('%j is read however it is cut', (text, reply) => {
  const bytes = bytesOf(text)
  expect(repliesOf([bytes])).toEqual([reply])
  expect(repliesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual([reply])
  for (let cut = 1; cut < bytes.length; cut++) {
    expect(repliesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([reply])
  }
})

test('replies of one connection after another, cut at random places', () => {
  const random = new SeededRandom('cut replies')
  for (let round = 0; round < 200; round++) {
    const chosen = Array.from({ length: 5 }, () => REPLIES[random.below(REPLIES.length)]!)
    const parser = new HttpReplyParser()
    for (const [text, expected] of chosen) {
      const bytes = bytesOf(text)
      let at = 0
      let reply
      while (at < bytes.length) {
        const end = Math.min(bytes.length, at + 1 + random.below(20))
        reply = parser.take(bytes.slice(at, end))
        at = end
      }
      expect(`${reply?.status} ${textOf(reply?.body ?? new Uint8Array(0))}`).toBe(expected)
      expect(parser.isIdle).toBe(true)
    }
  }
})

test('a reply of no stated length ends with its connection', () => {
  const pieces = ['HTTP/1.1 200 OK\r\n\r\nab', 'cd', 'e'].map(bytesOf)
  expect(repliesOf(pieces)).toEqual(['200 abcde'])
})

test('whether the connection goes on is as the reply says', () => {
  const isLast = (head: string): boolean => {
    const parser = new HttpReplyParser()
    parser.take(bytesOf(`${head}\r\nContent-Length: 0\r\n\r\n`))
    return parser.isLast
  }
  expect(isLast('HTTP/1.1 200 OK')).toBe(false)
  expect(isLast('HTTP/1.1 200 OK\r\nConnection: close')).toBe(true)
  expect(isLast('HTTP/1.0 200 OK')).toBe(true)
  expect(isLast('HTTP/1.0 200 OK\r\nConnection: keep-alive')).toBe(false)
})

describe('what is no reply, or has no bound, is refused', () => {
  test.each([
    'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n',
    `HTTP/1.1 200 OK\r\nContent-Length: ${STORE_REPLY_BYTES_MAX + 1}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nab',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`,
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n',
  ])('%#', (text) => {
    expect(() => repliesOf([bytesOf(text)])).toThrow()
  })

  test('random bytes throw an Error or wait for more', () => {
    const random = new SeededRandom('damaged replies')
    for (let round = 0; round < 3000; round++) {
      const [text] = REPLIES[random.below(REPLIES.length)]!
      const bytes = bytesOf(text)
      for (let flips = random.below(4); flips >= 0; flips--) {
        bytes[random.below(bytes.length)] = random.below(256)
      }
      try {
        repliesOf([bytes.slice(0, random.below(bytes.length + 1))])
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Error)
        expect(thrown).not.toBeInstanceOf(TypeError)
      }
    }
  })
})
