/** Rows and slots copied from a batch into a reply, in the quickest way for their size. */
import type { RowLanes } from './reply-columns.ts'

/** From here on a view and a call of set() are quicker than a loop over words (measured). */
const SET_BYTES_MIN = 256

/** All three are multiples of 4. */
export function copyBytes(
  source: RowLanes,
  start: number,
  bytes: number,
  target: RowLanes,
  at: number,
): void {
  if (bytes >= SET_BYTES_MIN) {
    target.bytes.set(source.bytes.subarray(start, start + bytes), at)
    return
  }
  const from = source.words
  const to = target.words
  const first = start >>> 2
  const place = at >>> 2
  for (let word = 0; word < bytes >>> 2; word++) to[place + word] = from[first + word]!
}

/** Copies pieces one after another; those that lie so in the source already go in one copy. */
export class RunCopier {
  readonly #source: RowLanes
  readonly #target: RowLanes
  #start = 0
  #bytes = 0
  /** Where the run will lie in the target. */
  #at: number

  constructor(source: RowLanes, target: RowLanes, at: number) {
    this.#source = source
    this.#target = target
    this.#at = at
  }

  add(start: number, bytes: number): void {
    if (start === this.#start + this.#bytes) {
      this.#bytes += bytes
      return
    }
    this.flush()
    this.#start = start
    this.#bytes = bytes
  }

  /** A piece that lies elsewhere. */
  addFrom(piece: RowLanes): void {
    this.flush()
    copyBytes(piece, 0, piece.bytes.length, this.#target, this.#at)
    this.#at += piece.bytes.length
  }

  flush(): void {
    if (this.#bytes > 0) copyBytes(this.#source, this.#start, this.#bytes, this.#target, this.#at)
    this.#at += this.#bytes
    this.#bytes = 0
  }
}
