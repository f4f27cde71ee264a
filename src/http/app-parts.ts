/** What the routes need to answer: made once for each serving thread. */
import type { Catalog } from '../catalog/catalog.ts'
import type { Answerer } from '../query/answerer.ts'
import type { FeastAsk, FeastPlan } from '../query/feast-plan.ts'
import type { Ask } from '../query/make-plan.ts'
import type { PlanCache } from '../query/plan-cache.ts'
import type { Plan } from '../query/query.ts'
import type { Counters } from './counters.ts'
import type { Readiness } from './readiness.ts'
import type { WriteLane } from './write-lane.ts'

/** Put in place when the store is open; a reload puts another catalog in its place between requests. */
export type Served = {
  readonly catalog: Catalog
  readonly plans: PlanCache<Ask, Plan>
  readonly feastPlans: PlanCache<FeastAsk, FeastPlan>
  readonly answerer: Answerer
  readonly writes: WriteLane
}

/** What the socket's side knows of requests. */
export interface Connections {
  /** Requests being answered, with those whose reply is still on its way out. */
  requestsInFlight(): number
  /** Lifts the idle bound of a request whose answer may take long. */
  keepOpen(request: Request): void
}

export type AppParts = {
  /** Throws `unavailable` until the store is open. */
  readonly served: () => Served
  readonly connections: Connections
  readonly counters: Counters
  readonly readiness: Readiness
  /** Throws where the sender may not write. */
  readonly guardWrite: (headers: Headers) => void
  readonly metrics: () => Promise<string>
  readonly feastTtl: 'ignore' | 'enforce'
  readonly requestsInFlightMax: number
  readonly bodyMsMax: number
  readonly log: (line: string) => void
}
