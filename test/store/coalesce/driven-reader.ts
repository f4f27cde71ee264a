/** A remote store whose calls are answered by hand, and batches of small keys and rows for it. */
import type { CallReader, CallResult } from '../../../src/store/coalesce/call-reader.ts'
import { FOUND, MISSING, ReadBatch } from '../../../src/store/read-batch.ts'

const KEY_BYTES = 8
export const LAYOUT = 7

export type TestKey = { readonly table: number; readonly id: number }

export const key = (id: number, table = 1): TestKey => ({ table, id })
export const keys = (first: number, count: number, table = 1): TestKey[] =>
  Array.from({ length: count }, (_, at) => key(first + at, table))

export function batchOf(asked: readonly TestKey[]): ReadBatch {
  const batch = new ReadBatch(asked.length, 0, 0)
  for (const { table, id } of asked) {
    batch.keyWords[batch.reserveKey(KEY_BYTES) >> 2] = id
    batch.keyWords[(batch.keysUsed >> 2) + 1] = 0x5a17
    batch.commitKey(table, KEY_BYTES)
  }
  return batch
}

export const idAt = (batch: ReadBatch, place: number): number =>
  batch.keyWords[batch.keyStarts[place]! >> 2]!

export const keysOf = (batch: ReadBatch): TestKey[] =>
  Array.from({ length: batch.count }, (_, place) => key(idAt(batch, place), batch.tables[place]!))

/** Makes a place FOUND: a row of two words that says which key and version it is. */
export function writeRow(batch: ReadBatch, place: number, version: number): void {
  const start = batch.reserveRow(8)
  batch.rowStarts[place] = start
  batch.rowBytes[place] = 8
  batch.rowWords[start >> 2] = idAt(batch, place)
  batch.rowWords[(start >> 2) + 1] = version
  batch.times[place] = version * 1000
  batch.layouts[place] = LAYOUT
  batch.states[place] = FOUND
}

/** Version of the row at a FOUND place; throws if it is another key's. */
export function versionAt(batch: ReadBatch, place: number): number {
  const first = batch.rowStarts[place]! >> 2
  const id = batch.rowWords[first]
  if (id !== idAt(batch, place) || batch.rowBytes[place] !== 8) throw new Error('another key’s row')
  const version = batch.rowWords[first + 1]!
  if (batch.times[place] !== version * 1000 || batch.layouts[place] !== LAYOUT) {
    throw new Error('another row’s time or layout')
  }
  return version
}

export class DrivenCall {
  readonly batch: ReadBatch
  readonly msMax: number
  readonly signal: AbortSignal
  readonly keys: readonly TestKey[]
  readonly resolve: (reply: CallResult) => void

  constructor(
    batch: ReadBatch,
    msMax: number,
    signal: AbortSignal,
    resolve: (reply: CallResult) => void,
  ) {
    this.batch = batch
    this.msMax = msMax
    this.signal = signal
    this.keys = keysOf(batch)
    this.resolve = resolve
  }

  get ids(): number[] {
    return this.keys.map(({ id }) => id)
  }

  /** Every key, or only those of these ids; odd ids of 1,000 and up are missing. */
  answer(version = 1, ids: readonly number[] = this.ids): void {
    for (let place = 0; place < this.batch.count; place++) {
      const id = idAt(this.batch, place)
      if (!ids.includes(id)) continue
      if (id >= 1000 && id % 2 === 1) this.batch.states[place] = MISSING
      else writeRow(this.batch, place, version)
    }
    this.resolve('answered')
  }
}

export class DrivenReader implements CallReader {
  readonly callKeysMax: number
  readonly calls: DrivenCall[] = []
  readonly #numbers = new Map<string, number>()

  constructor(callKeysMax: number) {
    this.callKeysMax = callKeysMax
  }

  callMany(batch: ReadBatch, msMax: number, signal: AbortSignal): Promise<CallResult> {
    return new Promise((resolve) => {
      this.calls.push(new DrivenCall(batch, msMax, signal, resolve))
    })
  }

  /** Each projection is another number, as with a store that reads only what is asked. */
  tableNumber(name: string, _keySignature: string, use: { features: unknown }): number {
    const asked = `${name} ${String(use.features)}`
    const number = this.#numbers.get(asked) ?? this.#numbers.size + 1
    this.#numbers.set(asked, number)
    return number
  }

  layoutBytes(layout: number): Uint8Array {
    return Uint8Array.of(layout)
  }

  /** The only call that was not looked at yet. */
  one(): DrivenCall {
    const [call, ...others] = this.calls.splice(0)
    if (call === undefined || others.length > 0) throw new Error(`${others.length + 1} calls`)
    return call
  }
}
