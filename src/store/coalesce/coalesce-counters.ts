/** One counter for each thing that can happen to a key, a call or a waiter. */
export const makeCounters = () => ({
  /** Keys of all requests; those that joined a flight; those refused since too many waited. */
  keysAsked: 0,
  keysJoined: 0,
  shed: 0,
  /** Everything sent, retries and hedges too, and its keys. */
  calls: 0,
  callKeys: 0,
  callsRetried: 0,
  /** The store left some keys out. */
  callsPartial: 0,
  callsThrottled: 0,
  callsUnavailable: 0,
  /** The reader broke its word and rejected. */
  callsBroken: 0,
  /** Aborted, or never sent, since nobody waited any more. */
  callsAbandoned: 0,
  hedges: 0,
  hedgesWon: 0,
  /** A call was slow, but it had its share of hedges, or no place was free. */
  hedgesRefused: 0,
  /** Calls not sent again: retries had their share. */
  retriesRefused: 0,
  /** Flights that ended without an answer, whoever waited for them. */
  failures: 0,
  /** Flights under way that later requests may not join, since their key was written. */
  flightsSecluded: 0,
  waitersLate: 0,
  waitersGone: 0,
  /** Their rows were too large together. */
  waitersRejected: 0,
})
