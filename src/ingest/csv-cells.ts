/**
 * Cells of CSV (RFC 4180) in a block of bytes: where each begins and ends, and how it is quoted.
 * Separated by commas, lines end with LF or CRLF; a quoted cell may hold both, and "" for a quote.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { grown } from '../base/grown.ts'
import { utf8Decoder } from '../base/utf8.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const LF = 0x0a
const CR = 0x0d

const BARE = 0
const QUOTED = 1
/** Quoted, with quotes inside. */
const ESCAPED = 2

/** More bytes have to come before the row is whole. */
const INCOMPLETE = -1

export class CsvCells {
  readonly bytes: Uint8Array
  /** Where the rows read so far end in `bytes`. */
  end = 0
  rows = 0
  /** What is wrong with rows, by their index. */
  readonly faults = new Map<number, string>()
  readonly #isLast: boolean
  #starts = new Uint32Array(1024)
  #ends = new Uint32Array(1024)
  #kinds = new Uint8Array(1024)
  #cells = 0
  /** Place in the three above of each row's first cell, and of the one after the last row's. */
  readonly #rowCells: number[] = [0]
  readonly #isText: boolean
  #latin1: string | undefined
  readonly #isAscii: boolean

  /** `isLast`: the last row may end without a line break. */
  constructor(bytes: Uint8Array, isLast: boolean) {
    this.bytes = bytes
    this.#isLast = isLast
    // Cut from one string of the whole block: a call of the decoder for each cell costs five times as much.
    this.#isAscii = isAscii(bytes)
    this.#isText = this.#isAscii || isUtf8(bytes)
  }

  /** Reads rows up to so many, or to the end; blank lines are none. False if there are no more. */
  read(rowsMax: number, width: number): boolean {
    this.#forget()
    while (this.rows < rowsMax && this.end < this.bytes.length) {
      const firstCell = this.#cells
      const fault = this.#readRow()
      if (fault === undefined) {
        this.#cells = firstCell
        return this.rows > 0
      }
      if (this.#isBlank(firstCell)) this.#cells = firstCell
      else this.#endRow(firstCell, fault, width)
    }
    return this.rows > 0
  }

  /** Null for an empty cell without quotes. */
  text(row: number, column: number): string | null {
    const cell = this.#rowCells[row]! + column
    const start = this.#starts[cell]!
    const end = this.#ends[cell]!
    if (start === end) return this.#kinds[cell] === BARE ? null : ''
    const text = this.#cut(start, end)
    return this.#kinds[cell] === ESCAPED ? text.replaceAll('""', '"') : text
  }

  width(row: number): number {
    return this.#rowCells[row + 1]! - this.#rowCells[row]!
  }

  #cut(start: number, end: number): string {
    if (!this.#isAscii) return utf8Decoder.decode(this.bytes.subarray(start, end))
    const { buffer, byteOffset, byteLength } = this.bytes
    this.#latin1 ??= Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
    return this.#latin1.slice(start, end)
  }

  #forget(): void {
    this.rows = 0
    this.#cells = 0
    this.#rowCells.length = 1
    this.faults.clear()
  }

  #isBlank(firstCell: number): boolean {
    if (this.#cells !== firstCell + 1 || this.#kinds[firstCell] !== BARE) return false
    return this.#starts[firstCell] === this.#ends[firstCell]
  }

  #endRow(firstCell: number, fault: string, width: number): void {
    const found = this.#cells - firstCell
    if (fault !== '') this.faults.set(this.rows, fault)
    else if (found !== width && width > 0) {
      this.faults.set(this.rows, `${found} cells where the header has ${width}`)
    } else if (!this.#isText && !isUtf8(this.#rowBytes(firstCell))) {
      this.faults.set(this.rows, 'not UTF-8')
    }
    this.rows++
    this.#rowCells.push(this.#cells)
  }

  #rowBytes(firstCell: number): Uint8Array {
    return this.bytes.subarray(this.#starts[firstCell]!, this.end)
  }

  /** Undefined if the row is not whole; '' if it is well formed, else what is wrong with it. */
  #readRow(): string | undefined {
    let at = this.end
    let fault = ''
    for (;;) {
      const isQuoted = this.bytes[at] === QUOTE
      const next = isQuoted ? this.#readQuoted(at) : this.#readBare(at)
      if (next === INCOMPLETE) return undefined
      at = next
      const byte = this.bytes[at]
      if (byte === COMMA) {
        at++
        continue
      }
      if (byte === undefined || byte === LF || this.#isLineEnd(at)) break
      fault = 'text stands after the closing quote of a cell'
      at = this.#skipCell(at)
      if (at === INCOMPLETE) return undefined
      if (this.bytes[at] !== COMMA) break
      at++
    }
    this.end = Math.min(this.bytes.length, at + (this.bytes[at] === CR ? 2 : 1))
    return fault
  }

  #isLineEnd(at: number): boolean {
    return this.bytes[at] === CR && (this.bytes[at + 1] === LF || at + 1 === this.bytes.length)
  }

  #readBare(start: number): number {
    const end = this.#skipCell(start)
    if (end !== INCOMPLETE) this.#keep(start, end, BARE)
    return end
  }

  /** The comma, line end or end of the file that follows. */
  #skipCell(start: number): number {
    const bytes = this.bytes
    const length = bytes.length
    for (let at = start; at < length; at++) {
      const byte = bytes[at]!
      if (byte > COMMA) continue
      if (byte === COMMA || byte === LF) return at
      if (byte === CR && at + 1 < length && bytes[at + 1] === LF) return at
      if (byte === CR && at + 1 === length) return this.#isLast ? at : INCOMPLETE
    }
    return this.#isLast ? length : INCOMPLETE
  }

  #readQuoted(start: number): number {
    const bytes = this.bytes
    let kind = QUOTED
    let at = start + 1
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at)
      // An open quote at the end of the file is the caller's to report: nothing is left of the rows.
      if (quote < 0 || (quote + 1 === bytes.length && !this.#isLast)) return INCOMPLETE
      if (bytes[quote + 1] !== QUOTE) {
        this.#keep(start + 1, quote, kind)
        return quote + 1
      }
      kind = ESCAPED
      at = quote + 2
    }
  }

  #keep(start: number, end: number, kind: number): void {
    const cell = this.#cells++
    if (cell === this.#starts.length) this.#grow(cell * 2)
    this.#starts[cell] = start
    this.#ends[cell] = end
    this.#kinds[cell] = kind
  }

  #grow(cells: number): void {
    this.#starts = grown(this.#starts, new Uint32Array(cells))
    this.#ends = grown(this.#ends, new Uint32Array(cells))
    this.#kinds = grown(this.#kinds, new Uint8Array(cells))
  }
}
