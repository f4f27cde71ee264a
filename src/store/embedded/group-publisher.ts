/** Makes a durable group visible: row bytes are there already, now the index comes to name them. */
import type { AttachedReaders } from './attached-readers.ts'
import { SHARDS } from './index-writer.ts'
import type { LogView } from './log-entry.ts'
import { timeOf } from './log-entry.ts'
import type { LogState } from './log-state.ts'
import type { PendingEntries } from './pending-entries.ts'
import { DROPPED, TOUCHED } from './pending-entries.ts'
import { LOCATION_EMPTY, locationOf, slotOf, wordOf } from './segment.ts'
import type { Segment } from './segments.ts'

/** Where a group lies: in memory from word 0 of `view`, in its segment from byte `start`. */
export type WrittenGroup = {
  readonly view: LogView
  readonly segment: Segment
  readonly start: number
}

export class GroupPublisher {
  readonly #state: LogState
  readonly #readers: AttachedReaders
  readonly #additions = new Uint32Array(SHARDS)
  /** The update by which readers leave the tables that grown shards had. */
  #leftBy = 0
  #isLeaving = false

  constructor(state: LogState, readers: AttachedReaders) {
    this.#state = state
    this.#readers = readers
    state.index.memory.onSlab = (buffer) => void readers.tell({ kind: 'slab', buffer })
  }

  async publish(pending: PendingEntries, group: WrittenGroup): Promise<void> {
    await this.#makeRoom(pending)
    for (let place = 0; place < pending.count; place++) {
      if (pending.at[place] === TOUCHED) this.#touch(pending, place, group.segment)
      else if (pending.at[place] === DROPPED) this.#drop(pending, place)
      else this.#put(pending, place, group)
    }
  }

  /** Lets go of the tables that every reader has left by now. */
  releaseLeft(): void {
    if (!this.#isLeaving || !this.#readers.haveAllPassed(this.#leftBy)) return
    for (let shard = 0; shard < SHARDS; shard++) this.#state.index.leave(shard)
    this.#isLeaving = false
  }

  #put(pending: PendingEntries, place: number, { view, segment, start }: WrittenGroup): void {
    const { index } = this.#state
    const at = pending.at[place]!
    const held = pending.held[place]!
    const shard = pending.shardNumbers[place]!
    const fingerprint = pending.fingerprints[place]!
    const location = locationOf(segment.slot, start + at * 4)
    const timeUs = pending.times[place]!
    if (held === LOCATION_EMPTY) index.insert(shard, fingerprint, location, timeUs)
    else {
      this.#state.debit(held, pending.heldTimes[place]!)
      index.replace(shard, fingerprint, held, location, timeUs)
    }
    this.#state.credit(segment, view, at)
  }

  #touch(pending: PendingEntries, place: number, segment: Segment): void {
    const { index, map } = this.#state
    const held = pending.held[place]!
    const heldUs = timeOf(map.view(slotOf(held)).doubles, wordOf(held))
    if (pending.heldTimes[place] === heldUs) this.#state.touched++
    segment.touches++
    const shard = pending.shardNumbers[place]!
    index.replace(shard, pending.fingerprints[place]!, held, held, pending.times[place]!)
  }

  #drop(pending: PendingEntries, place: number): void {
    const held = pending.held[place]!
    this.#state.debit(held, pending.heldTimes[place]!)
    this.#state.index.remove(pending.shardNumbers[place]!, pending.fingerprints[place]!, held)
  }

  /** Grows the shards that the group's new keys would fill too far, before any of them is published. */
  async #makeRoom(pending: PendingEntries): Promise<void> {
    const { index } = this.#state
    this.#countAdditions(pending)
    const isIn = (check: 'mustGrow' | 'mustLeave') =>
      this.#additions.some((additions, shard) => additions > 0 && index[check](shard, additions))
    this.releaseLeft()
    if (isIn('mustGrow')) {
      // A shard has one table to leave at most: the last one must be left by all before the next.
      if (this.#isLeaving) await this.#allLeft()
      this.#additions.forEach((additions, shard) => {
        if (additions > 0 && index.mustGrow(shard, additions)) this.#grow(shard, additions)
      })
    }
    if (isIn('mustLeave')) await this.#allLeft()
  }

  #countAdditions(pending: PendingEntries): void {
    this.#additions.fill(0)
    for (let place = 0; place < pending.count; place++) {
      if (pending.held[place] === LOCATION_EMPTY) this.#additions[pending.shardNumbers[place]!]!++
    }
  }

  #grow(shard: number, additions: number): void {
    const { place } = this.#state.index.grow(shard, additions)
    this.#leftBy = this.#readers.tell({ kind: 'shard', shard, place })
    this.#isLeaving = true
    this.#state.counters.shardsGrown++
  }

  async #allLeft(): Promise<void> {
    await this.#readers.allPassed(this.#leftBy)
    this.releaseLeft()
  }
}
