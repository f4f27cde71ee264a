/** Replies byte by byte, their bounds, and who owns them. */
import { describe, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { REPLY_BYTES_MAX } from '../../src/base/limits.ts'
import { BinaryReplyView } from '../../src/client/binary-reply-view.ts'
import { binaryReply } from '../../src/codec/binary-reply.ts'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import { jsonReply } from '../../src/codec/json-reply.ts'
import { msgpackReply } from '../../src/codec/msgpack-reply.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { makePlan } from '../../src/query/make-plan.ts'
import type { Answer, Query } from '../../src/query/query.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const QUERY: Query = {
  service: '',
  references: [],
  columns: [{ name: 'id', values: [1, 2] }],
  fill: 'null',
  statuses: false,
  eventTimes: false,
  form: 'rows',
  deadlineMs: Infinity,
}

/** The view of row/format.md's example. */
const EXAMPLE = {
  name: 'v',
  keys: { id: 'INT64' },
  features: { clicks: 'INT64', ctr: 'FLOAT', name: 'STRING', hot: 'BOOL', emb: 'FLOAT_LIST' },
} as const

async function answered(changes: Partial<Query>, use: (answer: Answer) => void): Promise<void> {
  const catalog = smallCatalog([EXAMPLE])
  const rows = new MemoryRows()
  rows.put(
    catalog.views[0]!,
    [1],
    { clicks: 7, ctr: 0.5, name: 'ann', hot: null, emb: [1, 2] },
    9e14,
  )
  const query = { ...QUERY, ...changes }
  await new Answerer(rows, () => 1e15).answer(makePlan(catalog, query, rows), query, use)
}

