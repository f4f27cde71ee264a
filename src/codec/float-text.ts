/**
 * The shortest decimal text of a double that is no integer, written straight into bytes; of several that
 * are as short, the nearest.
 *
 * Every text that lies within half a step of a double reads back as that double; a step is the distance to
 * the next one. Let 10^-places be the largest power of ten that is no wider than a step: a multiple of it
 * lies within half a step of the value for certain, and of the next power of ten at most one does. If
 * there is such a one it is the shortest text, with its zeros taken off the end; else the nearest multiple
 * of 10^-places is. So the fraction times 10^places is all that has to be known, and half a step on that
 * scale. Both places and half a step depend on the value's exponent alone.
 *
 * The product has up to 103 bits. It is kept as the sum of two doubles, by Dekker's exact product, and its
 * last eight digits are taken apart from those before: in them what is rounded off is below 2^-26.
 */
import { digitCount, writeDigits, writeEight, writeFour } from './digits.ts'

/** Below, JavaScript writes an exponent. */
export const FRACTION_MIN = 1e-6
/** From here on every double is an integer. */
const FRACTION_END = 2 ** 52
/** No text of a fraction is longer: "0.", then at most 22 places. */
export const FRACTION_BYTES_MAX = 24
/** What writeFraction returns where it could not tell the nearest text. */
export const UNDECIDED = -1

const EXPONENT_MIN = -20 // of FRACTION_MIN
const EXPONENT_MAX = 51 // of what is below FRACTION_END
const EXPONENT_BIAS = 1023

const POINT = 0x2e
const ZERO = 0x30
/** Digits behind which the product is cut in two. */
const CUT = 100_000_000
/** A difference is known exactly, or as well as this. */
const DOUBT = 2 ** -20
/** A double of this size has no place for a fraction: added and taken off again it rounds, halves to even. */
const ROUNDER = 1.5 * 2 ** 52
/** Cuts a double's 53 bits into two halves whose products are exact. */
const SPLITTER = 2 ** 27 + 1
const SHORT_PLACES = 10_000
/** Below, four places make at most 15 digits: no other text of 15 digits or fewer reads back as the same. */
const SHORT_END = 1e11

/** For each exponent: 10^places, its two halves, and half a step on that scale. */
const SCALE_FIELDS = 4
const scales = new Float64Array(SCALE_FIELDS * (EXPONENT_MAX - EXPONENT_MIN + 1))
const placesOf = new Uint8Array(EXPONENT_MAX - EXPONENT_MIN + 1)

for (let exponent = EXPONENT_MIN; exponent <= EXPONENT_MAX; exponent++) {
  const step = 2 ** (exponent - 52)
  let places = 0
  while (Number(`1e${places}`) * step < 1) places++
  const scale = Number(`1e${places}`) // exact up to 1e22, the largest here
  const high = highHalf(scale)
  const index = exponent - EXPONENT_MIN
  placesOf[index] = places
  scales.set([scale, high, scale - high, (scale * step) / 2], index * SCALE_FIELDS)
}

const lane = new Float64Array(1)
const laneWords = new Int32Array(lane.buffer)
/** Every machine that Bun runs on has the word with the exponent second. */
const HIGH_WORD = 1
const MANTISSA_BITS = 20

/** True for what writeFraction takes. */
export const isFraction = (size: number): boolean =>
  size >= FRACTION_MIN && size < FRACTION_END && Math.trunc(size) !== size

/**
 * Writes at most FRACTION_BYTES_MAX bytes and returns the place behind them, or UNDECIDED: one in some
 * millions of random doubles, and no widened float32.
 */
export function writeFraction(bytes: Uint8Array, at: number, value: number): number {
  if (value < SHORT_END) {
    const scaled = value * SHORT_PLACES + ROUNDER - ROUNDER
    if (scaled / SHORT_PLACES === value) return writeShort(bytes, at, scaled)
  }
  return writeLong(bytes, at, value)
}

/** `scaled` / 10,000, which is no integer. */
function writeShort(bytes: Uint8Array, at: number, scaled: number): number {
  const whole = Math.floor(scaled / SHORT_PLACES)
  const point = writeDigits(bytes, at, whole)
  bytes[point] = POINT
  writeFour(bytes, point + 1, scaled - whole * SHORT_PLACES)
  return withoutZeros(bytes, point + 5)
}

function writeLong(bytes: Uint8Array, at: number, value: number): number {
  lane[0] = value
  const index = (laneWords[HIGH_WORD]! >> MANTISSA_BITS) - (EXPONENT_BIAS + EXPONENT_MIN)
  const field = index * SCALE_FIELDS
  const whole = Math.trunc(value)
  const part = value - whole

  // part * scale === product + error
  const scale = scales[field]!
  const scaleHigh = scales[field + 1]!
  const scaleLow = scales[field + 2]!
  const partHigh = highHalf(part)
  const partLow = part - partHigh
  const product = part * scale
  const error =
    partHigh * scaleHigh - product + partHigh * scaleLow + partLow * scaleHigh + partLow * scaleLow

  // part * scale === head * CUT + rest + lost, where rest may be a little below 0 or above CUT
  let head = Math.floor(product * (1 / CUT))
  const near = product - head * CUT
  const rest = near + error
  const lost = error - (rest - near)

  const nearest = rest + ROUNDER - ROUNDER
  const shorter = (rest * 0.1 + ROUNDER - ROUNDER) * 10
  const beyond = Math.abs(rest - shorter) - scales[field + 3]!
  if (lost !== 0 && (Math.abs(beyond) < DOUBT || Math.abs(rest - nearest) === 0.5)) return UNDECIDED
  // A number and no branch, which would be mispredicted for one value in three.
  const isShorter = +(beyond <= 0)
  let tail = nearest + isShorter * (shorter - nearest)
  if (tail < 0) {
    tail += CUT
    head--
  } else if (tail >= CUT) {
    tail -= CUT
    head++
  }

  // The sixteen digits may begin with zeros where the whole and the point belong: those come last.
  const places = placesOf[index]!
  const point = at + digitCount(whole)
  const end = point + 1 + places
  if (places > 16) {
    const first = (head / CUT) | 0
    for (let place = point + 1; place < end - 17; place++) bytes[place] = ZERO
    bytes[end - 17] = ZERO + first
    head -= first * CUT
  }
  writeEight(bytes, end - 16, head | 0)
  writeEight(bytes, end - 8, tail | 0)
  writeDigits(bytes, at, whole)
  bytes[point] = POINT
  return withoutZeros(bytes, tail === 0 ? end - 8 : end - isShorter)
}

function highHalf(value: number): number {
  const split = SPLITTER * value
  return split - (split - value)
}

/** Returns the place behind the last digit that is no zero; there is one, or the point. */
function withoutZeros(bytes: Uint8Array, end: number): number {
  while (bytes[end - 1] === ZERO) end--
  return end
}
