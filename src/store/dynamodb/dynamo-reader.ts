/**
 * Reads Feast's tables in DynamoDB: a batch is one BatchGetItem, its reply becomes rows. Tables that
 * DynamoDB refuses to read fail alone, and are left alone for a while.
 */
import { Fault } from '../../base/fault.ts'
import {
  LAYOUTS_MAX,
  PROJECTIONS_MAX,
  REFUSED_TABLE_MS,
  TABLES_MAX,
  TABLE_PROBLEM_MS,
} from '../../base/limits.ts'
import { utf8Decoder } from '../../base/utf8.ts'
import { EntityIds } from '../../row/entity-id.ts'
import { keyPrefix } from '../../row/entity-key.ts'
import type { Layout } from '../../row/layout.ts'
import { encodeLayout } from '../../row/layout.ts'
import type { CallReader, CallResult } from '../coalesce/call-reader.ts'
import type { ReadBatch } from '../read-batch.ts'
import { FAILED, FOUND, MISSING } from '../read-batch.ts'
import type { TableUse } from '../store.ts'
import type { DynamoCalls } from './dynamo-client.ts'
import { DynamoFailure } from './dynamo-failure.ts'
import { ItemScanner } from './item-scanner.ts'
import { ANSWERED, ReadCall, TOO_LARGE, UNPROCESSED } from './read-call.ts'
import type { ReadTable } from './read-table.ts'
import { joinKeysOf, makeReadTable } from './read-table.ts'
import { makeReaderCounters } from './reader-counters.ts'
import type { TimeTexts } from './reply-scanner.ts'
import { ReplyScanner } from './reply-scanner.ts'

/** Calls kept for the next batch, each with its body's buffer of some KB. */
const SPARE_CALLS_MAX = 64

type Parts = {
  readonly calls: DynamoCalls
  /** A table's name in DynamoDB, by its view's table name. */
  readonly tableName: (name: string) => string
  readonly consistentReads: boolean
  readonly callKeysMax: number
}

/** Of one callMany. */
type Asked = {
  readonly batch: ReadBatch
  /** On the reader's clock. */
  readonly untilMs: number
  readonly signal: AbortSignal
  readonly texts: TimeTexts | undefined
}

export class DynamoReader implements CallReader {
  readonly callKeysMax: number
  /** Why tables can't be read, by their names in DynamoDB: it ends with the next answer. */
  readonly #problems = new Map<string, { readonly why: string; readonly atMs: number }>()
  readonly counters = makeReaderCounters()
  readonly #parts: Parts
  readonly #clock: () => number
  /** By number; number 0 is no table. */
  readonly #tables: (ReadTable | undefined)[] = [undefined]
  readonly #numbers = new Map<string, number>()
  /** For each number when it may be asked again after it was refused. */
  readonly #refusedUntilMs: number[] = [0]
  readonly #layouts: (Uint8Array | undefined)[] = [undefined]
  readonly #scanners: (ItemScanner | undefined)[] = [undefined]
  readonly #layoutNumbers = new Map<string, number>()
  readonly #ids = new Map<string, EntityIds>()
  /** Numbers that stand for a part of a wide view. */
  #projections = 0
  readonly #spare: ReadCall[] = []

  constructor(parts: Parts, clock: () => number = () => performance.now()) {
    this.callKeysMax = parts.callKeysMax
    this.#parts = parts
    this.#clock = clock
  }

