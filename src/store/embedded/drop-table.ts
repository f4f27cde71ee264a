/** Takes the rows of a dropped table out of the index, one shard a step. */
import { SHARDS } from './index-writer.ts'
import { isHeader, tableOf } from './log-entry.ts'
import type { LogState } from './log-state.ts'
import { LOCATION_REMOVED, slotOf, wordOf } from './segment.ts'

export function* dropTableSteps(state: LogState, table: number): Generator<void> {
  for (let shard = 0; shard < SHARDS; shard++) {
    dropFromShard(state, table, shard)
    yield
  }
}

function dropFromShard(state: LogState, table: number, shard: number): void {
  const entries = state.index.shards[shard]!
  for (let slot = 0; slot < entries.capacity; slot++) {
    const location = entries.location(slot)
    if (location >>> 0 <= LOCATION_REMOVED || !isOfTable(state, table, location)) continue
    state.debit(location, entries.time(slot))
    state.index.remove(shard, entries.fingerprint(slot), location)
  }
}

/** An entry that can't be read stays: whose it is can't be known. */
function isOfTable(state: LogState, table: number, location: number): boolean {
  const view = state.map.view(slotOf(location))
  const at = wordOf(location)
  return isHeader(view, at) && tableOf(view.words, at) === table
}
