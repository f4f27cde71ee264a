/** The crc32 of zlib over 32-bit words, for pieces too short to be worth a call out of JavaScript. */
import { crc32 as crc32OfBytes } from 'node:zlib'

/** Eight tables of 256: the remainder of a byte, and of a byte followed by one to seven zero bytes. */
const TABLES = makeTables()

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ 0xedb8_8320 : remainder >>> 1
    }
    tables[byte] = remainder
  }
  for (let place = 256; place < tables.length; place++) {
    const shorter = tables[place - 256]!
    tables[place] = (shorter >>> 8) ^ tables[shorter & 255]!
  }
  return tables
}

/** Goes on from `crc` over the little-endian bytes of one word. Signed, as it stands in Int32Arrays. */
export function crc32OfWord(crc: number, word: number): number {
  const mixed = ~crc ^ word
  return ~(
    TABLES[768 + (mixed & 255)]! ^
    TABLES[512 + ((mixed >>> 8) & 255)]! ^
    TABLES[256 + ((mixed >>> 16) & 255)]! ^
    TABLES[mixed >>> 24]!
  )
}

/** Goes on from `crc` over the bytes of two words: two at once take little longer than one. */
function crc32OfTwo(crc: number, first: number, second: number): number {
  const mixed = ~crc ^ first
  return ~(
    TABLES[1792 + (mixed & 255)]! ^
    TABLES[1536 + ((mixed >>> 8) & 255)]! ^
    TABLES[1280 + ((mixed >>> 16) & 255)]! ^
    TABLES[1024 + (mixed >>> 24)]! ^
    TABLES[768 + (second & 255)]! ^
    TABLES[512 + ((second >>> 8) & 255)]! ^
    TABLES[256 + ((second >>> 16) & 255)]! ^
    TABLES[second >>> 24]!
  )
}

/** Goes on from `crc` over words `start` to `end`. Signed. */
export function crc32OfWords(crc: number, words: Int32Array, start: number, end: number): number {
  let running = crc | 0
  let place = start
  for (; place + 1 < end; place += 2) {
    running = crc32OfTwo(running, words[place]!, words[place + 1]!)
  }
  return place < end ? crc32OfWord(running, words[place]!) : running
}

/** From so many bytes on, a view and a call cost less than the tables. */
const CALL_BYTES_MIN = 128

/** The crc32 of bytes at multiples of 4, whichever way is quicker. Signed. */
export function crc32Of(
  crc: number,
  bytes: Uint8Array,
  words: Int32Array,
  start: number,
  end: number,
): number {
  if (end - start < CALL_BYTES_MIN) return crc32OfWords(crc, words, start >> 2, end >> 2)
  return crc32OfBytes(bytes.subarray(start, end), crc >>> 0) | 0
}
