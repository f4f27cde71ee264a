/**
 * A dry run over several batches: a sink that writes nothing judges each batch by what is stored, and
 * would call a key new each time that the run repeats it. This remembers the versions that the run
 * itself would have stored, and judges repeats by them.
 */
import type { Outcome, StoredKind } from '../row/order-rule.ts'
import { OUTCOME, judgeDelete, judgeRow } from '../row/order-rule.ts'
import type { WriteBatch } from '../store/write-batch.ts'
import { ENTRY_ROW } from '../store/write-batch.ts'
import { RunKeys } from './run-keys.ts'
import type { Sink } from './sink.ts'

/** Outcomes after which the run's version is the one under the key. */
const TAKEN: ReadonlySet<number> = new Set<Outcome>([
  OUTCOME.new,
  OUTCOME.changed,
  OUTCOME.unchanged,
  OUTCOME.touched,
  OUTCOME.refreshed,
  OUTCOME.deleted,
])

/** Content of a tombstone; of a row it is a digest, which is never below 0. */
const NO_CONTENT = -1

export function withRepeats(sink: Sink): Sink {
  const run = new RunVersions()
  return {
    table: sink.table,
    layout: sink.layout,
    write: async (batch) => {
      const judged = await sink.write(batch)
      const outcomes = judged.outcomes.slice()
      for (let place = 0; place < batch.count; place++) {
        outcomes[place] = run.judge(batch, place, outcomes[place]!)
      }
      return { ...judged, outcomes, bytesWritten: 0 }
    },
  }
}

class RunVersions {
  /** `first` is the event time, `second` the content. NaN as the time: the run has no version. */
  readonly #keys = new RunKeys()

  /** `againstStore` counts where the run has stored nothing under the key. */
  judge(batch: WriteBatch, place: number, againstStore: number): number {
    const slot = this.#keys.slotOf(batch.keys, batch.keyStarts[place]!, batch.keyBytes[place]!)
    const { first: times, second: contents } = this.#keys
    if (this.#keys.isNew) times[slot] = NaN
    const timeUs = batch.times[place]!
    const content = contentOf(batch, place)
    const outcome = Number.isNaN(times[slot]!)
      ? againstStore
      : judgeEntry(times[slot]!, contents[slot]!, timeUs, content)
    if (!TAKEN.has(outcome)) return outcome
    times[slot] = timeUs
    contents[slot] = content
    return outcome
  }
}

function judgeEntry(
  storedTimeUs: number,
  storedContent: number,
  timeUs: number,
  content: number,
): Outcome {
  const stored: StoredKind = storedContent === NO_CONTENT ? 'tombstone' : 'row'
  if (content === NO_CONTENT) return judgeDelete(stored, storedTimeUs, timeUs)
  return judgeRow(stored, storedTimeUs, timeUs, () => content === storedContent)
}

/** 53 bits of a hash of the row. */
function contentOf(batch: WriteBatch, place: number): number {
  if (batch.kinds[place] !== ENTRY_ROW) return NO_CONTENT
  const start = batch.rowStarts[place]!
  const hash = Bun.hash.xxHash3(batch.rows.subarray(start, start + batch.rowBytes[place]!))
  return Number(hash >> 11n)
}
