/** Plans by what was asked: one cache for each serving thread, emptied when the catalog changes. */
import { PLANS_CACHED_MAX } from '../base/limits.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { RowReader } from '../store/store.ts'
import { readTableOf } from '../store/view-table.ts'
import type { Ask } from './make-plan.ts'
import { makePlan } from './make-plan.ts'
import type { Plan } from './query.ts'

export interface PlanMaker<A, P> {
  /** Equal keys, equal plans. */
  keyOf(ask: A): string
  make(catalog: Catalog, ask: A): P
  /** False once the plan would be made otherwise under the same catalog. */
  isCurrent(plan: P): boolean
}

export class PlanCache<A, P> {
  readonly #maker: PlanMaker<A, P>
  readonly #plansMax: number
  /** The least recently asked first. */
  readonly #plans = new Map<string, P>()
  #catalog: Catalog | undefined

  constructor(maker: PlanMaker<A, P>, plansMax: number) {
    this.#maker = maker
    this.#plansMax = plansMax
  }

  /** Throws what `make` throws; only plans are kept, so that bad names can't push them out. */
  planFor(catalog: Catalog, ask: A): P {
    if (catalog !== this.#catalog) {
      this.#plans.clear()
      this.#catalog = catalog
    }
    const key = this.#maker.keyOf(ask)
    const kept = this.#plans.get(key)
    const current = kept !== undefined && this.#maker.isCurrent(kept)
    const plan = current ? kept : this.#maker.make(catalog, ask)
    this.#plans.delete(key)
    this.#plans.set(key, plan)
    if (this.#plans.size > this.#plansMax) this.#dropOldest()
    return plan
  }

  get size(): number {
    return this.#plans.size
  }

  #dropOldest(): void {
    for (const key of this.#plans.keys()) {
      this.#plans.delete(key)
      return
    }
  }
}

/** The cache of the native path. */
export function nativePlans(tables: RowReader, plansMax = PLANS_CACHED_MAX): PlanCache<Ask, Plan> {
  return new PlanCache<Ask, Plan>(
    {
      keyOf: (ask) => `${ask.form}\n${ask.service}\n${ask.references.join('\n')}`,
      make: (catalog, ask) => makePlan(catalog, ask, tables),
      isCurrent: (plan) => knowsItsTables(plan, tables),
    },
    plansMax,
  )
}

/** False where a view had no table when the plan was made and has one now: its first row came. */
export function knowsItsTables(plan: Plan, tables: RowReader): boolean {
  for (const { table, view, features } of plan.blocks) {
    if (table === 0 && readTableOf(view, features, tables) !== 0) return false
  }
  return true
}
