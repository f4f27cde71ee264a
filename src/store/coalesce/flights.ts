/**
 * Keys that are asked for, each once: which call has them, who waits for them, and which may be joined.
 * A flight is a number, of its call and of its place in the call's batch.
 */
import type { ReadBatch } from '../read-batch.ts'
import type { WriteBatch } from '../write-batch.ts'
import { BatchPool } from './batch-pool.ts'
import { Call } from './call.ts'
import { copyKey } from './copy-answer.ts'
import { FlightIndex, hashKey } from './flight-index.ts'
import { NONE, WaitLists } from './wait-lists.ts'

const CALLS_AT_FIRST = 8

export class Flights {
  readonly lists = new WaitLists()
  readonly batches: BatchPool
  readonly #placeBits: number
  readonly #index: FlightIndex
  readonly #calls: Call[] = []
  readonly #freeNumbers: number[] = []

  constructor(callKeysMax: number) {
    this.#placeBits = Math.ceil(Math.log2(callKeysMax))
    this.#index = new FlightIndex(this.#placeBits)
    this.batches = new BatchPool(callKeysMax)
    this.#grow(CALLS_AT_FIRST)
  }

  /** Flights that may be joined. */
  get joinable(): number {
    return this.#index.size
  }

  makeCall(tries: number): Call {
    if (this.#freeNumbers.length === 0) this.#grow(this.#calls.length * 2)
    const number = this.#freeNumbers.pop()!
    const call = new Call(number, this.batches.take(), tries)
    this.#calls[number] = call
    this.#index.batches[number] = call.batch
    return call
  }

  callOf(flight: number): Call {
    return this.#calls[flight >>> this.#placeBits]!
  }

  flightAt(call: Call, place: number): number {
    return (call.number << this.#placeBits) | place
  }

  /** The flight that the key of a place may join, or NONE. */
  find(batch: ReadBatch, place: number, hash: number): number {
    const first = batch.keyStarts[place]! >> 2
    return this.#index.find(
      hash,
      batch.tables[place]!,
      batch.keyWords,
      first,
      batch.keyBytes[place]!,
    )
  }

  /** A flight for the key of a place, which has none to join. */
  add(call: Call, batch: ReadBatch, place: number, hash: number): number {
    const flight = this.flightAt(call, copyKey(batch, place, call.batch))
    this.#index.insert(flight, hash)
    return flight
  }

  isWanted(flight: number): boolean {
    return this.lists.heads[flight] !== NONE
  }

  /** No later request joins it. */
  seclude(flight: number): void {
    this.#index.remove(flight)
  }

  /** Takes the flights that somebody waits for into a call of their own. */
  repack(call: Call): Call {
    const packed = this.makeCall(call.tries)
    for (let place = 0; place < call.batch.count; place++) {
      const flight = this.flightAt(call, place)
      if (!this.isWanted(flight)) continue
      const moved = this.flightAt(packed, copyKey(call.batch, place, packed.batch))
      this.lists.move(flight, moved)
      this.#index.move(flight, moved)
      packed.wanted++
    }
    call.wanted = 0
    return packed
  }

  /** Of a call that nobody waits for: its number may be used again. Its batch is the caller's to keep. */
  forget(call: Call): void {
    for (let place = 0; place < call.batch.count; place++) {
      this.#index.remove(this.flightAt(call, place))
    }
    this.#freeNumbers.push(call.number)
  }

  /** Secludes those under way among the keys that were written; returns how many. */
  secludeFlying(table: number, { count, keys, keyStarts, keyBytes }: WriteBatch): number {
    const words = wordsOf(keys)
    let flying = 0
    for (let entry = 0; entry < count; entry++) {
      const first = keyStarts[entry]! >> 2
      const bytes = keyBytes[entry]!
      const flight = this.#index.find(
        hashKey(table, words, first, bytes),
        table,
        words,
        first,
        bytes,
      )
      // One that is not under way will be read after the write: it may be joined.
      if (flight === NONE || this.callOf(flight).state !== 'flying') continue
      this.seclude(flight)
      flying++
    }
    return flying
  }

  #grow(count: number): void {
    for (let number = count - 1; number >= this.#calls.length; number--) {
      this.#freeNumbers.push(number)
    }
    this.#calls.length = count
    this.#index.growFlights(count << this.#placeBits)
    this.lists.growFlights(count << this.#placeBits)
  }
}

export function hashOf(batch: ReadBatch, place: number): number {
  const first = batch.keyStarts[place]! >> 2
  return hashKey(batch.tables[place]!, batch.keyWords, first, batch.keyBytes[place]!)
}

/** A view on the keys, or on a copy where they don't start at a word's place. */
function wordsOf(keys: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = byteAligned(keys)
  return new Uint32Array(buffer, byteOffset, byteLength >> 2)
}

const byteAligned = (keys: Uint8Array): Uint8Array =>
  (keys.byteOffset & 3) === 0 ? keys : keys.slice()
