/** Rewrites rows that were stored under an older layout, so that a block's rows are all of one layout. */
import type { Layout } from '../row/layout.ts'
import { decodeLayout, encodeLayout } from '../row/layout.ts'
import { transcodeRow, transcodedBytesMax } from '../row/transcode.ts'
import { FOUND } from '../store/read-batch.ts'
import type { ReadBatch } from '../store/read-batch.ts'
import type { RowReader } from '../store/store.ts'

/** By the store's number of a layout: the layout, or SAME where it equals the one that is asked for. */
type Origins = (Layout | typeof SAME)[]
const SAME = null

export class RowAligner {
  readonly #store: RowReader
  readonly #origins = new WeakMap<Layout, Origins>()

  constructor(store: RowReader) {
    this.#store = store
  }

  /** The found rows of places `first` up to `end` are in the layout `to` afterwards. */
  align(to: Layout, batch: ReadBatch, first: number, end: number): void {
    const origins = this.#originsOf(to)
    const { states, layouts } = batch
    for (let place = first; place < end; place++) {
      if (states[place] !== FOUND) continue
      const number = layouts[place]!
      let from = origins[number]
      if (from === undefined) from = origins[number] = this.#origin(number, to)
      if (from !== SAME) rewriteRow(from, to, batch, place)
    }
  }

  #originsOf(to: Layout): Origins {
    let origins = this.#origins.get(to)
    if (origins === undefined) this.#origins.set(to, (origins = []))
    return origins
  }

  #origin(number: number, to: Layout): Layout | typeof SAME {
    const bytes = this.#store.layoutBytes(number)
    return Buffer.compare(bytes, encodeLayout(to)) === 0 ? SAME : decodeLayout(bytes)
  }
}

function rewriteRow(from: Layout, to: Layout, batch: ReadBatch, place: number): void {
  const bytes = batch.rowBytes[place]!
  const start = batch.reserveRow(transcodedBytesMax(from, to, bytes))
  // The reservation may have moved the rows: only now is it known where they lie.
  const { rows } = batch
  const source = batch.rowStarts[place]!
  batch.rowBytes[place] = transcodeRow(
    from,
    to,
    rows,
    source,
    bytes,
    rows,
    start,
    batch.times[place]!,
  )
  batch.rowStarts[place] = start
}
