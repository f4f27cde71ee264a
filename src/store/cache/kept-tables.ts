/** What the cache knows of the tables it was asked for, by the numbers that the store gave them. */
import { grown } from '../../base/grown.ts'
import type { Layout } from '../../row/layout.ts'
import { encodeLayout } from '../../row/layout.ts'
import type { RowReader, TableSpec, TableUse } from '../store.ts'

const NUMBERS_AT_FIRST = 64

type KeptTable = {
  readonly number: number
  /** All features, and one time for all of them: a written row can stand for a read one. */
  readonly isWhole: boolean
  readonly layoutText: string
}

/** A table as one batch of writes meets it. */
export type WrittenTable = {
  readonly number: number
  /** Whether written rows are what a read of this number would give. */
  readonly isWhole: boolean
  /** The store's number for the layout of such rows; 0 if it has not been seen yet. */
  readonly layout: number
}

export class KeptTables {
  /** For each number how old a kept row may be; 0 for tables of which none is kept. */
  #boundsMs = new Float64Array(NUMBERS_AT_FIRST)
  #staleIfError = new Uint8Array(NUMBERS_AT_FIRST)
  readonly #byTable = new Map<string, readonly KeptTable[]>()
  /** The store's layout numbers by their bytes, as far as rows came with them. */
  readonly #layouts = new Map<string, number>()
  readonly #seenLayouts = new Set<number>()
  /** Layouts live as long as their catalog, and each is asked for by many plans. */
  readonly #texts = new WeakMap<Layout, string>()

  /** Called again for a number, it is about a newer catalog: what it says holds from now on. */
  add(number: number, name: string, keySignature: string, use: TableUse): void {
    if (number >= this.#boundsMs.length) this.#grow(number + 1)
    this.#boundsMs[number] = use.cacheMaxStalenessMs
    this.#staleIfError[number] = use.staleIfError && use.cacheMaxStalenessMs > 0 ? 1 : 0
    const table = tableText(name, keySignature)
    const others = (this.#byTable.get(table) ?? []).filter((kept) => kept.number !== number)
    const isWhole = use.features === undefined && !use.layout.times
    const layoutText = this.#textOf(use.layout)
    this.#byTable.set(table, [...others, { number, isWhole, layoutText }])
  }

  boundMs(table: number): number {
    return this.#boundsMs[table]!
  }

  isServedStale(table: number): boolean {
    return this.#staleIfError[table] === 1
  }

  /** A row came with this layout: the store is asked for its bytes the first time. */
  noteLayout(layout: number, store: Pick<RowReader, 'layoutBytes'>): void {
    if (this.#seenLayouts.has(layout)) return
    this.#seenLayouts.add(layout)
    this.#layouts.set(new TextDecoder().decode(store.layoutBytes(layout)), layout)
  }

  /** Every number under which rows of the written table may be kept. */
  written(spec: TableSpec): readonly WrittenTable[] {
    const tables = this.#byTable.get(tableText(spec.name, spec.keySignature))
    if (tables === undefined) return []
    const text = new TextDecoder().decode(spec.layout)
    const layout = this.#layouts.get(text) ?? 0
    return tables.map(({ number, isWhole, layoutText }) => ({
      number,
      isWhole: isWhole && layoutText === text,
      layout,
    }))
  }

  #textOf(layout: Layout): string {
    const known = this.#texts.get(layout)
    if (known !== undefined) return known
    const text = new TextDecoder().decode(encodeLayout(layout))
    this.#texts.set(layout, text)
    return text
  }

  #grow(count: number): void {
    const size = Math.max(this.#boundsMs.length * 2, count)
    this.#boundsMs = grown(this.#boundsMs, new Float64Array(size))
    this.#staleIfError = grown(this.#staleIfError, new Uint8Array(size))
  }
}

/** Neither part of it holds a zero byte. */
const tableText = (name: string, keySignature: string): string => `${name}\0${keySignature}`
