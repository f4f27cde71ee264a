/** How large the pieces of a log are. Tests take small ones, so that a log of a few rows has them all. */
import {
  GROUP_BYTES_MAX,
  GROUP_ROOM_BYTES_MIN,
  SEGMENT_BYTES,
  SEGMENT_FILL_BYTES,
} from '../../base/limits.ts'

export type LogSizes = {
  readonly segmentBytes: number
  readonly groupBytesMax: number
  /** A segment with less room than this gets no further group. */
  readonly groupRoomMin: number
  readonly fillBytes: number
}

export const LOG_SIZES: LogSizes = Object.freeze({
  segmentBytes: SEGMENT_BYTES,
  groupBytesMax: GROUP_BYTES_MAX,
  groupRoomMin: GROUP_ROOM_BYTES_MIN,
  fillBytes: SEGMENT_FILL_BYTES,
})
