/** Base64 between bytes: what a Binary attribute is in JSON. Standard alphabet, padded. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
export const PAD = 0x3d

const DIGITS = Uint8Array.from(ALPHABET, (digit) => digit.charCodeAt(0))

/** Not a digit: its upper two bits tell it from the 64 that are. */
export const NO_DIGIT = 0x80

/** What each character counts, or NO_DIGIT. */
export const DIGIT_VALUES = new Uint8Array(256).fill(NO_DIGIT)
DIGITS.forEach((digit, value) => (DIGIT_VALUES[digit] = value))

export const base64Bytes = (bytes: number): number => Math.ceil(bytes / 3) * 4

/** Writes the text of `source[start, end)` at `at`, where there is room; returns where it ends. */
export function encodeBase64(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  let from = start
  for (; from + 2 < end; from += 3) {
    const three = (source[from]! << 16) | (source[from + 1]! << 8) | source[from + 2]!
    target[at] = DIGITS[three >> 18]!
    target[at + 1] = DIGITS[(three >> 12) & 63]!
    target[at + 2] = DIGITS[(three >> 6) & 63]!
    target[at + 3] = DIGITS[three & 63]!
    at += 4
  }
  if (from === end) return at
  const isTwo = from + 2 === end
  const last = (source[from]! << 16) | (isTwo ? source[from + 1]! << 8 : 0)
  target[at] = DIGITS[last >> 18]!
  target[at + 1] = DIGITS[(last >> 12) & 63]!
  target[at + 2] = isTwo ? DIGITS[(last >> 6) & 63]! : PAD
  target[at + 3] = PAD
  return at + 4
}

/**
 * Writes the bytes of the text `source[start, end)` at `at`, where there is room for three quarters
 * of it; returns where they end, or -1 for a text that is not base64.
 */
export function decodeBase64(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  if (((end - start) & 3) !== 0) return -1
  if (start === end) return at
  const last = end - 4
  let wrong = 0
  for (let from = start; from < last; from += 4) {
    const a = DIGIT_VALUES[source[from]!]!
    const b = DIGIT_VALUES[source[from + 1]!]!
    const c = DIGIT_VALUES[source[from + 2]!]!
    const d = DIGIT_VALUES[source[from + 3]!]!
    wrong |= a | b | c | d
    target[at] = (a << 2) | (b >> 4)
    target[at + 1] = (b << 4) | (c >> 2)
    target[at + 2] = (c << 6) | d
    at += 3
  }
  return wrong >= NO_DIGIT ? -1 : decodeLast(source, last, target, at)
}

/** The last four characters, of which the last two may be padding. */
function decodeLast(source: Uint8Array, from: number, target: Uint8Array, at: number): number {
  const pads = source[from + 3] !== PAD ? 0 : source[from + 2] !== PAD ? 1 : 2
  const a = DIGIT_VALUES[source[from]!]!
  const b = DIGIT_VALUES[source[from + 1]!]!
  const c = pads === 2 ? 0 : DIGIT_VALUES[source[from + 2]!]!
  const d = pads > 0 ? 0 : DIGIT_VALUES[source[from + 3]!]!
  if ((a | b | c | d) >= NO_DIGIT) return -1
  target[at] = (a << 2) | (b >> 4)
  if (pads < 2) target[at + 1] = (b << 4) | (c >> 2)
  if (pads < 1) target[at + 2] = (c << 6) | d
  return at + 3 - pads
}
