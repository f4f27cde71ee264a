/** A real store and what a run needs around it, for tests of the batch lane. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchSource, FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import { runBatch, type BatchRun } from '../../src/ingest/batch-lane.ts'
import { openSource } from '../../src/ingest/open-source.ts'
import type { Receipt } from '../../src/ingest/receipt.ts'
import { RejectsFile } from '../../src/ingest/rejects-file.ts'
import type { Sink } from '../../src/ingest/sink.ts'
import type { Source } from '../../src/ingest/source.ts'
import { openViewTable, storeSink } from '../../src/ingest/store-sink.ts'
import { untyped } from '../../src/row/composite.ts'
import { decodeKey, keySignature } from '../../src/row/entity-key.ts'
import { decodeLayout } from '../../src/row/layout.ts'
import { readValue } from '../../src/row/row-reader.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { smallCatalog, type ViewWords } from '../query/small-catalog.ts'

export const NOW_US = Date.parse('2026-06-01T00:00:00Z') * 1000

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'salver-ingest-'))

export function makeSource(changes: Partial<BatchSource> = {}): BatchSource {
  return {
    name: 'source',
    path: '',
    format: '',
    timestampField: 'event_timestamp',
    createdTimestampField: '',
    timestampUnit: '',
    fieldMapping: new Map(),
    ...changes,
  }
}

export const makeView = (words: Omit<ViewWords, 'name'>): FeatureView =>
  smallCatalog([{ name: 'view', ...words }]).views[0]!

export const openStore = (dir = temporaryFolder()): Promise<EmbeddedStore> =>
  openEmbeddedStore({ dir, durability: 'process' })

export type RigOptions = Partial<BatchRun>

/** Runs a path, or an opened source, into a store. */
export async function ingest(
  store: EmbeddedStore,
  view: FeatureView,
  from: string | Source,
  changes: RigOptions = {},
): Promise<Receipt> {
  const sink = changes.sink ?? storeSink(store, await openViewTable(store, view))
  return ingestInto(sink, view, from, changes)
}

export async function ingestInto(
  sink: Sink,
  view: FeatureView,
  from: string | Source,
  changes: RigOptions = {},
): Promise<Receipt> {
  const rejects = changes.rejects ?? new RejectsFile(join(temporaryFolder(), 'rejects.ndjson'))
  try {
    return await runBatch({
      view,
      layout: viewLayout(view),
      source: typeof from === 'string' ? await openSource(from, '') : from,
      sink,
      dryRun: false,
      rejects,
      rejectsMax: Infinity,
      futureMarginUs: 600e6,
      nowUs: () => NOW_US,
      onProgress: () => undefined,
      onCutOff: () => undefined,
      signal: new AbortController().signal,
      ...changes,
    })
  } finally {
    rejects.close()
  }
}

export type ReadRow = { readonly [name: string]: PlainValue | undefined }

/** Every row of a view as a reader would see it, by its key; `event_timestamp` in microseconds. */
export function readRows(store: EmbeddedStore, view: FeatureView): Map<string, ReadRow> {
  const table = store.tableNumber(view.table, keySignature(view.joinKeys))
  const rows = new Map<string, ReadRow>()
  for (const { key, row, layout: number, timeUs } of store.scan(table)) {
    const layout = decodeLayout(store.layoutBytes(number))
    const keys = decodeKey(view.joinKeys, key)
    const values = layout.features.map(({ name, type }, position) => {
      const value = readValue(layout, row, 0, row.length, position)
      return [name, value === undefined ? undefined : untyped(type, value)] as const
    })
    rows.set(keys.map(String).join(','), {
      ...Object.fromEntries(values),
      event_timestamp: timeUs,
    })
  }
  return rows
}

/** What every receipt promises. */
export const sumOf = (receipt: Receipt): number =>
  receipt.new +
  receipt.changed +
  receipt.unchanged +
  receipt.refreshed +
  receipt.deleted +
  receipt.older +
  receipt.rejected +
  receipt.unsettled
