/** What serve asks of the thread that writes, and of the store it reads. threads/ has it; main hands it over. */
import type { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Durability } from '../cli/command.ts'
import type { WriteLane } from '../http/write-lane.ts'
import type { RemoteFigures } from '../http/remote-figures.ts'
import type { RowReader, StoreStats } from '../store/store.ts'

type AnySpec = {
  readonly futureMarginUs: number
  /** Its tables and layouts are durable before the thread counts as open. */
  readonly catalog: Catalog
}

export type EmbeddedSpec = AnySpec & {
  readonly dataDir: string
  readonly durability: Durability
}

/** The store is the DynamoDB that the catalog names. */
export type DynamoSpec = AnySpec & {
  readonly refreshAfterUs: number | undefined
  readonly readMsMax: number
  readonly cacheBytesMax: number
  /** Then no thread that writes is started. */
  readonly readOnly: boolean
}

export type StoreSpec = EmbeddedSpec | DynamoSpec

/** A store that is asked over the network, seen from here. */
export interface RemoteSide {
  figures(): RemoteFigures
  /** What is wrong with it now, a sentence each. Asks it something where it failed and nobody else asks. */
  look(): readonly string[]
}

export interface StoreThread extends WriteLane {
  /** Reads in this thread what the other one writes. */
  readonly reader: RowReader
  /** What the store found and repaired on opening, for people. */
  readonly notes: readonly string[]
  /** Resolves if the thread ends though nobody closed it: nothing works from then on. */
  readonly died: Promise<Fault>
  stats(): Promise<StoreStats>
  /** Of a store that is asked over the network; undefined for one that lies here. */
  readonly remote: RemoteSide | undefined
  /** Makes the tables and layouts of a catalog durable; rows are still written by the one before. */
  prepare(prepared: { readonly generation: number; readonly catalog: Catalog }): Promise<unknown>
  /** From now on this thread answers by the prepared catalog; resolves when rows are written by it. */
  adopt(generation: number): Promise<unknown>
  /** Finishes the writes that were handed over before. */
  close(): Promise<unknown>
}

export type OpenStoreThread = (spec: StoreSpec) => Promise<StoreThread>
