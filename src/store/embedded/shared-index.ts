/** What the writer shares with readers in any thread: the state to start from, and every change to it. */
import type { ShardPlace } from './index-memory.ts'
import type { LogState } from './log-state.ts'
import type { Tables } from './tables.ts'

/** What a reader starts from. Cloneable: shared buffers, numbers and texts. */
export type SharedIndex = {
  readonly directory: string
  readonly storeId: Uint8Array
  readonly hashSeed: number
  /** The memory of the index, and where in it each shard has its table. */
  readonly slabs: readonly SharedArrayBuffer[]
  readonly shards: readonly ShardPlace[]
  readonly slots: SharedArrayBuffer
  readonly tables: Tables
}

/** What changed since. Numbered: a reader acknowledges by the number, in order. */
export type ReaderUpdate = { readonly number: number } & (
  | { readonly kind: 'slab'; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'shard'; readonly shard: number; readonly place: ShardPlace }
  | { readonly kind: 'unmap'; readonly slot: number }
  | { readonly kind: 'tables'; readonly tables: Tables }
)

export const sharedIndexOf = ({ place, index, segments, tables }: LogState): SharedIndex => ({
  directory: place.directory,
  storeId: place.identity.storeId,
  hashSeed: place.identity.hashSeed,
  slabs: index.memory.slabs.map(({ buffer }) => buffer),
  shards: index.shards.map(({ place: shardPlace }) => shardPlace),
  slots: segments.slots.buffer,
  tables,
})
