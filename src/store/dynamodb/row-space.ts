/** Where rows are put that come from items: a ReadBatch is one. */

export interface RowSpace {
  /** Another array after each `reserveRow`. */
  rows: Uint8Array
  rowWords: Uint32Array
  rowsUsed: number
  /** Room at the end for so many bytes, a multiple of 8; returns where it begins. */
  reserveRow(bytes: number): number
}
