/** Keeps the SEGMENTS file equal to what segments there are: every change is durable on return. */
import type { LogState } from './log-state.ts'
import type { ManifestSegment } from './manifest.ts'
import { writeManifest } from './manifest.ts'
import { segmentName } from './segment.ts'
import type { Segment } from './segments.ts'

export class SegmentRoster {
  readonly #state: LogState
  readonly #sealed = new Map<number, ManifestSegment>()
  /** Ids whose files may still be there. */
  readonly #retired = new Set<number>()

  constructor(state: LogState, sealed: readonly ManifestSegment[]) {
    this.#state = state
    for (const segment of sealed) this.#sealed.set(segment.id, segment)
  }

  isSealed(segment: Segment): boolean {
    return this.#sealed.has(segment.id)
  }

  /** True if the sync at its seal failed: groups acknowledged without a sync may not be on the disk. */
  isUnsynced(segment: Segment): boolean {
    return this.#sealed.get(segment.id)?.isSynced === false
  }

  /** A segment gets no more groups. The file says so from the next change on: until then its end is found by reading. */
  seal(segment: Segment, isSynced: boolean): void {
    this.#sealed.set(segment.id, { id: segment.id, end: segment.end, isSynced })
  }

  /** Of a sealed segment less is there than was listed. The file says so on return. */
  shorten(segment: Segment): void {
    this.seal(segment, false)
    this.#write(this.#state.segments.all().map((held) => held.id))
  }

  /** A new file, synced and empty, becomes part of the log. */
  add(segment: Segment): void {
    const ids = [...this.#state.segments.all().map((held) => held.id), segment.id]
    this.#write(ids)
    this.#state.segments.add(segment, true)
  }

  /**
   * A segment whose entries live elsewhere, and which no thread reads any more: its file goes. May be
   * tried again after it failed: from the first try on the segment is listed as retired only.
   */
  remove(segment: Segment): void {
    const { disk, directory } = this.#state.place
    const name = segmentName(segment.id)
    this.#retired.add(segment.id)
    this.#write(this.#state.segments.all().map((held) => held.id))
    if (disk.names(directory)?.includes(name) === true) disk.unlink(`${directory}/${name}`)
    disk.syncDirectory(directory)
    this.#retired.delete(segment.id)
    this.#sealed.delete(segment.id)
    this.#state.segments.remove(segment)
    this.#state.counters.segmentsRetired++
  }

  #write(ids: readonly number[]): void {
    const { disk, directory } = this.#state.place
    const kept = ids.filter((id) => !this.#retired.has(id))
    writeManifest(disk, directory, {
      lastId: this.#state.segments.lastId,
      segments: kept.map((id) => this.#sealed.get(id) ?? { id }),
      retired: [...this.#retired],
    })
  }
}
