/** Copies keys and answers from one batch to another. */
import type { ReadBatch } from '../read-batch.ts'
import { FOUND } from '../read-batch.ts'

/** Above so many words a block copy is faster than a loop. */
const LOOP_WORDS_MAX = 128

/** Adds the key of a place of `from` to `to`; returns its place there. */
export function copyKey(from: ReadBatch, place: number, to: ReadBatch): number {
  const bytes = from.keyBytes[place]!
  const start = to.reserveKey(bytes) >> 2
  const source = from.keyStarts[place]! >> 2
  const { keyWords } = from
  const target = to.keyWords
  for (let at = 0; at < (bytes + 3) >> 2; at++) target[start + at] = keyWords[source + at]!
  return to.commitKey(from.tables[place]!, bytes)
}

/** Copies what `from` says of a place. Throws `too_large` if the row no longer fits a request. */
export function copyAnswer(
  from: ReadBatch,
  place: number,
  to: ReadBatch,
  toPlace: number,
  asOfMs: number,
): void {
  const state = from.states[place]!
  if (state === FOUND) {
    copyRow(from, place, to, toPlace)
    to.times[toPlace] = from.times[place]!
    to.layouts[toPlace] = from.layouts[place]!
  }
  to.asOfMs[toPlace] = asOfMs
  to.states[toPlace] = state
}

function copyRow(from: ReadBatch, place: number, to: ReadBatch, toPlace: number): void {
  const bytes = from.rowBytes[place]!
  const source = from.rowStarts[place]!
  const target = to.reserveRow(bytes)
  to.rowStarts[toPlace] = target
  to.rowBytes[toPlace] = bytes
  const words = bytes >> 2
  if (words > LOOP_WORDS_MAX) {
    to.rows.set(from.rows.subarray(source, source + bytes), target)
    return
  }
  const { rowWords } = from
  const targetWords = to.rowWords
  const first = source >> 2
  const targetFirst = target >> 2
  for (let at = 0; at < words; at++) targetWords[targetFirst + at] = rowWords[first + at]!
}

/** Each batch gets the other's rows, and what is used of them. */
export function swapRows(one: ReadBatch, other: ReadBatch): void {
  const { rows, rowWords, rowsUsed } = one
  one.rows = other.rows
  one.rowWords = other.rowWords
  one.rowsUsed = other.rowsUsed
  other.rows = rows
  other.rowWords = rowWords
  other.rowsUsed = rowsUsed
}
