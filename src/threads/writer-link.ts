/** A serving thread's side of the writer thread: hands it writes, and keeps this thread's reader current. */
import { Fault } from '../base/fault.ts'
import { LANE_QUEUE_BYTES_MAX, LANE_QUEUE_WRITES_MAX } from '../base/limits.ts'
import { Room } from '../base/room.ts'
import type { WriteCall, WriteLane, WriteReply } from '../http/write-lane.ts'
import type { StoreStats } from '../store/store.ts'
import type { AskKind, Asks, FromWriter, PreparedCatalog, ToWriter } from './messages.ts'
import { faultFromMessage } from './messages.ts'

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (why: Error) => void }

const LANE_BOUNDS = { countMax: LANE_QUEUE_WRITES_MAX, bytesMax: LANE_QUEUE_BYTES_MAX }

export class WriterLink<Update> implements WriteLane {
  readonly #port: MessagePort
  readonly #apply: (update: Update) => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #queues = { direct: new Room(LANE_BOUNDS), batch: new Room(LANE_BOUNDS) }
  #lastId = 0
  #dead: Fault | undefined

  /** `apply` brings this thread's reader up to date, and gives the update's number. */
  constructor(port: MessagePort, apply: (update: Update) => number) {
    this.#port = port
    this.#apply = apply
    // A message is a turn of the loop of its own: no request of this thread is half answered in it.
    port.onmessage = ({ data }: { readonly data: FromWriter<Update> }) => this.#receive(data)
  }

  async write(call: WriteCall): Promise<WriteReply> {
    const bytes = call.body.length
    await this.#enter(call.lane, bytes)
    try {
      return await this.#ask('write', call, [call.body.buffer as ArrayBuffer]) // given away by contract
    } finally {
      this.#queues[call.lane].leave(bytes)
    }
  }

  stats(): Promise<StoreStats> {
    return this.#ask('stats', null)
  }

  prepare(prepared: PreparedCatalog): Promise<null> {
    return this.#ask('prepare', prepared)
  }

  /** Call it once this thread answers by the prepared catalog. */
  adopt(generation: number): Promise<null> {
    return this.#ask('adopt', generation)
  }

  /** Writes that were handed over before are finished first. */
  async close(): Promise<void> {
    await this.#ask('close', null)
    this.#port.close()
  }

  /** The writer thread is gone: whoever waits for it learns why. */
  fail(why: Fault): void {
    this.#dead = why
    for (const { reject } of this.#waiting.values()) reject(why)
    this.#waiting.clear()
  }

  async #enter(lane: WriteCall['lane'], bytes: number): Promise<void> {
    const queue = this.#queues[lane]
    if (lane === 'batch') await queue.waitToEnter(bytes)
    else if (!queue.enter(bytes)) {
      throw new Fault('overloaded', 'the queue of direct writes is full', {
        allowed: `${LANE_QUEUE_WRITES_MAX} writes of ${LANE_QUEUE_BYTES_MAX} bytes together`,
      })
    }
  }

  #ask<K extends AskKind>(
    kind: K,
    ask: Asks[K]['ask'],
    transfer: ArrayBuffer[] = [],
  ): Promise<Asks[K]['answer']> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#port.postMessage({ kind, id, ask } as ToWriter, transfer) // K pairs the kind with its ask
    })
  }

  #receive(message: FromWriter<Update>): void {
    if (message.kind === 'update') {
      this.#post({ kind: 'acknowledge', update: this.#apply(message.update) })
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (waiting === undefined) return // it was told that the thread is gone
    if (message.kind === 'fault') waiting.reject(faultFromMessage(message.fault))
    else if (message.kind === 'failure') waiting.reject(new Error(message.text))
    else waiting.resolve(message.answer as never) // the writer answers an ask of kind K by Asks[K]
  }

  #post(message: ToWriter): void {
    this.#port.postMessage(message)
  }
}
