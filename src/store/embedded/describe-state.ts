/** The figures of an open store. */
import type { StoreStats } from '../store.ts'
import type { Lane } from '../write-batch.ts'
import type { LogState } from './log-state.ts'

export function describeState(state: LogState, queued: Readonly<Record<Lane, number>>): StoreStats {
  const tables = state.tables.tables.filter((table) => !table.isDropped)
  const segments = state.segments.all()
  return {
    rows: tables.reduce((sum, { table }) => sum + state.rows[table]!, 0),
    tombstones: state.tombstones,
    tables: tables.map(({ table, name, keySignature }) => ({
      table,
      name,
      keySignature,
      rows: state.rows[table]!,
    })),
    diskBytes: segments.reduce((sum, segment) => sum + segment.end, 0),
    liveBytes: state.bytes().live,
    segments: segments.length,
    indexBytes: state.index.bytes,
    lastSequence: state.lastSequence,
    counters: {
      ...state.counters,
      segmentsUnchecked: segments.filter(({ slot }) => !state.segments.slots.isChecked(slot))
        .length,
      queuedDirect: queued.direct,
      queuedStream: queued.stream,
      queuedBatch: queued.batch,
    },
  }
}
