/** Keys that are asked for by one call, from the first key until each has its answer or nobody waits. */
import type { ReadBatch } from '../read-batch.ts'
import type { Due } from './due-queue.ts'
import { NOT_QUEUED } from './due-queue.ts'

/** Where a call is: being filled, waiting for a free place, under way, its reply read, before a retry. */
export type CallState = 'open' | 'queued' | 'flying' | 'settling' | 'resting'

export class Call implements Due {
  readonly number: number
  readonly batch: ReadBatch
  /** How many times its keys have been sent. */
  tries: number
  state: CallState = 'open'
  /** Flights that somebody waits for. */
  wanted = 0
  /** Its retry was paid for. */
  isPaid = false
  first: Attempt | undefined = undefined
  hedge: Attempt | undefined = undefined
  /** When it is retried, or hedged. */
  dueMs = 0
  dueAt = NOT_QUEUED
  /** Neighbours in the CallQueue. */
  next: Call | undefined = undefined
  before: Call | undefined = undefined

  constructor(number: number, batch: ReadBatch, tries: number) {
    this.number = number
    this.batch = batch
    this.tries = tries
  }
}

/** A call as it is sent once. */
export class Attempt {
  readonly call: Call
  readonly batch: ReadBatch
  readonly startMs: number
  readonly #abort = new AbortController()
  /** It resolved: nobody writes to its batch. */
  hasReplied = false
  /** Its call is done with it: a reply that still comes is ignored. */
  isOver = false

  constructor(call: Call, batch: ReadBatch, startMs: number) {
    this.call = call
    this.batch = batch
    this.startMs = startMs
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  abort(): void {
    this.#abort.abort()
  }
}

/** Calls that wait for a free place, in their order; one leaves from the middle when nobody waits for it. */
export class CallQueue {
  #first: Call | undefined = undefined
  #last: Call | undefined = undefined

  push(call: Call): void {
    call.before = this.#last
    if (this.#last === undefined) this.#first = call
    else this.#last.next = call
    this.#last = call
  }

  shift(): Call | undefined {
    const call = this.#first
    if (call !== undefined) this.remove(call)
    return call
  }

  remove(call: Call): void {
    const { before, next } = call
    if (before === undefined) this.#first = next
    else before.next = next
    if (next === undefined) this.#last = before
    else next.before = before
    call.before = call.next = undefined
  }
}
