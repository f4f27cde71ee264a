/** Keeps the SEGMENTS file equal to what segments there are: every change is durable on return. */
import type { LogState } from './log-state.ts'
import type { ManifestSegment } from './manifest.ts'
import { writeManifest } from './manifest.ts'
import { segmentName } from './segment.ts'
import type { Segment } from './segments.ts'

export class SegmentRoster {
  readonly #state: LogState
  readonly #sealed = new Map<number, ManifestSegment>()
  /** Seals that are not yet in the file: they go there with the next segment, before its first group. */
  #retired: number[] = []

  constructor(state: LogState, sealed: readonly ManifestSegment[]) {
    this.#state = state
    for (const segment of sealed) this.#sealed.set(segment.id, segment)
  }

  isSealed(segment: Segment): boolean {
    return this.#sealed.has(segment.id)
  }

  /** A segment gets no more groups. Written with the next change: until then its end is found by reading. */
  seal(segment: Segment, isSynced: boolean): void {
    this.#sealed.set(segment.id, { id: segment.id, end: segment.end, isSynced })
  }

  /** A new file, synced and empty, becomes part of the log. */
  add(segment: Segment): void {
    const ids = [...this.#state.segments.all().map((held) => held.id), segment.id]
    this.#write(ids)
    this.#state.segments.add(segment, true)
  }

  /** A segment whose entries live elsewhere, and which no thread reads any more: its file goes. */
  remove(segment: Segment): void {
    const { disk, directory } = this.#state.place
    const kept = this.#state.segments.all().filter((held) => held !== segment)
    this.#retired.push(segment.id)
    this.#write(kept.map((held) => held.id))
    disk.unlink(`${directory}/${segmentName(segment.id)}`)
    disk.syncDirectory(directory)
    this.#retired = this.#retired.filter((id) => id !== segment.id)
    this.#sealed.delete(segment.id)
    this.#state.segments.remove(segment)
    this.#state.counters.segmentsRetired++
  }

  #write(ids: readonly number[]): void {
    const { disk, directory } = this.#state.place
    writeManifest(disk, directory, {
      lastId: this.#state.segments.lastId,
      segments: ids.map((id) => this.#sealed.get(id) ?? { id }),
      retired: this.#retired,
    })
  }
}
