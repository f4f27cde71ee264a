/** The decimal digits of whole numbers, written straight into bytes. */

const ZERO = 0x30
/** Digits that are written at once, by a table of those of four. */
const EIGHT = 100_000_000
const FOUR = 10_000

/** The ASCII digits of each number below 10,000: the first is the lowest byte. */
const FOUR_DIGITS = Int32Array.from({ length: FOUR }, (_, number) =>
  [...String(number).padStart(4, '0')].reduceRight(
    (word, digit) => (word << 8) | digit.charCodeAt(0),
    0,
  ),
)

/** Writes an integer from 0 to below 2^63; returns the place behind its last digit. */
export function writeDigits(bytes: Uint8Array, at: number, integer: number): number {
  if (integer < 10) {
    bytes[at] = ZERO + integer
    return at + 1
  }
  if (integer < EIGHT) return writeFew(bytes, at, integer)
  const head = Math.floor(integer / EIGHT)
  const end = writeDigits(bytes, at, head)
  writeEight(bytes, end, (integer - head * EIGHT) | 0)
  return end + 8
}

/** How many digits an integer below 2^63 has. */
export function digitCount(integer: number): number {
  if (integer < 100) return integer < 10 ? 1 : 2
  if (integer < FOUR) return integer < 1000 ? 3 : 4
  if (integer < 1_000_000) return integer < 100_000 ? 5 : 6
  if (integer < EIGHT) return integer < 10_000_000 ? 7 : 8
  return 8 + digitCount(Math.floor(integer / EIGHT))
}

function writeFew(bytes: Uint8Array, at: number, integer: number): number {
  const end = at + digitCount(integer)
  let rest = integer | 0
  for (let place = end - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0
    bytes[place] = ZERO + rest - tenth * 10
    rest = tenth
  }
  return end
}

/** Writes an integer below 10^8, with the zeros before it. */
export function writeEight(bytes: Uint8Array, at: number, integer: number): void {
  const head = (integer / FOUR) | 0
  writeFour(bytes, at, head)
  writeFour(bytes, at + 4, integer - head * FOUR)
}

/** Writes an integer below 10,000, with the zeros before it. */
export function writeFour(bytes: Uint8Array, at: number, integer: number): void {
  const digits = FOUR_DIGITS[integer]!
  bytes[at] = digits
  bytes[at + 1] = digits >>> 8
  bytes[at + 2] = digits >>> 16
  bytes[at + 3] = digits >>> 24
}

/** Writes an integer below 100, with the zero before it. */
export function writeTwo(bytes: Uint8Array, at: number, integer: number): void {
  const tens = (integer / 10) | 0
  bytes[at] = ZERO + tens
  bytes[at + 1] = ZERO + integer - tens * 10
}