  /** Why tables can't be read, for people. One that nobody asks for any more is left out after a while. */
  get problems(): ReadonlyMap<string, string> {
    const sinceMs = this.#clock() - TABLE_PROBLEM_MS
    for (const [name, { atMs }] of this.#problems) if (atMs < sinceMs) this.#problems.delete(name)
    return new Map([...this.#problems].map(([name, { why }]) => [name, why]))
  }

  /** Registers what is read in this way, once; throws `too_large` for one table too many. */
  tableNumber(name: string, keySignature: string, use: TableUse): number {
    const layoutNumber = this.#layoutNumber(use.layout)
    const asked = use.features?.toSorted()
    const identityOf = (part: Uint32Array | undefined): string =>
      JSON.stringify([name, keySignature, layoutNumber, part?.join() ?? 'all'])
    const isProjected = asked !== undefined && this.#projections < PROJECTIONS_MAX
    const features = isProjected ? asked : undefined
    const identity = identityOf(features)
    const known = this.#numbers.get(identityOf(asked)) ?? this.#numbers.get(identity)
    if (known !== undefined) return known
    if (this.#tables.length > TABLES_MAX) throw tooMany('tables', TABLES_MAX)
    if (isProjected) this.#projections++
    const number = this.#tables.length
    this.#tables.push(
      makeReadTable({
        dynamoName: this.#parts.tableName(name),
        layoutNumber,
        ids: this.#idsOf(keySignature),
        scanner: this.#scanners[layoutNumber]!,
        features,
        consistentReads: this.#parts.consistentReads,
      }),
    )
    this.#refusedUntilMs.push(-Infinity)
    this.#numbers.set(identity, number)
    return number
  }

  #idsOf(keySignature: string): EntityIds {
    const known = this.#ids.get(keySignature)
    if (known !== undefined) return known
    const made = new EntityIds(keyPrefix(joinKeysOf(keySignature)))
    this.#ids.set(keySignature, made)
    return made
  }

  #layoutNumber(layout: Layout): number {
    const bytes = encodeLayout(layout)
    const text = utf8Decoder.decode(bytes)
    const known = this.#layoutNumbers.get(text)
    if (known !== undefined) return known
    const number = this.#layouts.length
    if (number > LAYOUTS_MAX) throw tooMany('layouts', LAYOUTS_MAX)
    this.#layouts.push(bytes)
    this.#scanners.push(new ItemScanner(layout, this.counters))
    this.#layoutNumbers.set(text, number)
    return number
  }

  layoutBytes(layout: number): Uint8Array {
    const bytes = this.#layouts[layout]
    if (bytes === undefined) throw new Fault('store_damaged', `there is no layout ${layout}`)
    return bytes
  }

  /** As CallReader says; `texts` gets the stored text of each found item's event_ts. */
  async callMany(
    batch: ReadBatch,
    msMax: number,
    signal: AbortSignal,
    texts?: TimeTexts,
  ): Promise<CallResult> {
    const asked: Asked = { batch, untilMs: this.#clock() + msMax, signal, texts }
    const left = this.#answerable(batch)
    const call = this.#take(asked, left)
    if (call === undefined) return 'answered'
    const second = this.#take(asked, left)
    if (second === undefined) return this.#ask(asked, call)
    this.counters.batchesSplit++
    const asks = [this.#ask(asked, call)]
    for (let next: ReadCall | undefined = second; next !== undefined;) {
      asks.push(this.#ask(asked, next))
      next = this.#take(asked, left)
    }
    return together(await Promise.all(asks))
  }

  /** The tables of the keys that are to be asked for; the others are answered here. */
  #answerable(batch: ReadBatch): Uint16Array {
    const left = batch.tables.slice(0, batch.count)
    let nowMs = NaN
    for (let place = 0; place < left.length; place++) {
      const number = left[place]!
      if (number === 0) batch.states[place] = MISSING
      else if (this.#refusedUntilMs[number]! > -Infinity) {
        if (Number.isNaN(nowMs)) nowMs = this.#clock()
        if (this.#refusedUntilMs[number]! <= nowMs) continue
        this.#fail(batch, place)
        left[place] = 0
      }
    }
    return left
  }

  #fail(batch: ReadBatch, place: number): void {
    batch.states[place] = FAILED
    this.counters.keysRefused++
  }

  /** A call that holds what it can of what is left; undefined where nothing is. */
  #take({ batch }: Asked, left: Uint16Array): ReadCall | undefined {
    const call = this.#spare.pop() ?? new ReadCall()
    if (call.fill(batch, left, this.#tables, this.callKeysMax) > 0) return call
    this.#keep(call)
    return undefined
  }

  #keep(call: ReadCall): void {
    if (this.#spare.length < SPARE_CALLS_MAX) this.#spare.push(call)
  }

  async #ask(asked: Asked, call: ReadCall): Promise<CallResult> {
    const outcome = await this.#send(asked, call)
    if (typeof outcome === 'string') {
      this.#keep(call)
      return outcome
    }
    if (call.tables.length > 1) return this.#askAlone(asked, call)
    this.#refuse(asked.batch, call, outcome)
    this.#keep(call)
    return 'answered'
  }

  /** One table may have spoilt the call for the others: each is asked alone. */
  async #askAlone(asked: Asked, call: ReadCall): Promise<CallResult> {
    const asks = call.numbers.map((number, index) => {
      const left = new Uint16Array(asked.batch.count)
      for (let own = 0; own < call.count; own++) {
        if (call.tableOf[own] === index) left[call.places[own]!] = number
      }
      const part = this.#take(asked, left)
      return part === undefined ? 'answered' : this.#ask(asked, part)
    })
    this.#keep(call)
    return together(await Promise.all(asks))
  }

  /** How the call went, or the failure that says that it will be refused again. */
  async #send(asked: Asked, call: ReadCall): Promise<CallResult | DynamoFailure> {
    const { batch, signal, untilMs } = asked
    const nowMs = this.#clock()
    this.counters.storeCalls++
    this.counters.storeKeysAsked += call.count
    for (let own = 0; own < call.count; own++) batch.asOfMs[call.places[own]!] = nowMs
    try {
      const msMax = Math.max(0, untilMs - nowMs)
      const reply = await this.#parts.calls.call('BatchGetItem', call.body, msMax, signal)
      return this.#read(reply, asked, call)
    } catch (thrown) {
      return this.#failed(thrown, call, signal.aborted)
    }
  }

  #failed(thrown: unknown, call: ReadCall, isGivenUp: boolean): CallResult | DynamoFailure {
    if (isGivenUp) {
      this.counters.storeCallsGivenUp++
      return 'unavailable'
    }
    if (thrown instanceof DynamoFailure && thrown.kind === 'refused') {
      this.counters.storeCallsRefused++
      return thrown
    }
    if (thrown instanceof DynamoFailure && thrown.kind === 'throttled') {
      this.counters.storeCallsThrottled++
      return 'throttled'
    }
    this.counters.storeCallsUnavailable++
    // No failure of the store: nobody waits for a promise that rejects, so it is told here.
    if (!(thrown instanceof DynamoFailure)) this.#tell(call, String(thrown))
    return 'unavailable'
  }

