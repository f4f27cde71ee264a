import { expect, test } from 'bun:test'
import {
  base64Bytes,
  decodeBase64,
  encodeBase64,
} from '../../../src/store/dynamodb/base64-bytes.ts'
import { SeededRandom } from '../../base/seeded-random.ts'

function decoded(text: string): Uint8Array | undefined {
  const source = new TextEncoder().encode(`AA${text}AA`)
  const target = new Uint8Array(text.length)
  const end = decodeBase64(source, 2, source.length - 2, target, 0)
  return end < 0 ? undefined : target.slice(0, end)
}

test('bytes of every length go both ways as everybody writes them', () => {
  const random = new SeededRandom('base64')
  for (let length = 0; length < 200; length++) {
    const bytes = random.bytes(length)
    const text = new Uint8Array(base64Bytes(length))
    expect(encodeBase64(bytes, 0, length, text, 0)).toBe(text.length)
    expect(new TextDecoder().decode(text)).toBe(bytes.toBase64())
    expect(decoded(bytes.toBase64())).toEqual(bytes)
  }
})

const FAULTY = [
  'A',
  'AA',
  'AAA',
  'AAAAA',
  'A===',
  '====',
  '=AAA',
  'AA=A',
  'AA==AAAA',
  'AA A',
  'A-_A',
  'AAé',
]

for (const text of FAULTY) {
  test(`"${text}" is no base64`, () => expect(decoded(text)).toBeUndefined())
}
