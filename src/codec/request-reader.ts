/** How the shape of a request is read, whatever its bytes: a cursor that steps over one value at a time. */

export type RequestScalar = null | boolean | number | bigint | string | Uint8Array

/**
 * Reads throw Fault('malformed') at bytes that are not the format. A reader never trusts a length
 * that the bytes claim, and never recurs: its depth is the caller's.
 */
export interface RequestReader {
  readonly bodyBytes: number
  /** Byte offset of what comes next, for faults. */
  byteOffset(): number
  /** What comes next, without stepping over it. */
  kind(): 'map' | 'array' | 'scalar'
  enterMap(): void
  /** The next key of the entered map, or undefined at its end, which leaves the map. */
  nextKey(): string | undefined
  enterArray(): void
  /** False at the end of the entered array, which leaves it. */
  nextElement(): boolean
  /**
   * Only where `kind()` is 'scalar'. An integer is a number where that is exact, else a bigint if it
   * has 64 bits at most.
   */
  readScalar(): RequestScalar
  /** Throws unless everything was read. */
  end(): void
}