  #tell(call: ReadCall, why: string): void {
    for (const table of call.tables) {
      this.#problems.set(table.dynamoName, { why, atMs: this.#clock() })
    }
  }

  #refuse(batch: ReadBatch, call: ReadCall, { exception, message }: DynamoFailure): void {
    this.#tell(call, message.startsWith(exception) ? message : `${exception}: ${message}`)
    this.#refusedUntilMs[call.numbers[0]!] = this.#clock() + REFUSED_TABLE_MS
    for (let own = 0; own < call.count; own++) this.#fail(batch, call.places[own]!)
  }

  #read(reply: Uint8Array, { batch, texts }: Asked, call: ReadCall): CallResult {
    this.counters.storeReplyBytes += reply.length
    const scanner = new ReplyScanner(call, batch, texts)
    if (!scanner.scan(reply)) {
      this.counters.repliesMalformed++
      return 'unavailable'
    }
    this.counters.itemsUnasked += scanner.unasked
    for (const number of call.numbers) this.#refusedUntilMs[number] = -Infinity
    if (this.#problems.size > 0) {
      for (const { dynamoName } of call.tables) this.#problems.delete(dynamoName)
    }
    this.#settle(batch, call)
    return 'answered'
  }

  /** Only now, with the whole reply read, does anybody see a row of it. */
  #settle(batch: ReadBatch, call: ReadCall): void {
    for (let own = 0; own < call.count; own++) {
      const place = call.places[own]!
      const mark = call.marks[own]!
      if (mark === ANSWERED) batch.states[place] = FOUND
      else if (mark === TOO_LARGE) batch.states[place] = FAILED
      else if (mark === UNPROCESSED) this.counters.keysUnprocessed++
      else batch.states[place] = MISSING
    }
  }
}

/** Of calls for one batch: keys that one left without an answer can be asked for again. */
function together(results: readonly CallResult[]): CallResult {
  if (results.includes('answered')) return 'answered'
  return results.includes('throttled') ? 'throttled' : 'unavailable'
}

const tooMany = (what: string, max: number): Fault =>
  new Fault('too_large', `more ${what} were read since the start than can be told apart`, {
    allowed: `${max} ${what}: start again`,
  })
