/** Which version of a row wins: the only place that knows. Used by every lane and every store. */

/** Outcome of one row, in the receipt's words. Numbers travel between threads: do not change. */
export const OUTCOME = {
  /** No row, or only a tombstone, was there. */
  new: 0,
  changed: 1,
  /** Same time, same content: nothing was written. */
  unchanged: 2,
  /** Same content at a later time: the time advanced, the row was not written again. */
  touched: 3,
  /** As touched, on a store that keeps the time in the row: the row was written again. */
  refreshed: 4,
  /** Dropped: a later version is stored. */
  older: 5,
  rejected: 6,
  /** A tombstone took the row's place. */
  deleted: 7,
} as const

export type OutcomeName = keyof typeof OUTCOME
export type Outcome = (typeof OUTCOME)[OutcomeName]

export const OUTCOME_NAMES = Object.freeze(Object.keys(OUTCOME)) as readonly OutcomeName[]

/** What is stored under a key. */
export type StoredKind = 'nothing' | 'row' | 'tombstone'

/**
 * An incoming row against what is stored. `sameContent` is asked only when the times allow the row
 * to win, because answering it costs a look at the stored bytes.
 */
export function judgeRow(
  stored: StoredKind,
  storedTimeUs: number,
  timeUs: number,
  sameContent: () => boolean,
): Outcome {
  if (stored === 'nothing') return OUTCOME.new
  if (timeUs < storedTimeUs) return OUTCOME.older
  if (stored === 'tombstone') return OUTCOME.new
  if (!sameContent()) return OUTCOME.changed
  return timeUs === storedTimeUs ? OUTCOME.unchanged : OUTCOME.touched
}

/** An incoming delete against what is stored. On equal times the delete, arriving later, wins. */
export function judgeDelete(stored: StoredKind, storedTimeUs: number, timeUs: number): Outcome {
  if (stored === 'nothing') return OUTCOME.deleted
  if (timeUs < storedTimeUs) return OUTCOME.older
  if (stored === 'row') return OUTCOME.deleted
  return timeUs === storedTimeUs ? OUTCOME.unchanged : OUTCOME.touched
}

/**
 * Among versions of one key in one call or run: true if the incoming one takes the place of the one
 * kept so far. Event time, then created time (NaN where the source has none), then the last.
 */
export function isLaterInRun(
  keptTimeUs: number,
  keptCreatedUs: number,
  timeUs: number,
  createdUs: number,
): boolean {
  if (timeUs !== keptTimeUs) return timeUs > keptTimeUs
  return !(createdUs < keptCreatedUs)
}
