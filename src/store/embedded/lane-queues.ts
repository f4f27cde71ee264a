/** Writes that wait for the writer, in one bounded queue for each lane. */
import { Fault } from '../../base/fault.ts'
import { LANE_QUEUE_BYTES_MAX, LANE_QUEUE_WRITES_MAX } from '../../base/limits.ts'
import type { Lane } from '../write-batch.ts'
import type { QueuedWrite } from './queued-write.ts'

/** In the order in which they go into a group. */
export const LANES: readonly Lane[] = ['direct', 'stream', 'batch']

class LaneQueue {
  readonly writes: QueuedWrite[] = []
  bytes = 0
  /** Settled when the caller before has entered: callers enter in the order in which they came. */
  turn: Promise<void> = Promise.resolve()
  /** Wakes the caller whose turn it is. */
  roomMade: () => void = () => undefined

  isFull(): boolean {
    return this.writes.length >= LANE_QUEUE_WRITES_MAX || this.bytes >= LANE_QUEUE_BYTES_MAX
  }

  push(write: QueuedWrite): void {
    this.writes.push(write)
    this.bytes += write.bytes
  }

  shift(): void {
    const write = this.writes.shift()
    if (write !== undefined) this.bytes -= write.bytes
    this.roomMade()
  }
}

export class LaneQueues {
  readonly #queues: Readonly<Record<Lane, LaneQueue>> = {
    direct: new LaneQueue(),
    stream: new LaneQueue(),
    batch: new LaneQueue(),
  }

  /** A full queue refuses a direct write; others wait for room, in the order in which they came. */
  async enter(write: QueuedWrite): Promise<void> {
    const queue = this.#queues[write.batch.lane]
    if (write.batch.lane === 'direct') {
      if (queue.isFull()) throw overloaded()
      queue.push(write)
      return
    }
    const turn = queue.turn
    const entered = Promise.withResolvers<void>()
    queue.turn = entered.promise
    await turn
    while (queue.isFull()) await new Promise<void>((resolve) => (queue.roomMade = resolve))
    queue.push(write)
    entered.resolve()
  }

  first(lane: Lane): QueuedWrite | undefined {
    return this.#queues[lane].writes[0]
  }

  /** Takes the first write out of its queue. */
  shift(lane: Lane): void {
    this.#queues[lane].shift()
  }

  isEmpty(): boolean {
    return LANES.every((lane) => this.#queues[lane].writes.length === 0)
  }

  /** Waiting writes of each lane. */
  depths(): Readonly<Record<Lane, number>> {
    const { direct, stream, batch } = this.#queues
    return {
      direct: direct.writes.length,
      stream: stream.writes.length,
      batch: batch.writes.length,
    }
  }
}

const overloaded = (): Fault =>
  new Fault('overloaded', 'too many writes wait for the disk: try again', {
    allowed: `${LANE_QUEUE_WRITES_MAX} writes or ${LANE_QUEUE_BYTES_MAX} bytes waiting`,
  })
