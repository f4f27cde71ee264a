/**
 * The SEGMENTS file: which segments the log consists of, and where the sealed ones end. What it does
 * not name holds nothing acknowledged; what it names must be there, whole up to its end.
 */
import { Fault } from '../../base/fault.ts'
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts'
import type { Disk } from './disk.ts'
import { readWhole, replaceWhole } from './disk.ts'

export type ManifestSegment = {
  readonly id: number
  /** Byte offset behind the last good group; undefined while the segment is written. */
  readonly end?: number
  /** False if the sync at its seal failed: groups acknowledged without one may be missing. */
  readonly isSynced?: boolean
}

export type Manifest = {
  /** The highest id given out: ids are never used twice. */
  readonly lastId: number
  /** In ascending order of ids. */
  readonly segments: readonly ManifestSegment[]
  /** Their entries live elsewhere: the files may still be there, and are to be unlinked. */
  readonly retired: readonly number[]
}

const NAME = 'SEGMENTS'

export const NO_SEGMENTS: Manifest = Object.freeze({ lastId: 0, segments: [], retired: [] })

export function readManifest(disk: Disk, directory: string): Manifest {
  const where = `${directory}/${NAME}`
  if (disk.names(directory)?.includes(NAME) !== true) {
    throw new Fault('store_damaged', 'the file that lists the segments is missing', { where })
  }
  const stored = decodeCheckedJson(readWhole(disk, where)) as Manifest | undefined // under a checksum
  if (stored === undefined) {
    throw new Fault('store_damaged', 'the file that lists the segments is damaged', { where })
  }
  return stored
}

export function writeManifest(disk: Disk, directory: string, manifest: Manifest): void {
  replaceWhole(disk, directory, NAME, encodeCheckedJson(manifest))
}
