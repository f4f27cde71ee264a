/** What the coalescer reads through: one call of a remote store answers one batch of keys. */
import type { ReadBatch } from '../read-batch.ts'
import type { TableUse } from '../store.ts'

/**
 * A reader that answers a batch of at most `callKeysMax` keys by one call of a remote store. No key of
 * a batch is there twice, nor is a table under two of its numbers.
 */
export interface CallReader {
  readonly callKeysMax: number
  /**
   * Fills FOUND, MISSING or FAILED (trying again will not help); keys without an answer stay PENDING.
   * Resolves, never rejects, with how it went; at `msMax` it resolves with what there is.
   */
  callMany(batch: ReadBatch, msMax: number, signal: AbortSignal): Promise<CallResult>
  tableNumber(name: string, keySignature: string, use: TableUse): number
  layoutBytes(layout: number): Uint8Array
}

/**
 * 'answered': every key, or some with the rest left out by the store (UnprocessedKeys); 'throttled',
 * 'unavailable': no key.
 */
export type CallResult = 'answered' | 'throttled' | 'unavailable'