const thrown = (run: () => unknown): Fault => {
  try {
    run()
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
  throw new Error('nothing was thrown')
}

test('a block of form rows holds the rows as they are stored', async () => {
  // The row that row/format.md draws, and the absent row of its layout.
  const row = '07000000000000000000003f006a0200080000000b0000000000803f00000040616e6e0000000000'
  const absent = '00000000000000000000c07f000000000000000000000000'
  await answered({ references: ['v:ctr'] }, (answer) => {
    const reply = binaryReply.encode(answer, 'omit')
    const view = new DataView(reply.buffer)
    const [valuesAt, bytes, stride, endsAt, statesAt] = [56, 60, 64, 68, 72].map((at) =>
      view.getUint32(at, true),
    )
    expect(stride).toBe(0)
    expect(reply.subarray(valuesAt!, valuesAt! + bytes!).toHex()).toBe(row + absent)
    expect([view.getUint32(endsAt!, true), view.getUint32(endsAt! + 4, true)]).toEqual([40, 64])
    expect([...reply.subarray(statesAt!, statesAt! + 2)]).toEqual([0, 1])
    expect(reply.length).toBe(statesAt! + 8)
  })
})

test('msgpack takes the fewest bytes', async () => {
  const references = ['v:clicks', 'v:ctr', 'v:name', 'v:hot', 'v:emb']
  await answered({ references, statuses: true, eventTimes: true }, (answer) => {
    expect(msgpackReply.encode(answer, 'include').toHex()).toBe(
      [
        '83a4726f777302a46c61746500a6626c6f636b7391', // {rows: 2, late: 0, blocks: [
        '85a476696577a176a962726f616463617374c2', // {view: "v", broadcast: false
        'a8666561747572657385', // features: {
        'a6636c69636b739207c0', // clicks: [7, nil]
        'a363747292ca3f000000c0', // ctr: [0.5, nil]
        'a46e616d6592a3616e6ec0', // name: ["ann", nil]
        'a3686f7492c0c0', // hot: [nil, nil]
        'a3656d629292ca3f800000ca40000000c0', // emb: [[1, 2], nil]
        'a8737461747573657385', // statuses: {
        ...['a6636c69636b73', 'a3637472', 'a46e616d65', 'a3686f74', 'a3656d62'].map(
          (name) =>
            `${name}92${name === 'a3686f74' ? 'a44e554c4c' : 'a750524553454e54'}a94e4f545f464f554e44`,
        ),
        'ab6576656e745f74696d657392d30003328b944c4000c0', // event_times: [9e14, nil]
      ].join(''),
    )
  })
})

test('a reply is a buffer of its own, which no later reply touches', async () => {
  await answered({ references: ['v:name', 'v:clicks'] }, (answer) => {
    for (const encoder of [jsonReply, msgpackReply, binaryReply]) {
      const first = encoder.encode(answer, 'include')
      const before = first.toHex()
      expect(first.buffer.byteLength).toBe(first.length)
      const second = encoder.encode(answer, 'include')
      expect(second.buffer).not.toBe(first.buffer)
      second.fill(0)
      expect(first.toHex()).toBe(before)
    }
  })
})

test('a matrix of features that make none is refused with their names', async () => {
  await answered({ references: ['v:ctr', 'v:clicks'], form: 'matrix' }, (answer) => {
    const fault = thrown(() => binaryReply.encode(answer, 'include'))
    expect(fault.code).toBe('invalid_request')
    expect(fault.message).toBe('v:clicks is INT64; ctr is FLOAT: these make no matrix')
  })
  await answered({ references: ['v:name'], form: 'matrix' }, (answer) => {
    const fault = thrown(() => binaryReply.encode(answer, 'include'))
    expect(fault.message).toBe('v:name is STRING: these make no matrix')
  })
})

describe('a reply is bounded', () => {
  test('in binary before its buffer is made', async () => {
    await answered({ references: ['v:name'] }, (answer) => {
      const rows = REPLY_BYTES_MAX / 40 + 1
      const block = { ...answer.blocks[0]!, rows, places: new Uint32Array(rows) }
      const fault = thrown(() => binaryReply.encode({ ...answer, rows, blocks: [block] }, 'omit'))
      expect(fault.code).toBe('too_large')
      expect(fault.allowed).toContain('fewer rows')
    })
  })

  test('in text before its buffer grows', () => {
    const out = new ByteWriter()
    expect(thrown(() => out.reserve(REPLY_BYTES_MAX + 1)).code).toBe('too_large')
    out.ascii('still works')
    expect(new TextDecoder().decode(out.take())).toBe('still works')
  })
})

describe('wide views', () => {
  // Rows of 400 bytes and more are copied another way than short ones, and side by side in one piece.
  const names = Array.from({ length: 100 }, (_, place) => `f${place}`)
  const features = Object.fromEntries(names.map((name) => [name, 'FLOAT' as const]))
  const catalog = smallCatalog([{ name: 'wide', keys: { id: 'INT64' }, features }])
  const valueOf = (id: number, place: number): number => id * 1000 + place
  const rows = new MemoryRows()
  for (let id = 0; id < 30; id++) {
    if (id % 7 === 3) continue
    const row = Object.fromEntries(names.map((name, place) => [name, valueOf(id, place)]))
    rows.put(catalog.views[0]!, [id], row, 0)
  }
  const ids = [0, 1, 2, 3, 4, 4, 29, 5, 6, 3, 0]
  const orders: readonly (readonly [string, readonly number[]])[] = [
    ['as they stand', names.map((_, place) => place)],
    ['from the middle', names.map((_, place) => place).slice(9, 90)],
    ['backwards', names.map((_, place) => 99 - place)],
    ['one', [50]],
  ]
  test.each(orders)('in both forms, features %s', async (_, places) => {
    for (const form of ['rows', 'matrix'] as const) {
      const references = places.map((place) => `wide:f${place}`)
      const columns = [{ name: 'id', values: ids }]
      const query: Query = { ...QUERY, references, columns, form, statuses: true }
      await new Answerer(rows, () => 0).answer(makePlan(catalog, query, rows), query, (answer) => {
        const view = new BinaryReplyView(binaryReply.encode(answer, 'include')).block('wide')
        ids.forEach((id, row) => {
          const isThere = id % 7 !== 3
          const meant = places.map((place) => (isThere ? valueOf(id, place) : null))
          expect(view.features.map((name) => view.value(row, name))).toEqual(meant)
          const status = isThere ? 'PRESENT' : 'NOT_FOUND'
          expect(view.features.every((name) => view.status(row, name) === status)).toBe(true)
        })
      })
    }
  })
})
