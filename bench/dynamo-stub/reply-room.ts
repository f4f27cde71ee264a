/** Replies of BatchGetItem, put together beside the items, and written as the socket takes them. */
import { crc32 } from 'node:zlib'
import { CALL_KEYS_MAX } from './held-calls.ts'
import { ItemArena } from './item-arena.ts'
import { STUB_TABLE } from './stub-items.ts'

/** Replies that a socket took only a part of, at the same time. */
const REPLIES_MAX = 256
/** Status, headers, and what stands before and behind the items. */
const FRAME_BYTES_MAX = 512

/** Of the body, as DynamoDB sends it: SDKs compute it too, and some say so aloud where it differs. */
const CRC_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-crc32: '
/** Room for the largest; a smaller one stands behind spaces. */
const CRC_CHARS = 10
const HEAD = `${CRC_HEAD}${' '.repeat(CRC_CHARS)}\r\ncontent-length: `
const BODY_HEAD = `{"Responses":{"${STUB_TABLE}":[`
const BODY_TAIL = Buffer.from(']},"UnprocessedKeys":{}}')
const COMMA = 0x2c

export class ReplyRoom {
  readonly arena: ItemArena
  readonly #text: Buffer
  readonly #slotBytes: number
  readonly #free = Int32Array.from({ length: REPLIES_MAX }, (_, slot) => slot)
  #freeCount = REPLIES_MAX

  constructor(rows: number) {
    this.arena = new ItemArena(rows, (itemBytesMax) => REPLIES_MAX * slotBytes(itemBytesMax))
    this.#slotBytes = slotBytes(this.arena.itemBytesMax)
    this.#text = Buffer.from(this.arena.bytes.buffer)
  }

  /** A slot for a reply, or -1: too many callers do not read what they asked for. */
  take(): number {
    return this.#freeCount === 0 ? -1 : this.#free[--this.#freeCount]!
  }

  giveBack(slot: number): void {
    this.#free[this.#freeCount++] = slot
  }

  startOf(slot: number): number {
    return this.arena.itemsEnd + slot * this.#slotBytes
  }

  /** Writes the reply that holds these items; returns where it ends in the arena's bytes. */
  fill(slot: number, items: Int32Array, from: number, count: number): number {
    const { arena } = this
    let bodyBytes = BODY_HEAD.length + BODY_TAIL.length + Math.max(count - 1, 0)
    for (let at = from; at < from + count; at++) bodyBytes += arena.itemBytes(items[at]!)
    const start = this.startOf(slot)
    const bodyStart = start + this.#text.write(`${HEAD}${bodyBytes}\r\n\r\n`, start, 'latin1')
    let end = bodyStart + this.#text.write(BODY_HEAD, bodyStart, 'latin1')
    for (let at = from; at < from + count; at++) {
      if (at > from) arena.bytes[end++] = COMMA
      end = arena.copyItem(items[at]!, end)
    }
    arena.bytes.set(BODY_TAIL, end)
    end += BODY_TAIL.length
    const sum = `${crc32(arena.bytes.subarray(bodyStart, end))}`.padStart(CRC_CHARS)
    this.#text.write(sum, start + CRC_HEAD.length, 'latin1')
    return end
  }
}

const slotBytes = (itemBytesMax: number): number =>
  FRAME_BYTES_MAX + CALL_KEYS_MAX * (itemBytesMax + 1)
