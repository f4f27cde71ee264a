/** What was met in items that no row can show: each is counted, none spoils the rest of its reply. */

export type ScanCounters = {
  /** Values that are no feast.types.Value: the feature is absent. */
  valuesUnreadable: number
  /** Values of another type than the feature's: absent too. */
  valuesOfOtherKind: number
  /** Items whose `event_ts` is missing or no time: the row has the time 0. */
  timesUnreadable: number
  /** Items that make a row larger than ROW_BYTES_MAX: the key has failed. */
  rowsTooLarge: number
}

export const makeScanCounters = (): ScanCounters => ({
  valuesUnreadable: 0,
  valuesOfOtherKind: 0,
  timesUnreadable: 0,
  rowsTooLarge: 0,
})
