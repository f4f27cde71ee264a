/**
 * Request coalescing over a remote store: keys of requests that arrive together are packed into the
 * same calls, equal keys under way are fetched once, and each waiter leaves at its own deadline.
 *
 * A key's way: it joins a flight under way, or is added to the open call. That is sent at the end of
 * the turn, or when it is full, and waits only while the calls under way are at their bound. What a
 * call leaves unanswered is sent again after a rest, or fails for all who wait.
 */
import {
  HEDGE_MS_MIN,
  HEDGE_SHARE,
  HEDGE_TOKENS_MAX,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  RETRY_SHARE,
  RETRY_SOON_MS,
  RETRY_TOKENS_MAX,
} from '../../base/limits.ts'
import type { ReadBatch } from '../read-batch.ts'
import { FAILED, MISSING, PENDING } from '../read-batch.ts'
import type { RowReader, TableSpec, TableUse, WriteFollower } from '../store.ts'
import type { WriteBatch } from '../write-batch.ts'
import { Attempt, Call, CallQueue } from './call.ts'
import type { CallReader, CallResult } from './call-reader.ts'
import { CallTimes } from './call-times.ts'
import { makeCounters } from './coalesce-counters.ts'
import type { CoalesceSettings } from './coalesce-settings.ts'
import { COALESCE_DEFAULTS } from './coalesce-settings.ts'
import { copyAnswer, copyKey, swapRows } from './copy-answer.ts'
import { DueQueue } from './due-queue.ts'
import { Flights, hashOf } from './flights.ts'
import { TableNames } from './table-names.ts'
import { TokenBucket } from './token-bucket.ts'
import { NONE } from './wait-lists.ts'
import { Waiter } from './waiter.ts'

/** Timers have whole milliseconds and fire up to one late: a waiter is let go as much earlier. */
const TIMER_GRAIN_MS = 1

export class Coalescer implements RowReader, WriteFollower {
  readonly counters = makeCounters()
  readonly #reader: CallReader
  readonly #settings: CoalesceSettings
  readonly #tables = new TableNames()
  readonly #flights: Flights
  readonly #due: DueQueue<Waiter | Call>
  readonly #waiters: Waiter[] = []
  /** Those that wait for nothing; there are as many as were ever needed at once. */
  readonly #idle: Waiter[] = []
  /** Calls being filled: several only while several numbers of one table are asked for. */
  readonly #open: Call[] = []
  readonly #queue = new CallQueue()
  readonly #times = new CallTimes()
  readonly #retries = new TokenBucket(RETRY_SHARE, RETRY_TOKENS_MAX, RETRY_TOKENS_MAX)
  readonly #hedges = new TokenBucket(HEDGE_SHARE, HEDGE_TOKENS_MAX, 0)
  readonly #endTurn: () => void
  #isTurnScheduled = false
  #isClosed = false
  #callsInFlight = 0
  #keysWaiting = 0

