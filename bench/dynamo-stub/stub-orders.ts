/** What the bench asks of the stub's process, and what it answers. */
import type { LoadReport, LoadSpec } from '../load/load-spec.ts'

/** After how long a call is answered: a share of them, the tail, has a time of its own. */
export type StubDelay = {
  readonly delayMs: number
  readonly tailShare: number
  readonly tailMs: number
}

/** Since the stub began. */
export type StubCounts = {
  /** BatchGetItem calls that came, and keys in them. */
  readonly calls: number
  readonly keys: number
  /** Calls for the very keys of one that had no answer yet. */
  readonly repeats: number
  /** Calls whose caller had gone when the answer was due. */
  readonly abandoned: number
  readonly refused: number
  /** Calls dropped because the stub had no room: a run with any is void. */
  readonly overflows: number
}

export type StubOrder =
  | { readonly kind: 'delay'; readonly delay: StubDelay }
  | { readonly kind: 'counts' }
  /** Runs the load in the stub's own loop. */
  | { readonly kind: 'load'; readonly spec: LoadSpec }

export type StubAnswers = {
  readonly delay: null
  readonly counts: StubCounts
  /** With how late the stub answered during the load, 99th percentile. */
  readonly load: { readonly report: LoadReport; readonly lateP99Us: number }
}
