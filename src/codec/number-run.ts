/**
 * Numbers that stand side by side in JSON, made into text together: the runtime's own writer of number
 * arrays takes half the time of one text for each.
 */
import { utf8Encoder } from '../base/utf8.ts'
import type { ValueType } from '../catalog/value-type.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { RowLanes } from './reply-columns.ts'

/** Which numbers JSON.stringify writes as the reply wants them, and how the others are written. */
export type NumberStyle = {
  readonly isOrdinary: (value: number) => boolean
  readonly writeOther: (out: ByteWriter, value: number) => void
}

const COMMA = 0x2c

/** Collects the elements of a list. One serves all lists in turn. */
export class NumberRun {
  readonly #style: NumberStyle
  readonly #waiting: number[] = []

  constructor(style: NumberStyle) {
    this.#style = style
  }

  /** Adds an element; `isFirst` of its list. */
  add(out: ByteWriter, value: number, isFirst: boolean): void {
    if (isFirst) this.#waiting.length = 0 // of a list before, whose reply was given up
    if (this.#style.isOrdinary(value)) {
      if (this.#waiting.length === 0 && !isFirst) out.byte(COMMA)
      this.#waiting.push(value)
      return
    }
    this.flush(out)
    if (!isFirst) out.byte(COMMA)
    this.#style.writeOther(out, value)
  }

  /** Adds an element that is no number. */
  addRaw(out: ByteWriter, bytes: Uint8Array, isFirst: boolean): void {
    if (isFirst) this.#waiting.length = 0
    else this.flush(out)
    if (!isFirst) out.byte(COMMA)
    out.raw(bytes)
  }

  /** Writes what waits: to be called at the end of a list. Something stands before its first element. */
  flush(out: ByteWriter): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    const text = JSON.stringify(waiting)
    const start = out.reserve(text.length) - 1
    const { bytes } = out
    const before = bytes[start]!
    utf8Encoder.encodeInto(text, bytes.subarray(start))
    bytes[start] = before // in the place of the bracket that opens; the one that closes is written over
    out.at = start + text.length - 1
    waiting.length = 0
  }
}

export const isFloat = ({ name }: ValueType): boolean => name === 'FLOAT' || name === 'DOUBLE'

/** The FLOAT or DOUBLE at a byte offset. */
export const floatAt = (rows: RowLanes, { name }: ValueType, at: number): number =>
  name === 'FLOAT' ? rows.floats[at >>> 2]! : rows.doubles[at / 8]!

/** A packed list or set of floats, with its brackets. */
export function writeFloats(
  out: ByteWriter,
  rows: RowLanes,
  run: NumberRun,
  of: { readonly element: ValueType; readonly start: number; readonly end: number },
): void {
  const { element, start, end } = of
  out.ascii('[')
  for (let at = start; at < end; at += element.slotBytes) {
    run.add(out, floatAt(rows, element, at), at === start)
  }
  run.flush(out)
  out.ascii(']')
}