  /** What `settings` leaves out is as in limits.ts. */
  constructor(reader: CallReader, settings: Partial<CoalesceSettings>) {
    this.#reader = reader
    this.#settings = { ...COALESCE_DEFAULTS, ...settings }
    this.#flights = new Flights(reader.callKeysMax)
    this.#due = new DueQueue(this.#settings.clock, () => this.#takeDue())
    this.#endTurn = () => {
      this.#isTurnScheduled = false
      this.#sendWaiting()
    }
  }

  /** Calls under way, hedges too; keys that none of them has: not sent yet, or resting. */
  get gauges(): { readonly callsInFlight: number; readonly keysWaiting: number } {
    return { callsInFlight: this.#callsInFlight, keysWaiting: this.#keysWaiting }
  }

  tableNumber(name: string, keySignature: string, use: TableUse): number {
    const table = this.#reader.tableNumber(name, keySignature, use)
    this.#tables.note(name, table)
    return table
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#reader.layoutBytes(layout)
  }

  readMany(batch: ReadBatch, untilMs: number, gone?: AbortSignal): undefined | Promise<void> {
    const nowMs = this.#settings.clock.now()
    this.counters.keysAsked += batch.count
    if (this.#isClosed) return answerWithout(batch, FAILED)
    if (untilMs <= nowMs || gone?.aborted === true) {
      this.counters[gone?.aborted === true ? 'waitersGone' : 'waitersLate']++
      return answerWithout(batch, PENDING)
    }
    const waiter = this.#idle.pop() ?? this.#makeWaiter()
    waiter.start(batch)
    for (let place = 0; place < batch.count; place++) this.#ask(waiter, batch, place)
    if (waiter.waiting === 0) return this.#putBack(waiter)
    const endMs = untilMs === Infinity ? nowMs + this.#settings.readMsMax : untilMs
    this.#due.add(waiter, endMs - TIMER_GRAIN_MS)
    return waiter.promise(gone)
  }

  /** No read that starts from now on joins a flight of these keys that is under way. */
  follow(spec: TableSpec, batch: WriteBatch, _outcomes: Uint8Array | undefined): void {
    if (this.#flights.joinable === 0) return
    for (const table of this.#tables.numbersOf(spec.name)) {
      this.counters.flightsSecluded += this.#flights.secludeFlying(table, batch)
    }
  }

  /** Every waiter's keys fail, and calls under way are aborted; so do keys that are asked for later. */
  close(): void {
    this.#isClosed = true
    for (const waiter of this.#waiters) {
      if (waiter.batch === undefined) continue
      for (let place = 0; place < waiter.batch.count; place++) {
        if (waiter.links[place] !== NONE) waiter.batch.states[place] = FAILED
      }
      this.#leave(waiter)
    }
  }

  #makeWaiter(): Waiter {
    const waiter = new Waiter(this.#waiters.length, (gone) => {
      this.counters.waitersGone++
      this.#leave(gone)
      this.#sendWaiting()
    })
    this.#waiters.push(waiter)
    return waiter
  }

  #ask(waiter: Waiter, batch: ReadBatch, place: number): void {
    const table = batch.tables[place]!
    batch.states[place] = table === 0 ? MISSING : PENDING
    if (table === 0) return
    const hash = hashOf(batch, place)
    const flight = this.#flights.find(batch, place, hash)
    if (flight !== NONE) {
      this.counters.keysJoined++
      this.#wait(waiter, place, flight)
    } else if (this.#keysWaiting < this.#settings.keysWaitingMax) {
      const call = this.#openCall(table)
      this.#keysWaiting++
      this.#wait(waiter, place, this.#flights.add(call, batch, place, hash))
      if (call.batch.count === this.#reader.callKeysMax) this.#closeFull(call)
    } else {
      this.counters.shed++
      batch.states[place] = FAILED
    }
  }

  #wait(waiter: Waiter, place: number, flight: number): void {
    if (!this.#flights.isWanted(flight)) this.#flights.callOf(flight).wanted++
    waiter.links[place] = this.#flights.lists.add(flight, waiter.number, place)
    waiter.waiting++
  }

  /** The first that has no key of the same table under another number: those would be one key twice. */
  #openCall(table: number): Call {
    const rivals = this.#tables.rivalsOf(table)
    for (const call of this.#open) {
      if (rivals === undefined || !holdsRival(call.batch, table, rivals)) return call
    }
    const call = this.#flights.makeCall(0)
    this.#open.push(call)
    this.#scheduleTurn()
    return call
  }

  #closeFull(call: Call): void {
    this.#open.splice(this.#open.indexOf(call), 1)
    this.#enqueue(call)
    this.#sendWaiting()
  }

  #enqueue(call: Call): void {
    call.state = 'queued'
    this.#queue.push(call)
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return
    this.#isTurnScheduled = true
    this.#settings.clock.afterTurn(this.#endTurn)
  }

  /** Fills the free places: with calls that wait, then with those that are open past their turn. */
  #sendWaiting(): void {
    while (this.#callsInFlight < this.#settings.callsInFlightMax) {
      const call = this.#queue.shift() ?? (this.#isTurnScheduled ? undefined : this.#open.shift())
      if (call === undefined) return
      this.#send(call)
    }
  }

  #send(filled: Call): void {
    this.#keysWaiting -= filled.batch.count
    const call = this.#withoutUnwanted(filled)
    call.state = 'flying'
    call.tries++
    call.first = this.#launch(call, call.batch)
    if (call.tries > 1) {
      this.counters.callsRetried++
      return
    }
    this.#retries.earn()
    this.#hedges.earn()
    const slowMs = Math.max(this.#times.slowMs, HEDGE_MS_MIN)
    if (slowMs < this.#settings.callMsMax) this.#due.add(call, call.first.startMs + slowMs)
  }

  /** Keys whose waiters have left are not sent. */
  #withoutUnwanted(call: Call): Call {
    if (call.wanted === call.batch.count) return call
    const packed = this.#flights.repack(call)
    this.#release(call)
    return packed
  }

  #launch(call: Call, batch: ReadBatch): Attempt {
    const attempt = new Attempt(call, batch, this.#settings.clock.now())
    this.#callsInFlight++
    this.counters.calls++
    this.counters.callKeys += batch.count
    void this.#replyOf(attempt).then((reply) => this.#takeReply(attempt, reply))
    return attempt
  }

  async #replyOf({ batch, signal }: Attempt): Promise<CallResult> {
    try {
      return await this.#reader.callMany(batch, this.#settings.callMsMax, signal)
    } catch {
      // Against its contract, yet those who wait must hear of it: it is a call without an answer.
      this.counters.callsBroken++
      return 'unavailable'
    }
  }

  #takeReply(attempt: Attempt, reply: CallResult): void {
    attempt.hasReplied = true
    if (attempt.isOver) {
      this.#flights.batches.keep(attempt.batch)
      return
    }
    this.#callsInFlight--
    const { call } = attempt
    const rival = attempt === call.first ? call.hedge : call.first
    if (reply === 'throttled') this.counters.callsThrottled++
    if (reply === 'unavailable') this.counters.callsUnavailable++
    if (reply === 'answered') this.#noteTimes(attempt)
    const isRivalFlying = rival !== undefined && !rival.hasReplied
    if (reply === 'answered' || !isRivalFlying) this.#settle(call, attempt, reply)
    this.#sendWaiting()
  }

  /** A first attempt that its hedge overtook counts too, or all would look faster than it is. */
  #noteTimes(attempt: Attempt): void {
    const { first, hedge } = attempt.call
    const nowMs = this.#settings.clock.now()
    this.#times.add(nowMs - attempt.startMs)
    if (attempt !== hedge) return
    this.counters.hedgesWon++
    if (first?.hasReplied === false) this.#times.add(nowMs - first.startMs)
  }

  /** Hands out what came, and decides about what did not. */
  #settle(call: Call, { batch, startMs }: Attempt, reply: CallResult): void {
    call.state = 'settling'
    this.#due.remove(call)
    const owner = this.#soleOwner(call, batch)
    if (owner !== undefined) {
      this.#handOver(call, batch, owner, startMs)
      return this.#release(call)
    }
    let answered = 0
    for (let place = 0; place < batch.count; place++) {
      if (batch.states[place] === PENDING) continue
      if (batch.states[place] === FAILED) this.counters.failures++
      this.#deliver(this.#flights.flightAt(call, place), batch, place, startMs)
      answered++
    }
    if (answered < batch.count) this.#retryOrFail(call, startMs, reply, answered > 0)
    this.#release(call)
  }

  /** The one request that waits for all of a call and for nothing else, if the call answered all of it. */
  #soleOwner(call: Call, batch: ReadBatch): Waiter | undefined {
    const { lists } = this.#flights
    const head = lists.heads[this.#flights.flightAt(call, 0)]!
    if (head === NONE) return undefined
    const number = lists.waiters[head]!
    const waiter = this.#waiters[number]!
    if (waiter.waiting !== batch.count || waiter.batch!.rowsUsed !== 0) return undefined
    for (let place = 0; place < batch.count; place++) {
      if (batch.states[place] === PENDING || batch.states[place] === FAILED) return undefined
      if (!lists.isOnly(this.#flights.flightAt(call, place), number)) return undefined
    }
    return waiter
  }

  /** As delivering each key would do, but for the rows: they change hands without being copied. */
  #handOver(call: Call, batch: ReadBatch, waiter: Waiter, asOfMs: number): void {
    const { lists } = this.#flights
    const to = waiter.batch!
    swapRows(batch, to)
    for (let place = 0; place < batch.count; place++) {
      const flight = this.#flights.flightAt(call, place)
      this.#flights.seclude(flight)
      const link = lists.heads[flight]!
      const toPlace = lists.places[link]!
      lists.remove(link)
      waiter.links[toPlace] = NONE
      to.states[toPlace] = batch.states[place]!
      to.times[toPlace] = batch.times[place]!
      to.layouts[toPlace] = batch.layouts[place]!
      to.rowStarts[toPlace] = batch.rowStarts[place]!
      to.rowBytes[toPlace] = batch.rowBytes[place]!
      to.asOfMs[toPlace] = asOfMs
    }
    waiter.waiting = 0
    this.#finish(waiter).resolve()
  }

  #deliver(flight: number, from: ReadBatch, place: number, asOfMs: number): void {
    const { lists } = this.#flights
    this.#flights.seclude(flight)
    for (let link = lists.heads[flight]!; link !== NONE; link = lists.heads[flight]!) {
      const waiter = this.#waiters[lists.waiters[link]!]!
      const toPlace = lists.places[link]!
      lists.remove(link)
      waiter.links[toPlace] = NONE
      waiter.waiting--
      try {
        copyAnswer(from, place, waiter.batch!, toPlace, asOfMs)
      } catch (fault) {
        // Too large for this one request: it alone is refused.
        this.counters.waitersRejected++
        this.#unlink(waiter)
        this.#finish(waiter).reject(fault)
        continue
      }
      if (waiter.waiting === 0) this.#finish(waiter).resolve()
    }
  }

  #retryOrFail(call: Call, startMs: number, reply: CallResult, hasProgressed: boolean): void {
    const isPartial = reply === 'answered' && hasProgressed
    if (isPartial) this.counters.callsPartial++
    const retry = this.#flights.repack(call)
    if (retry.wanted === 0) this.#release(retry)
    else if (isPartial)
      this.#rest(retry, Math.min(RETRY_SOON_MS * 2 ** (call.tries - 1), RETRY_MS_MAX))
    else if (this.#retries.take()) {
      retry.isPaid = true
      this.#rest(retry, Math.min(RETRY_MS_FIRST * 2 ** (call.tries - 1), RETRY_MS_MAX))
    } else this.#fail(retry, startMs)
  }

  #rest(call: Call, msMax: number): void {
    call.state = 'resting'
    this.#keysWaiting += call.batch.count
    this.#due.add(call, this.#settings.clock.now() + this.#settings.random() * msMax)
  }

  #fail(call: Call, startMs: number): void {
    call.state = 'settling'
    this.counters.retriesRefused++
    this.counters.failures += call.batch.count
    for (let place = 0; place < call.batch.count; place++) {
      call.batch.states[place] = FAILED
      this.#deliver(this.#flights.flightAt(call, place), call.batch, place, startMs)
    }
    this.#release(call)
  }

  #takeDue(): void {
    const nowMs = this.#settings.clock.now()
    for (let due = this.#due.take(nowMs); due !== undefined; due = this.#due.take(nowMs)) {
      if (due instanceof Waiter) {
        this.counters.waitersLate++
        this.#leave(due)
      } else if (due.state === 'resting') this.#enqueue(due)
      else this.#hedge(due)
    }
    this.#sendWaiting()
    this.#due.arm()
  }

  #hedge(call: Call): void {
    if (this.#callsInFlight >= this.#settings.callsInFlightMax || !this.#hedges.take()) {
      this.counters.hedgesRefused++
      return
    }
    const batch = this.#flights.batches.take()
    for (let place = 0; place < call.batch.count; place++) copyKey(call.batch, place, batch)
    this.counters.hedges++
    call.hedge = this.#launch(call, batch)
  }

  /** The waiter goes with what it has; calls that serve nobody any more end. */
  #leave(waiter: Waiter): void {
    this.#unlink(waiter)
    this.#finish(waiter).resolve()
  }

  #unlink(waiter: Waiter): void {
    const { lists } = this.#flights
    for (let place = 0; waiter.waiting > 0; place++) {
      const link = waiter.links[place]!
      if (link === NONE) continue
      const flight = lists.flights[link]!
      waiter.links[place] = NONE
      waiter.waiting--
      lists.remove(link)
      if (this.#flights.isWanted(flight)) continue
      const call = this.#flights.callOf(flight)
      if (--call.wanted === 0) this.#abandon(call)
    }
  }

  /** Its buffers are no longer ours; the returned waiter is to be resolved or rejected at once. */
  #finish(waiter: Waiter): Waiter {
    this.#due.remove(waiter)
    waiter.leave()
    this.#idle.push(waiter)
    return waiter
  }

  #putBack(waiter: Waiter): undefined {
    waiter.leave()
    this.#idle.push(waiter)
  }

  /** Nobody waits for the call. One whose reply is being read ends by itself. */
  #abandon(call: Call): void {
    if (call.state === 'settling') return
    if (call.state !== 'flying') this.#keysWaiting -= call.batch.count
    if (call.state === 'open') this.#open.splice(this.#open.indexOf(call), 1)
    if (call.state === 'queued') this.#queue.remove(call)
    if (call.isPaid && call.state !== 'flying') this.#retries.giveBack()
    this.counters.callsAbandoned++
    this.#due.remove(call)
    this.#release(call)
  }

  /** Ends a call for which nobody waits, and what of it is still under way. */
  #release(call: Call): void {
    this.#flights.forget(call)
    if (call.first === undefined) this.#flights.batches.keep(call.batch)
    else this.#end(call.first)
    if (call.hedge !== undefined) this.#end(call.hedge)
  }

  /** The batch of an attempt under way is kept when its reply has come: until then it is written to. */
  #end(attempt: Attempt): void {
    attempt.isOver = true
    if (attempt.hasReplied) this.#flights.batches.keep(attempt.batch)
    else {
      this.#callsInFlight--
      attempt.abort()
    }
  }
}

function holdsRival(batch: ReadBatch, table: number, rivals: readonly number[]): boolean {
  // What let the last key in lets this one in.
  if (batch.tables[batch.count - 1] === table) return false
  for (let place = 0; place < batch.count; place++) {
    const held = batch.tables[place]!
    if (held !== table && rivals.includes(held)) return true
  }
  return false
}

/** Nothing is asked of the store; what no store has is missing all the same. */
function answerWithout({ count, tables, states }: ReadBatch, state: number): undefined {
  for (let place = 0; place < count; place++) states[place] = tables[place] === 0 ? MISSING : state
}
