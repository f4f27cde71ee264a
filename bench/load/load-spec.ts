/** What a load generator process is told on stdin and what it prints on stdout, as JSON. */
import type { Percentiles } from '../histogram.ts'

export type LoadSpec = {
  /**
   * `closed`: autocannon, each connection asks when it was answered. It makes text of every reply, so
   * that binary ones cost it several times as much. `raw`: the same on raw sockets, which read no
   * more of a reply than its length. `open`: on raw sockets at a fixed rate.
   */
  readonly mode: 'closed' | 'raw' | 'open'
  readonly url: string
  /** Files with one request body each; they are asked in turn. */
  readonly bodies: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
  /** Requests a second; open loop only. */
  readonly rate: number
  /** What the requests say of when they want their reply; 0 or left out: nothing. */
  readonly deadlineMs?: number
}

export type LoadReport = Percentiles & {
  readonly requests: number
  readonly seconds: number
  readonly requestsPerSecond: number
  readonly errors: number
  readonly not2xx: number
  readonly replyBytes: number
  /** Open loop: how late the generator itself sent, 99th percentile; a late one voids the run. */
  readonly sentLateP99Us: number
  /** How long the generator was busy elsewhere before it read a reply: so late it may have read it. */
  readonly readLate: Percentiles
  /** By how much replies came after their deadline, counted from the sending; 0 for those before it. */
  readonly pastDeadline: Percentiles
  /** Replies that came after it, of all. */
  readonly pastDeadlineShare: number
}
