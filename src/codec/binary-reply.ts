/** Answers in binary (format.md, "Reply in binary"): a header, a directory, and rows or matrices copied as they are. */
import { REPLY_BYTES_MAX } from '../base/limits.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { Answer, AnswerBlock, Plan } from '../query/query.ts'
import { schemaText } from '../query/schema-text.ts'
import type { BinaryBlock } from './binary-block.ts'
import { pad8 } from './binary-block.ts'
import { MatrixBlock } from './binary-matrix.ts'
import { RowsBlock } from './binary-rows.ts'
import { replyTooLarge } from './byte-writer.ts'
import type { ReplyEncoder } from './codec.ts'
import { RowLanes, hasEventTime } from './reply-columns.ts'

const MAGIC = 0x5256_4c53 // "SLVR", read as little-endian
const VERSION = 1
const HEADER_BYTES = 48
const ENTRY_BYTES = 64
const FLAG_STATUSES = 1
const FLAG_EVENT_TIMES = 2
const FLAG_BROADCAST = 1

/** The parts of a reply that its plan alone decides. */
type Schema = { readonly section: Uint8Array; readonly idWords: Uint32Array }

const schemas = new WeakMap<Plan, Schema>()

/** Where each section of a block begins; 0 where there is none. */
type Sections = {
  readonly block: AnswerBlock
  readonly binary: BinaryBlock
  readonly valuesAt: number
  readonly endsAt: number
  readonly statesAt: number
  readonly timesAt: number
  readonly bitsAt: number
}

export const binaryReply: ReplyEncoder = {
  contentTypes: ['application/vnd.salver'],
  encode(answer, schema) {
    const { blocks, end } = laidOut(answer)
    const { section } = schemaOf(answer.plan)
    const schemaAt = schema === 'include' ? end : 0
    const replyBytes = schema === 'include' ? pad8(end + section.length) : end
    if (replyBytes > REPLY_BYTES_MAX) throw replyTooLarge()
    const reply = new RowLanes(new Uint8Array(replyBytes))
    writeHeader(reply, answer, schemaAt)
    blocks.forEach((sections, index) => {
      writeEntry(reply, HEADER_BYTES + index * ENTRY_BYTES, sections)
      writeSections(reply, answer, sections)
    })
    if (schemaAt > 0) reply.bytes.set(section, schemaAt)
    return reply.bytes
  },
}

function laidOut(answer: Answer): { blocks: Sections[]; end: number } {
  const rows = new RowLanes(answer.batch.rows)
  let end = HEADER_BYTES + answer.blocks.length * ENTRY_BYTES
  const take = (bytes: number): number => {
    const start = end
    end = pad8(end + bytes)
    return bytes === 0 ? 0 : start
  }
  const blocks = answer.blocks.map((block): Sections => {
    const isMatrix = answer.query.form === 'matrix'
    const binary = isMatrix
      ? new MatrixBlock(answer, block, rows)
      : new RowsBlock(answer, block, rows)
    return {
      block,
      binary,
      valuesAt: take(binary.valuesBytes),
      endsAt: take(binary.stride === 0 ? 4 * block.rows : 0),
      statesAt: take(block.rows),
      timesAt: take(answer.query.eventTimes ? 8 * block.rows : 0),
      bitsAt: take(binary.bitsStride * block.rows),
    }
  })
  return { blocks, end }
}

function writeHeader(reply: RowLanes, answer: Answer, schemaAt: number): void {
  const { words } = reply
  const { section, idWords } = schemaOf(answer.plan)
  const { statuses, eventTimes } = answer.query
  words[0] = MAGIC
  words[1] = VERSION | (answer.blocks.length << 16)
  words[2] = reply.bytes.length
  words[3] = answer.rows
  words[4] = idWords[0]!
  words[5] = idWords[1]!
  words[6] = schemaAt
  words[7] = schemaAt === 0 ? 0 : section.length
  words[8] = answer.lateCells
  words[9] = (statuses ? FLAG_STATUSES : 0) | (eventTimes ? FLAG_EVENT_TIMES : 0)
}

function writeEntry(reply: RowLanes, at: number, sections: Sections): void {
  const { block, binary } = sections
  const { words } = reply
  const first = at >>> 2
  const flags = block.broadcast ? FLAG_BROADCAST : 0
  words[first] = binary.form | (flags << 8) | (block.plan.features.length << 16)
  words[first + 1] = block.rows
  words[first + 2] = sections.valuesAt
  words[first + 3] = binary.valuesBytes
  words[first + 4] = binary.stride
  words[first + 5] = sections.endsAt
  words[first + 6] = sections.statesAt
  words[first + 7] = sections.timesAt
  words[first + 8] = sections.bitsAt
  words[first + 9] = binary.bitsStride
  words[first + 10] = binary.typeNumber
}

function writeSections(reply: RowLanes, answer: Answer, sections: Sections): void {
  const { block, binary, statesAt, timesAt } = sections
  const { rowStates, batch } = answer
  binary.write(reply, sections.valuesAt, sections.endsAt, sections.bitsAt)
  for (let row = 0; row < block.rows; row++) {
    reply.bytes[statesAt + row] = rowStates[block.places[row]!]!
  }
  if (timesAt === 0) return
  for (let row = 0; row < block.rows; row++) {
    const place = block.places[row]!
    reply.doubles[timesAt / 8 + row] = hasEventTime(answer, place) ? batch.times[place]! : NaN
  }
}

function schemaOf(plan: Plan): Schema {
  const known = schemas.get(plan)
  if (known !== undefined) return known
  const schema = {
    section: utf8Encoder.encode(schemaText(plan.blocks)),
    idWords: new Uint32Array(Uint8Array.fromHex(plan.schemaId).buffer),
  }
  schemas.set(plan, schema)
  return schema
}
