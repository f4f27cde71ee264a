/** Steps over the texts or bytes of a stored list, set or UUID list: a message of field 1 alone. */
import { Fault } from '../base/fault.ts'

const FIELD_1_DELIMITED = 0x0a

/** Calls `use` with the bounds of each element of the canonical message (row/format.md). */
export function forEachElement(
  bytes: Uint8Array,
  start: number,
  end: number,
  use: (elementStart: number, elementEnd: number) => void,
): void {
  let at = start
  while (at < end) {
    if (bytes[at++] !== FIELD_1_DELIMITED) throw damaged()
    let length = 0
    let shift = 0
    let byte: number
    do {
      byte = bytes[at++]!
      length += (byte & 0x7f) * 2 ** shift
      shift += 7
    } while (byte > 0x7f && shift < 35)
    if (at + length > end) throw damaged()
    use(at, at + length)
    at += length
  }
}

const damaged = (): Fault => new Fault('store_damaged', 'a stored list does not hold together')
