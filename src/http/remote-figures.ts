/** What this thread counted of a store that it asks over the network. */
export type RemoteFigures = {
  /** They only grow. */
  readonly counters: Readonly<Record<string, number>>
  /** Figures of now. */
  readonly gauges: Readonly<Record<string, number>>
}
