/** Makes the open end of a segment fit to be appended to, after a run that may not have ended well. */
import { writeWhole } from './disk.ts'
import type { LogState } from './log-state.ts'
import type { SegmentEnd } from './open-log.ts'
import { segmentName } from './segment.ts'
import type { Segment } from './segments.ts'

/** Groups are written again in pieces of this size, and the torn tail is zeroed where it holds anything. */
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
    const torn = tornBytes(bytes, from.end)
    for (let start = from.end; start < from.end + torn; start += PIECE_BYTES) {
      writeWhole(file, new Uint8Array(Math.min(PIECE_BYTES, from.end + torn - start)), start)
    }
    await file.sync()
    if (torn > 0) {
      state.counters.tailsDropped++
      state.counters.tailBytesDropped += torn
    }
  } finally {
    file.close()
  }
}

/** Bytes from `end` up to the last one that is not zero. */
function tornBytes(bytes: Uint8Array, end: number): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let last = words.length
  while (last * 4 > end && words[last - 1] === 0) last--
  return last * 4 - end
}
