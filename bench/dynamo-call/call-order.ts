/** What the calling process is told on stdin and what it prints on stdout, as JSON. */

export type CallOrder = {
  /** Our reader, or the AWS SDK. */
  readonly who: 'salver' | 'sdk'
  readonly url: string
  readonly warmup: number
  readonly calls: number
  readonly inFlight: number
}

export type CallReport = {
  /** Of the whole process for each call, user and system. */
  readonly cpuUs: number
  readonly callsPerSecond: number
}
