/**
 * Batches that are judged together: their distinct keys, and for each key its entries in their order.
 * Batches that come while a group is under way make the next one.
 */
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import type { EntityIds } from '../../row/entity-id.ts'
import { ENTITY_ID_BYTES } from '../../row/entity-id.ts'

/** A batch on its way, and who waits for it. */
export type WaitingWrite = {
  readonly batch: WriteBatch
  readonly outcomes: Uint8Array
  readonly resolve: (outcomes: WriteOutcomes) => void
  readonly reject: (reason: unknown) => void
  bytesWritten: number
  writeUnits: number
  writeUnitsSaved: number
}

export const NO_ENTRY = -1

export class WriteGroup {
  readonly writes: readonly WaitingWrite[]
  /** The entity_id of each distinct key. */
  readonly ids: string[] = []
  /** Of each key its first entry; of each entry the next one of its key, or NO_ENTRY. */
  readonly firsts: Int32Array
  readonly nexts: Int32Array
  /** Of each entry its batch's place in `writes`, and its own in the batch. */
  readonly writePlaces: Uint32Array
  readonly places: Uint32Array
  /** Entries that the store would not take, whatever is stored. */
  readonly refused: Uint8Array

  constructor(hashes: EntityIds, writes: readonly WaitingWrite[]) {
    const entries = writes.reduce((sum, { batch }) => sum + batch.count, 0)
    this.writes = writes
    this.firsts = new Int32Array(entries)
    this.nexts = new Int32Array(entries).fill(NO_ENTRY)
    this.writePlaces = new Uint32Array(entries)
    this.places = new Uint32Array(entries)
    this.refused = new Uint8Array(entries)
    this.#collect(hashes)
  }

  #collect(hashes: EntityIds): void {
    const keys = new Map<string, number>()
    const digits = Buffer.alloc(ENTITY_ID_BYTES)
    const lasts = new Int32Array(this.nexts.length)
    let entry = 0
    this.writes.forEach(({ batch }, write) => {
      for (let place = 0; place < batch.count; place++, entry++) {
        this.writePlaces[entry] = write
        this.places[entry] = place
        const start = batch.keyStarts[place]!
        hashes.write(batch.keys, start, batch.keyBytes[place]!, digits, 0)
        const id = digits.toString('latin1')
        const key = keys.get(id)
        if (key === undefined) {
          this.firsts[this.ids.length] = entry
          lasts[this.ids.length] = entry
          keys.set(id, this.ids.length)
          this.ids.push(id)
        } else {
          this.nexts[lasts[key]!] = entry
          lasts[key] = entry
        }
      }
    })
  }

  writeOf(entry: number): WaitingWrite {
    return this.writes[this.writePlaces[entry]!]!
  }

  outcome(entry: number, outcome: number): void {
    this.writeOf(entry).outcomes[this.places[entry]!] = outcome
  }
}
