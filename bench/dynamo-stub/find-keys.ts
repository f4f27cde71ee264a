/** Finds the entity ids of a BatchGetItem in its bytes, wherever the client puts spaces and names. */
import { ENTITY_ID_CHARS } from './stub-items.ts'

const QUOTE = 0x22

/**
 * Writes the offset of each text of 32 hex digits to `offsets` and returns how many there are; more
 * than `offsets` has room for are counted, not written. Keys stand at equal distances, so that each
 * is looked for where the last two say before the bytes between are looked through.
 */
export function findKeys(
  body: Uint8Array,
  start: number,
  end: number,
  offsets: Uint32Array,
): number {
  let count = 0
  let last = 0
  let stride = 0
  let at = start
  while (at < end) {
    const guess = last + stride
    if (stride !== 0 && isKey(body, guess, end)) at = guess
    else at = nextKey(body, at, end)
    if (at >= end) break
    if (count < offsets.length) offsets[count] = at
    if (count > 0) stride = at - last
    count++
    last = at
    at += ENTITY_ID_CHARS + 1
  }
  return count
}

/** Whether a text of the right length, all hex digits, begins here, behind its quote. */
function isKey(body: Uint8Array, at: number, end: number): boolean {
  if (at + ENTITY_ID_CHARS >= end) return false
  if (body[at - 1] !== QUOTE || body[at + ENTITY_ID_CHARS] !== QUOTE) return false
  for (let digit = at; digit < at + ENTITY_ID_CHARS; digit++) {
    if (!isHex(body[digit]!)) return false
  }
  return true
}

function nextKey(body: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (body[at] === QUOTE && isKey(body, at + 1, end)) return at + 1
  }
  return end
}

const isHex = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66)
