/** An Answerer whose answers are counted, whichever route asked. */
import { Answerer } from '../query/answerer.ts'
import type { Answer, Plan, Query } from '../query/query.ts'
import type { RowReader } from '../store/store.ts'
import type { Counters } from './counters.ts'

export class CountedAnswerer extends Answerer {
  readonly #counters: Counters

  constructor(reader: RowReader, counters: Counters) {
    super(reader, () => Date.now() * 1000)
    this.#counters = counters
  }

  override answer<T>(
    plan: Plan,
    query: Query,
    use: (answer: Answer) => T,
    gone?: AbortSignal,
  ): T | Promise<T> {
    const counted = (answer: Answer): T => {
      this.#counters.countAnswer(answer)
      return use(answer)
    }
    return super.answer(plan, query, counted, gone)
  }
}
