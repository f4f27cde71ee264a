/** What a DynamoReader counts; the names stand in the metrics, beside the coalescer's own. */
import type { ScanCounters } from './scan-counters.ts'
import { makeScanCounters } from './scan-counters.ts'

export type ReaderCounters = ScanCounters & {
  storeCalls: number
  storeKeysAsked: number
  storeReplyBytes: number
  /** Calls by how they failed. */
  storeCallsThrottled: number
  storeCallsUnavailable: number
  storeCallsRefused: number
  /** Ended by who had asked: a hedge that lost, a request whose time was over. */
  storeCallsGivenUp: number
  /** Replies that were no BatchGetItem's: their keys are asked again. */
  repliesMalformed: number
  /** Batches that one call could not hold, for a table that is read in two ways. */
  batchesSplit: number
  /** Keys that DynamoDB left out of its reply, for now. */
  keysUnprocessed: number
  /** Keys of tables that DynamoDB refuses to read. */
  keysRefused: number
  /** Items that no key had asked for. */
  itemsUnasked: number
}

export const makeReaderCounters = (): ReaderCounters => ({
  storeCalls: 0,
  storeKeysAsked: 0,
  storeReplyBytes: 0,
  storeCallsThrottled: 0,
  storeCallsUnavailable: 0,
  storeCallsRefused: 0,
  storeCallsGivenUp: 0,
  repliesMalformed: 0,
  batchesSplit: 0,
  keysUnprocessed: 0,
  keysRefused: 0,
  itemsUnasked: 0,
  ...makeScanCounters(),
})
