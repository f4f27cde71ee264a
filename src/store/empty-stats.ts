/** Of a store that keeps nothing on this machine. */
import type { StoreStats } from './store.ts'

export const emptyStats: StoreStats = Object.freeze({
  rows: 0,
  tombstones: 0,
  tables: [],
  diskBytes: 0,
  liveBytes: 0,
  segments: 0,
  indexBytes: 0,
  lastSequence: 0,
  counters: {},
})
