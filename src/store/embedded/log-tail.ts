/** Makes the open end of a segment fit to be appended to, after a run that may not have ended well. */
import { BLOCK_BYTES, isZero } from './data-end.ts'
import type { DiskFile } from './disk.ts'
import { writeWhole } from './disk.ts'
import type { LogState } from './log-state.ts'
import type { SegmentEnd } from './open-log.ts'
import { segmentName } from './segment.ts'
import type { Segment } from './segments.ts'

/** Groups are written again in pieces of this size. */
const PIECE_BYTES = 64 * 1024

/**
 * Groups from the first that was acknowledged without a sync on, and the last one in any case, are written
 * again before they are synced. They may be there only in the page cache: after a sync that failed the
 * kernel takes their pages for written, and only a new write makes it try again.
 */
export async function mendTail(state: LogState, segment: Segment, from: SegmentEnd): Promise<void> {
  const { disk, directory } = state.place
  const { bytes } = state.map.view(segment.slot)
  const file = disk.open(`${directory}/${segmentName(segment.id)}`, 'write')
  try {
    for (let start = from.unsureStart; start < from.end; start += PIECE_BYTES) {
      writeWhole(file, bytes.slice(start, Math.min(start + PIECE_BYTES, from.end)), start)
    }
    const torn = Math.max(0, from.dataEnd - from.end)
    clear(file, from.end, from.end + torn)
    await file.sync()
    if (torn > 0) {
      state.counters.tailsDropped++
      state.counters.tailBytesDropped += torn
    }
  } finally {
    file.close()
  }
}

/** Zeros where anything else is: a block that was never written stays so, there may be no room for it. */
function clear(file: DiskFile, from: number, to: number): void {
  const block = new Uint8Array(BLOCK_BYTES)
  for (let start = from; start < to;) {
    const end = Math.min(to, (Math.floor(start / BLOCK_BYTES) + 1) * BLOCK_BYTES)
    const held = block.subarray(0, end - start)
    file.read(held, start)
    if (!isZero(held)) writeWhole(file, held.fill(0), start)
    start = end
  }
}
