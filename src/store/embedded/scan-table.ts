/** Steps through the current rows of a table, a shard of the index at a time. */
import { Fault } from '../../base/fault.ts'
import type { ScanEntry } from '../store.ts'
import type { LogView } from './log-entry.ts'
import {
  BODY_WORD,
  KIND_ROW,
  isBody,
  isHeader,
  keyBytesOf,
  kindOf,
  layoutOf,
  rowBytesOf,
  rowWordOf,
  tableOf,
  timeOf,
} from './log-entry.ts'
import { SHARDS } from './index-writer.ts'
import type { LogState } from './log-state.ts'
import { LOCATION_REMOVED, slotOf, wordOf } from './segment.ts'

type Found = {
  readonly locations: Int32Array
  readonly times: Float64Array
  readonly count: number
}

/**
 * The rows of a shard are those of the moment when the scan comes to it: segments must stay where they
 * are until the scan ends. Keys and rows are copies, in a buffer that each step uses again.
 */
export function* scanTable(state: LogState, table: number): Generator<ScanEntry> {
  let buffer = new Uint8Array(64 * 1024)
  for (let shard = 0; shard < SHARDS; shard++) {
    const { locations, times, count } = entriesOf(state, shard)
    for (let place = 0; place < count; place++) {
      const location = locations[place]!
      const view = readableAt(state, location)
      const at = wordOf(location)
      if (tableOf(view.words, at) !== table || kindOf(view.words, at) !== KIND_ROW) continue
      const keyStart = (at + BODY_WORD) * 4
      const rowStart = rowWordOf(view.words, at) * 4
      const end = rowStart + rowBytesOf(view.words, at)
      if (end - keyStart > buffer.length) buffer = new Uint8Array(2 * (end - keyStart))
      buffer.set(view.bytes.subarray(keyStart, end))
      yield {
        key: buffer.subarray(0, keyBytesOf(view.words, at)),
        row: buffer.subarray(rowStart - keyStart, end - keyStart),
        layout: layoutOf(view.words, at),
        timeUs: Math.max(times[place]!, timeOf(view.doubles, at)),
      }
    }
  }
}

function entriesOf(state: LogState, shard: number): Found {
  const table = state.index.shards[shard]!
  const locations = new Int32Array(table.capacity)
  const times = new Float64Array(table.capacity)
  let count = 0
  for (let slot = 0; slot < table.capacity; slot++) {
    const location = table.location(slot)
    if (location >>> 0 <= LOCATION_REMOVED) continue
    locations[count] = location
    times[count++] = table.time(slot)
  }
  return { locations, times, count }
}

function readableAt(state: LogState, location: number): LogView {
  const slot = slotOf(location)
  const view = state.map.view(slot)
  const at = wordOf(location)
  if (isHeader(view, at) && isBody(view, at)) return view
  throw new Fault('store_damaged', 'a row can not be read', {
    where: `${state.map.path(slot)}, offset ${at * 4}`,
  })
}
