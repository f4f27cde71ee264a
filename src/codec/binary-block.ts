/** What a block of a binary reply tells before it is written: its directory entry, and how much room it takes. */
import type { RowLanes } from './reply-columns.ts'

export const FORM_ROWS = 1
export const FORM_MATRIX = 2

/** A block ready to be written: the sizes are known, so that the reply's buffer can be made. */
export interface BinaryBlock {
  readonly form: typeof FORM_ROWS | typeof FORM_MATRIX
  readonly valuesBytes: number
  /** Bytes from a row to the next, or 0 where rows differ. */
  readonly stride: number
  /** 0 where there are no feature bits. */
  readonly bitsStride: number
  /** The values' type in a matrix, else 0. */
  readonly typeNumber: number
  /** `bitsAt` counts only where there is such a section, `endsAt` only where the stride is 0. */
  write(target: RowLanes, valuesAt: number, endsAt: number, bitsAt: number): void
}

export const pad8 = (bytes: number): number => Math.ceil(bytes / 8) * 8
