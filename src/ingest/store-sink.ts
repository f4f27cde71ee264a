/** Rows into a store of this process; or, in a dry run, what would happen to them. */
import type { FeatureView } from '../catalog/catalog.ts'
import { OUTCOME } from '../row/order-rule.ts'
import type { RowWriter, TableHandle } from '../store/store.ts'
import { tableSpecOf } from '../store/view-table.ts'
import type { WriteBatch, WriteOutcomes } from '../store/write-batch.ts'
import type { RefusedEntry, Sink, SinkOutcomes } from './sink.ts'

export interface JudgingWriter extends RowWriter {
  /** The outcomes that `writeMany` would give now; nothing is written. */
  judgeMany(batch: WriteBatch): Promise<WriteOutcomes>
}

/** Finds or makes the view's table. */
export const openViewTable = (writer: RowWriter, view: FeatureView): Promise<TableHandle> =>
  writer.openTable(tableSpecOf(view))

export const storeSink = (writer: RowWriter, { table, layout }: TableHandle): Sink => ({
  table,
  layout,
  write: async (batch) => withRefused(await writer.writeMany(batch)),
})

/** Judges each batch by what is stored; `withRepeats` adds what the run itself would have stored. */
export const judgingSink = (writer: JudgingWriter, { table, layout }: TableHandle): Sink => ({
  table,
  layout,
  write: async (batch) => withRefused(await writer.judgeMany(batch)),
})

/** A store refuses only what it can't merge: of normalised rows nothing else is wrong. */
function withRefused(written: WriteOutcomes): SinkOutcomes {
  const { outcomes } = written
  if (!outcomes.includes(OUTCOME.rejected)) return { ...written, refused: [] }
  const refused: RefusedEntry[] = []
  outcomes.forEach((outcome, index) => {
    if (outcome !== OUTCOME.rejected) return
    refused.push({ index, column: '', reason: 'merged with the stored row it is too large' })
  })
  return { ...written, refused }
}
