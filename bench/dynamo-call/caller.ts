/** One of the two ways to read a batch that are compared. */

export type CalledRows = {
  /** The features of each id, in the order of the ids. */
  readonly values: Float32Array
  readonly timesMs: Float64Array
}

export interface Caller {
  /** Reads the ids by one call of the store: from ids to rows, all in. What came is told when asked. */
  call(ids: readonly number[]): Promise<() => CalledRows>
  close(): void
}
