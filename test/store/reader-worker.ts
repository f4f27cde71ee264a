/** A reader in a thread of its own: looks rows up without pause and checks each of them. */
import { FAILED, FOUND, ReadBatch } from '../../src/store/read-batch.ts'
import { EmbeddedReader } from '../../src/store/embedded/embedded-reader.ts'
import { nodeDisk } from '../../src/store/embedded/node-disk.ts'
import type { ReaderUpdate, SharedIndex } from '../../src/store/embedded/shared-index.ts'
import { KEY_BYTES, readSampleRow, writeSampleKey } from './sample-table.ts'

export type ToReader =
  | { readonly kind: 'start'; readonly index: SharedIndex; readonly table: number; keys: number }
  | { readonly kind: 'update'; readonly update: ReaderUpdate }
  | { readonly kind: 'stop' }

export type FromReader =
  | { readonly kind: 'acknowledge'; readonly number: number }
  | { readonly kind: 'report'; readonly report: ReaderReport }

export type ReaderReport = {
  readonly requests: number
  readonly rows: number
  readonly updates: number
  /** What should never be: rows that are torn, that can't be read, whose time went back. */
  readonly faults: readonly string[]
}

const BATCH_KEYS = 50

class CheckingReader {
  readonly #reader: EmbeddedReader
  readonly #table: number
  readonly #seen: Float64Array
  readonly #batch = new ReadBatch(BATCH_KEYS, 1024, 4096)
  readonly #faults: string[] = []
  #requests = 0
  #rows = 0
  #updates = 0
  #isStopped = false

  constructor(index: SharedIndex, table: number, keys: number) {
    this.#reader = new EmbeddedReader(index, nodeDisk)
    this.#table = table
    this.#seen = new Float64Array(keys).fill(-1)
  }

  apply(update: ReaderUpdate): number {
    this.#updates++
    return this.#reader.apply(update)
  }

  run(): void {
    if (this.#isStopped) return
    for (let round = 0; round < 20; round++) this.#request()
    setImmediate(() => this.run())
  }

  stop(): ReaderReport {
    this.#isStopped = true
    this.#reader.close()
    const { length } = this.#faults
    if (length > 20) this.#faults.length = 20
    return {
      requests: this.#requests,
      rows: this.#rows,
      updates: this.#updates,
      faults: this.#faults,
    }
  }

  #request(): void {
    const batch = this.#batch
    batch.reset()
    const ids = Array.from({ length: BATCH_KEYS }, () => (Math.random() * this.#seen.length) | 0)
    for (const id of ids) {
      const start = batch.reserveKey(KEY_BYTES)
      writeSampleKey(batch.keys, start, id)
      batch.commitKey(this.#table, KEY_BYTES)
    }
    this.#reader.readMany(batch)
    this.#requests++
    ids.forEach((id, place) => this.#check(id, place))
  }

  #check(id: number, place: number): void {
    const { states, times, rows, rowStarts, rowBytes } = this.#batch
    if (states[place] === FAILED) this.#faults.push(`${id} could not be read`)
    if (states[place] !== FOUND) {
      if (this.#seen[id]! >= 0) this.#faults.push(`${id} was there and is missing`)
      return
    }
    this.#rows++
    const timeUs = times[place]!
    const start = rowStarts[place]!
    try {
      const row = readSampleRow(rows.subarray(start, start + rowBytes[place]!), timeUs)
      // Rows say in their value when they were written, and touches advance by less than 1,000.
      const isOwn = row.value % 10_000 === id && Math.floor(row.value / 10_000) <= timeUs
      if (!isOwn) this.#faults.push(`${id} at ${timeUs} is ${row.value}`)
      if (timeUs - Math.floor(row.value / 10_000) >= 1000) {
        this.#faults.push(`${id} has the time ${timeUs} beside the old row ${row.value}`)
      }
    } catch (error) {
      this.#faults.push(String(error))
    }
    if (timeUs < this.#seen[id]!) this.#faults.push(`${id} went back to ${timeUs}`)
    this.#seen[id] = timeUs
  }
}

declare const self: Worker

let reader: CheckingReader | undefined

self.onmessage = ({ data }: MessageEvent<ToReader>) => {
  if (data.kind === 'start') {
    reader = new CheckingReader(data.index, data.table, data.keys)
    reader.run()
  } else if (data.kind === 'update') {
    const number = reader!.apply(data.update)
    self.postMessage({ kind: 'acknowledge', number } satisfies FromReader)
  } else {
    self.postMessage({ kind: 'report', report: reader!.stop() } satisfies FromReader)
  }
}
