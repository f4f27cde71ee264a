/** A store in the hand of a test: it answers at once, fails, or holds each read until told. */
import { encodeLayout } from '../../../src/row/layout.ts'
import { FAILED, FOUND, MISSING, PENDING } from '../../../src/store/read-batch.ts'
import type { ReadBatch } from '../../../src/store/read-batch.ts'
import type { RowReader, TableSpec, TableUse, WriteFollower } from '../../../src/store/store.ts'
import type { WriteBatch } from '../../../src/store/write-batch.ts'
import type { SampleRow } from '../sample-table.ts'
import { KEY_BYTES, readSampleId, sampleRowBytes, writeSampleRow } from '../sample-table.ts'

export type HandMode = 'answer' | 'hold' | 'fail' | 'late'

const STATES = { fail: FAILED, late: PENDING } as const

/** A read under way, with the rows as they were when it was asked. */
export type HeldRead = {
  readonly ids: readonly number[]
  /** Ends it: with the rows of then or of now, or without an answer. */
  release(how: 'then' | 'now' | 'fail' | 'late'): void
  reject(reason: Error): void
}

type Table = { readonly name: string; readonly layout: number }

export class HandStore implements RowReader, WriteFollower {
  mode: HandMode = 'answer'
  readonly held: HeldRead[] = []
  /** The ids of every read so far, and how often it was told of a write. */
  readonly asked: (readonly number[])[] = []
  follows = 0
  readonly #now: () => number
  readonly #rows = new Map<string, ReadonlyMap<number, SampleRow>>()
  readonly #tables: Table[] = []
  readonly #numbers = new Map<string, number>()
  readonly #layouts: Uint8Array[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  /** Changes what is stored, unseen: without a row it is deleted. */
  set(table: string, id: number, row: SampleRow | undefined): void {
    const rows = new Map(this.#rows.get(table))
    if (row === undefined) rows.delete(id)
    else rows.set(id, row)
    this.#rows.set(table, rows)
  }

  readMany(batch: ReadBatch, _untilMs: number, gone?: AbortSignal): undefined | Promise<void> {
    const ids = Array.from({ length: batch.count }, (_, place) => idOf(batch, place))
    this.asked.push(ids)
    batch.asOfMs.fill(this.#now(), 0, batch.count)
    if (this.mode !== 'hold') {
      this.#fill(batch, this.mode, this.#rows)
      return undefined
    }
    const then = new Map(this.#rows)
    return new Promise((resolve, reject) => {
      const release = (how: 'then' | 'now' | 'fail' | 'late'): void => {
        const mode = how === 'fail' || how === 'late' ? how : 'answer'
        this.#fill(batch, mode, how === 'then' ? then : this.#rows)
        resolve()
      }
      this.held.push({ ids, release, reject })
      gone?.addEventListener('abort', () => resolve())
    })
  }

  tableNumber(name: string, keySignature: string, use: TableUse): number {
    const layout = this.#layoutNumber(encodeLayout(use.layout))
    const text = `${name} ${keySignature} ${layout} ${use.features?.join() ?? 'all'}`
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.#tables.push({ name, layout }))
    return this.#tables.length
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#layouts[layout - 1]!
  }

  follow(_spec: TableSpec, _batch: WriteBatch, _outcomes: Uint8Array): void {
    this.follows++
  }

  #layoutNumber(bytes: Uint8Array): number {
    const known = this.#layouts.findIndex((layout) => Buffer.compare(layout, bytes) === 0)
    return known === -1 ? this.#layouts.push(bytes) : known + 1
  }

  #fill(
    batch: ReadBatch,
    mode: Exclude<HandMode, 'hold'>,
    stored: ReadonlyMap<string, ReadonlyMap<number, SampleRow>>,
  ): void {
    for (let place = 0; place < batch.count; place++) {
      if (mode !== 'answer') {
        batch.states[place] = STATES[mode]
        continue
      }
      const { name, layout } = this.#tables[batch.tables[place]! - 1]!
      const row = stored.get(name)?.get(idOf(batch, place))
      batch.states[place] = row === undefined ? MISSING : FOUND
      if (row !== undefined) fillRow(batch, place, layout, row)
    }
  }
}

function fillRow(batch: ReadBatch, place: number, layout: number, row: SampleRow): void {
  const bytes = sampleRowBytes(row.blobBytes)
  const start = batch.reserveRow(bytes)
  writeSampleRow(batch.rows, start, row)
  batch.rowStarts[place] = start
  batch.rowBytes[place] = bytes
  batch.layouts[place] = layout
  batch.times[place] = row.timeUs
}

function idOf(batch: ReadBatch, place: number): number {
  const start = batch.keyStarts[place]!
  return readSampleId(batch.keys.subarray(start, start + KEY_BYTES))
}
