/**
 * Appends commit groups to one stream of segments (new entries, or compaction's copies): one write and
 * one sync for each. A segment that failed a sync gets nothing more: what is on the disk behind its
 * last good group is unknown for good.
 */
import { SEGMENTS_MAX } from '../../base/limits.ts'
import { Fault } from '../../base/fault.ts'
import type { DiskFile } from './disk.ts'
import { isNoRoom, writeFault, writeWhole } from './disk.ts'
import { GroupBuilder } from './group-builder.ts'
import { DOUBLE_SEQUENCE } from './log-entry.ts'
import type { LogState } from './log-state.ts'
import { readManifest } from './manifest.ts'
import type { SegmentRoster } from './segment-roster.ts'
import {
  SEGMENT_HEADER_BYTES,
  checksumSeedOf,
  encodeSegmentHeader,
  segmentName,
} from './segment.ts'
import type { Segment } from './segments.ts'
import { emptySegment } from './segments.ts'

/** Larger groups are not filled ahead of: what the sync saves is little beside the group itself. */
const FILLED_GROUP_BYTES_MAX = 256 * 1024

/** Slots that new entries leave to compaction, which needs room to make room. */
const SLOTS_KEPT = 2

export type Stream = 'entries' | 'copies'

export class LogWriter {
  readonly builder: GroupBuilder
  readonly #state: LogState
  readonly #roster: SegmentRoster
  readonly #stream: Stream
  #segment: Segment | undefined
  #file: DiskFile | undefined
  /** Byte offsets of the segment: behind what is filled with zeros, written, and known to be synced. */
  #filledTo = 0
  #writtenTo = 0
  #syncedTo = 0

  constructor(state: LogState, roster: SegmentRoster, stream: Stream) {
    this.#state = state
    this.#roster = roster
    this.#stream = stream
    this.builder = new GroupBuilder(state.place.sizes.groupBytesMax)
  }

  /** The segment that the next group goes to. Only between `begin` and the next `commit`. */
  get segment(): Segment {
    return this.#segment!
  }

  /** Goes on in a segment that an earlier run left open. */
  resume(segment: Segment): void {
    const { disk, directory } = this.#state.place
    this.#segment = segment
    this.#file = disk.open(`${directory}/${segmentName(segment.id)}`, 'write')
    this.#startAt(segment.end)
  }

