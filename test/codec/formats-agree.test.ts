/** JSON, msgpack and binary tell the same of one answer. */
import { describe, expect, test } from 'bun:test'
import { Unpackr } from 'msgpackr'
import { parseJson } from '../../src/base/exact-json.ts'
import { readTimeText } from '../../src/base/time-text.ts'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import { BinaryReplyView } from '../../src/client/binary-reply-view.ts'
import type { BlockView } from '../../src/client/block-view.ts'
import { binaryReply } from '../../src/codec/binary-reply.ts'
import { jsonReply } from '../../src/codec/json-reply.ts'
import { msgpackReply } from '../../src/codec/msgpack-reply.ts'
import type { Answer, AnswerBlock } from '../../src/query/query.ts'
import { ROW_LATE, ROW_NOT_FOUND, ROW_PRESENT } from '../../src/query/query.ts'
import { asZoned } from '../../src/row/plain-forms.ts'
import { zonedText } from '../../src/row/zoned-text.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { cellOf, withRandomAnswer } from './random-answer.ts'
import { differenceOf } from './same-value.ts'

const utf8 = new TextDecoder()
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false })

/** A reply of JSON or msgpack, whichever way its maps were read. */
const field = (map: unknown, name: string): unknown =>
  map instanceof Map ? map.get(name) : Reflect.get(Object(map), name)

function expectColumnar(answer: Answer, reply: unknown, timeOf: (time: unknown) => unknown): void {
  expect(field(reply, 'rows')).toBe(answer.rows)
  expect(field(reply, 'late')).toBe(answer.lateCells)
  const blocks = field(reply, 'blocks')
  if (!Array.isArray(blocks)) throw new Error('no list of blocks')
  expect(blocks).toHaveLength(answer.blocks.length)
  answer.blocks.forEach((block, place) => expectColumnarBlock(answer, block, blocks[place], timeOf))
}

function expectColumnarBlock(
  answer: Answer,
  block: AnswerBlock,
  given: unknown,
  timeOf: (time: unknown) => unknown,
): void {
  expect(field(given, 'view')).toBe(block.plan.name)
  expect(field(given, 'broadcast')).toBe(block.broadcast)
  const { features, statuses, times } = {
    features: field(given, 'features'),
    statuses: field(given, 'statuses'),
    times: field(given, 'event_times'),
  }
  expect(statuses === undefined).toBe(!answer.query.statuses)
  expect(times === undefined).toBe(!answer.query.eventTimes)
  block.plan.features.forEach((position, column) => {
    const { name } = block.plan.view.features[position]!
    const values = field(features, name)
    if (!Array.isArray(values)) throw new Error(`no list of values of ${name}`)
    const cells = Array.from({ length: block.rows }, (_, row) => cellOf(answer, block, row, column))
    const meant = cells.map(({ value }) => value)
    expect(differenceOf(meant, values, name)).toBe('')
    if (statuses !== undefined) {
      expect(field(statuses, name)).toEqual(cells.map(({ status }) => status))
    }
  })
  if (!Array.isArray(times)) return
  expect(times.map(timeOf)).toEqual(eventTimes(answer, block))
}

const eventTimes = (answer: Answer, block: AnswerBlock): (number | null)[] =>
  Array.from(block.places, (place) => {
    const state = answer.rowStates[place]
    return state === ROW_NOT_FOUND || state === ROW_LATE ? null : answer.batch.times[place]!
  })

function expectBinary(answer: Answer, reply: BinaryReplyView): void {
  expect(reply.rows).toBe(answer.rows)
  expect(reply.lateCells).toBe(answer.lateCells)
  expect(reply.schema.id).toBe(answer.plan.schemaId)
  expect(reply.blocks).toHaveLength(answer.blocks.length)
  answer.blocks.forEach((block, place) => expectBinaryBlock(answer, block, reply.blocks[place]!))
}

function expectBinaryBlock(answer: Answer, block: AnswerBlock, view: BlockView): void {
  expect(view.view).toBe(block.plan.name)
  expect(view.broadcast).toBe(block.broadcast)
  const tellsMissing = answer.query.form === 'rows' || answer.query.statuses
  for (let row = 0; row < answer.rows; row++) {
    const blockRow = block.broadcast ? 0 : row
    block.plan.features.forEach((_, column) => {
      const { value, status } = cellOf(answer, block, blockRow, column)
      const name = view.features[column]!
      const isMissing = value === null || Number.isNaN(value)
      const given = readable(view.value(row, name))
      if (!isMissing) expect(differenceOf(value, given, name)).toBe('')
      else if (tellsMissing || given === null) expect(given).toBeNull()
      else expect(Number(given)).toBe(0)
      if (tellsMissing) expect(view.status(row, name)).toBe(status)
    })
  }
  if (answer.query.eventTimes) {
    const meant = eventTimes(answer, block).map((time) => time ?? NaN)
    expect(meant.map((_, row) => view.eventTimeUs(row)!)).toEqual(meant)
  } else expect(view.eventTimeUs(0)).toBeUndefined()
}

/** Zoned times are the one value that the client gives whole, and the texts as text in their zone. */
function readable(value: unknown): unknown {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isMap || ArrayBuffer.isView(value)) {
    return Array.isArray(value) ? value.map(readable) : value
  }
  const isZoned = 'zone' in value && 'seconds' in value && Object.getPrototypeOf(value) !== null
  if (isZoned) return zonedText(asZoned(value as PlainValue)) // told from maps by its prototype
  return new Map(Object.entries(value).map(([key, inner]) => [key, readable(inner)]))
}

describe.each([
  ['any types', { oneType: false, home: 'memory' }, 60],
  ['one type of fixed width', { oneType: true, home: 'memory' }, 60],
  ['any types, from the embedded store', { oneType: false, home: 'embedded' }, 6],
] as const)('answers of %s', (name, kind, steps) => {
  test('are told alike in JSON, msgpack and binary', async () => {
    const random = new SeededRandom(`formats-agree, ${name}`)
    let rowsFound = 0
    for (let step = 0; step < stepsOf(steps); step++) {
      await withRandomAnswer(random, kind, (answer) => {
        const places = answer.blocks.flatMap((block) => Array.from(block.places))
        rowsFound += places.filter((place) => answer.rowStates[place] === ROW_PRESENT).length
        const json = parseJson(utf8.decode(jsonReply.encode(answer, 'include')))
        expectColumnar(answer, json, (time) => (time === null ? null : readTimeText(String(time))))
        const msgpack: unknown = unpackr.unpack(msgpackReply.encode(answer, 'include'))
        expectColumnar(answer, msgpack, (time) => (time === null ? null : Number(time)))
        expectBinary(answer, new BinaryReplyView(binaryReply.encode(answer, 'include')))
        if (!kind.oneType) return
        const asMatrix = { ...answer, query: { ...answer.query, form: 'matrix' as const } }
        expectBinary(asMatrix, new BinaryReplyView(binaryReply.encode(asMatrix, 'include')))
      })
    }
    expect(rowsFound).toBeGreaterThan(0)
  })
})
