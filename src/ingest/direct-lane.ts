/** One write call: from the body's bytes to durable rows, with an outcome for each of them. */
import type { FeatureView } from '../catalog/catalog.ts'
import type { OutcomeName } from '../row/order-rule.ts'
import { OUTCOME, OUTCOME_NAMES } from '../row/order-rule.ts'
import { viewLayout } from '../row/view-layout.ts'
import type { TableHandle } from '../store/store.ts'
import type { Lane } from '../store/write-batch.ts'
import { withRepeats } from './dry-run.ts'
import type { Reject } from './normaliser.ts'
import { Normaliser } from './normaliser.ts'
import { directNames } from './row-names.ts'
import type { Sink } from './sink.ts'
import type { Chunk } from './source.ts'
import type { JudgingWriter } from './store-sink.ts'
import { judgingSink, storeSink } from './store-sink.ts'
import type { WriteFormat } from './write-body.ts'
import { parseWriteBody } from './write-body.ts'

export type DirectCall = {
  readonly lane: Lane
  readonly format: WriteFormat
  readonly body: Uint8Array
  readonly dryRun: boolean
}

export type DirectTarget = {
  readonly view: FeatureView
  readonly handle: TableHandle
  readonly writer: JudgingWriter
  readonly futureMarginUs: number
  readonly nowUs: () => number
}

export type DirectReply = {
  readonly counts: Readonly<Record<OutcomeName, number>>
  readonly read: number
  /** An OUTCOME for each row, in the body's order. */
  readonly outcomes: Uint8Array
  readonly rejected: readonly {
    readonly index: number
    readonly column: string
    readonly reason: string
  }[]
  readonly bytesWritten: number
}

/**
 * Resolves when the rows are durable and readable. Rejects with a Fault for a body that is not what
 * its format says, and where the store fails: then a part of a large body may have been written, and
 * writing it again is safe.
 */
export async function writeRows(call: DirectCall, target: DirectTarget): Promise<DirectReply> {
  const { chunk, timeUnit } = parseWriteBody(call.format, call.body)
  const { view, futureMarginUs, nowUs } = target
  const names = directNames(view)
  const normaliser = new Normaliser({
    view,
    layout: viewLayout(view),
    names: timeUnit === '' ? names : { ...names, timeUnit },
    futureMarginUs,
    nowUs,
  })
  return new DirectWrite(normaliser, sinkOf(call, target), call.lane).run(chunk)
}

const sinkOf = ({ dryRun }: DirectCall, { writer, handle }: DirectTarget): Sink =>
  dryRun ? withRepeats(judgingSink(writer, handle)) : storeSink(writer, handle)

class DirectWrite {
  readonly #normaliser: Normaliser
  readonly #sink: Sink
  readonly #lane: Lane
  #outcomes = new Uint8Array(0)
  #bytesWritten = 0
  readonly #rejects: Reject[] = []

  constructor(normaliser: Normaliser, sink: Sink, lane: Lane) {
    this.#normaliser = normaliser
    this.#sink = sink
    this.#lane = lane
  }

  /** A large body goes in several batches: the next is made when the one before is durable. */
  async run(chunk: Chunk): Promise<DirectReply> {
    this.#outcomes = new Uint8Array(chunk.rows).fill(OUTCOME.rejected)
    for (const _ of this.#normaliser.add(chunk)) await this.#send()
    if (this.#normaliser.count > 0) await this.#send()
    const { rejects, lost } = this.#normaliser.takeLeftOut()
    for (const reject of rejects) this.#rejects.push(reject)
    for (const row of lost) this.#outcomes[row] = OUTCOME.older
    this.#rejects.sort((a, b) => a.row - b.row)
    return {
      read: chunk.rows,
      outcomes: this.#outcomes,
      counts: countOutcomes(this.#outcomes),
      rejected: this.#rejects.map(({ row, column, reason }) => ({ index: row, column, reason })),
      bytesWritten: this.#bytesWritten,
    }
  }

  async #send(): Promise<void> {
    const { batch, rows } = this.#normaliser.take(this.#sink.table, this.#sink.layout, this.#lane)
    const { outcomes, bytesWritten, refused } = await this.#sink.write(batch)
    for (let place = 0; place < rows.length; place++) {
      this.#outcomes[rows[place]!] = outcomes[place]!
    }
    for (const { index, column, reason } of refused) {
      this.#rejects.push({ row: rows[index]!, column, reason })
    }
    this.#bytesWritten += bytesWritten
  }
}

function countOutcomes(outcomes: Uint8Array): Record<OutcomeName, number> {
  const counts = new Float64Array(OUTCOME_NAMES.length)
  for (const outcome of outcomes) counts[outcome]! += 1
  const named = OUTCOME_NAMES.map((name, place): [string, number] => [name, counts[place]!])
  return Object.fromEntries(named) as Record<OutcomeName, number> // one entry for each name
}