  /** Bytes of entries that the group begun may hold. */
  get groupBytesMax(): number {
    return Math.min(this.builder.view.bytes.length, this.#roomBytes())
  }

  /** Starts a group, in a new segment if this one has too little room left. */
  async begin(): Promise<void> {
    const { groupRoomMin } = this.#state.place.sizes
    if (this.#segment !== undefined && this.#roomBytes() < groupRoomMin) await this.seal()
    this.#state.beforeChange()
    if (this.#segment === undefined) this.#createSegment()
    const { storeId } = this.#state.place.identity
    this.builder.begin(checksumSeedOf(storeId, this.segment.id), this.#roomBytes())
  }

  /** Gives the segment no more groups. */
  async seal(): Promise<void> {
    if (this.#segment === undefined) return
    await this.sync()
    this.close()
    this.#roster.seal(this.segment, true)
    this.#segment = undefined
  }

  /**
   * Writes the group and, if `isSynced`, syncs it; then it is part of the segment. Throws a Fault if
   * that failed: then the group is not, and the next one does not come to stand behind it.
   */
  async commit(isSynced: boolean): Promise<void> {
    const { segment } = this
    const bytes = this.builder.finish(isSynced)
    this.#write(bytes)
    if (isSynced) await this.sync()
    segment.sequenceMin = Math.min(segment.sequenceMin, this.builder.view.doubles[DOUBLE_SEQUENCE]!)
    segment.end += bytes.length
    this.#state.counters.groups++
  }

  /** Makes durable what was written. A failure gives the segment up. */
  async sync(): Promise<void> {
    if (this.#syncedTo === this.#writtenTo || this.#file === undefined) return
    const { segment } = this
    try {
      await this.#file.sync()
      this.#state.counters.syncs++
      this.#syncedTo = this.#writtenTo
    } catch (error) {
      this.#giveUp()
      throw writeFault(error, segmentName(segment.id))
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #roomBytes(): number {
    const { segment } = this
    return segment.fileBytes - segment.end
  }

  #write(bytes: Uint8Array): void {
    const { segment } = this
    const file = this.#file!
    try {
      writeWhole(file, bytes, segment.end)
      this.#writtenTo = segment.end + bytes.length
      if (bytes.length <= FILLED_GROUP_BYTES_MAX) this.#fill(file, this.#writtenTo)
    } catch (error) {
      // At a full disk the next group is written over what there is of this one: it has no group end.
      if (!isNoRoom(error)) this.#giveUp()
      throw writeFault(error, segmentName(segment.id))
    }
  }

  /** Zero-fills ahead: syncing blocks that exist costs half as much. */
  #fill(file: DiskFile, from: number): void {
    if (from <= this.#filledTo) return
    const { fillBytes } = this.#state.place.sizes
    const to = Math.min(this.segment.fileBytes, Math.ceil(from / fillBytes) * fillBytes)
    this.#filledTo = to
    try {
      writeWhole(file, new Uint8Array(to - from), from)
    } catch (error) {
      // Filling is for speed: a disk too full for it may still take the groups themselves.
      if (!isNoRoom(error)) throw error
    }
  }

  #giveUp(): void {
    const { segment } = this
    this.close()
    this.#roster.seal(segment, this.#syncedTo >= segment.end)
    this.#segment = undefined
  }

  #startAt(offset: number): void {
    this.#filledTo = offset
    this.#writtenTo = offset
    this.#syncedTo = offset
  }

  #createSegment(): void {
    const { disk, directory, identity, sizes } = this.#state.place
    const { segments } = this.#state
    const kept = this.#stream === 'entries' ? SLOTS_KEPT : 0
    const slot = segments.freeSlot()
    if (slot < 0 || segments.count + kept >= SEGMENTS_MAX) throw storeFull()
    const id = segments.nextId()
    const segment = emptySegment({
      id,
      slot,
      horizon: this.#stream === 'entries' ? 0 : this.#state.lastSequence,
      fileBytes: sizes.segmentBytes,
      end: SEGMENT_HEADER_BYTES,
    })
    try {
      this.#file = disk.open(`${directory}/${segmentName(id)}`, 'create')
      this.#file.truncate(segment.fileBytes)
      const { storeId } = identity
      writeWhole(this.#file, encodeSegmentHeader({ ...segment, storeId }), 0)
      this.#file.syncNow()
      disk.syncDirectory(directory)
      this.#roster.add(segment)
    } catch (error) {
      this.close()
      this.#removeUnlisted(id)
      throw writeFault(error, segmentName(id))
    }
    this.#segment = segment
    this.#startAt(segment.end)
    this.#state.counters.segmentsMade++
  }

  /** A file that did not become part of the log: at a full disk each refused write would leave one. */
  #removeUnlisted(id: number): void {
    const { disk, directory } = this.#state.place
    const name = segmentName(id)
    try {
      if (disk.names(directory)?.includes(name) !== true) return
      // If the list was renamed and the sync behind it failed, it names the file, which must then be there.
      if (readManifest(disk, directory).segments.some((listed) => listed.id === id)) return
      disk.unlink(`${directory}/${name}`)
    } catch {
      // It may stay: what no list names is taken away by the next open. The caller is told the first error.
    }
  }
}

const storeFull = (): Fault =>
  new Fault('store_full', 'the log has used up its 2,048 segments', {
    allowed: 'drop tables, or delete rows and let compaction catch up',
  })
