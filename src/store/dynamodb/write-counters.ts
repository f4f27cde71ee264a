/** What happened while tables were written; a number for each thing that can. */
export type WriteCounters = {
  /** Keys whose stored side was read before they were judged. */
  keysRead: number
  itemsPut: number
  itemsUpdated: number
  itemsDeleted: number
  /** Items that another writer had changed since they were seen: judged again. */
  racesLost: number
  /** Writes without an answer that turned out to have happened. */
  lostAnswersFound: number
  /** Rows that DynamoDB does not take, larger than its items may be. */
  rowsRefused: number
  keysAudited: number
  callsThrottled: number
  callsUnanswered: number
}

export const makeWriteCounters = (): WriteCounters => ({
  keysRead: 0,
  itemsPut: 0,
  itemsUpdated: 0,
  itemsDeleted: 0,
  racesLost: 0,
  lostAnswersFound: 0,
  rowsRefused: 0,
  keysAudited: 0,
  callsThrottled: 0,
  callsUnanswered: 0,
})
