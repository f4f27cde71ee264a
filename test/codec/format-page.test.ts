/** What format.md draws is what is written and read: the examples are taken from the page itself. */
import { expect, test } from 'bun:test'
import { Unpackr } from 'msgpackr'
import { readTimeText } from '../../src/base/time-text.ts'
import { BinaryReplyView } from '../../src/client/binary-reply-view.ts'
import { parseReplySchema } from '../../src/client/reply-schema.ts'
import { binaryReply } from '../../src/codec/binary-reply.ts'
import { jsonReply } from '../../src/codec/json-reply.ts'
import { jsonRequest } from '../../src/codec/json-request.ts'
import { msgpackReply } from '../../src/codec/msgpack-reply.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { makePlan } from '../../src/query/make-plan.ts'
import type { Answer, Query } from '../../src/query/query.ts'
import { schemaText } from '../../src/query/schema-text.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const page = await Bun.file(new URL('../../src/codec/format.md', import.meta.url)).text()

const QUERY: Query = {
  service: '',
  references: [],
  columns: [],
  fill: 'null',
  statuses: true,
  eventTimes: false,
  form: 'matrix',
  deadlineMs: Infinity,
}

/** The code block that follows a heading. */
function codeAfter(heading: string): string {
  const from = page.indexOf(`\n${heading}`)
  const [, code] = page.slice(from).split(/\n```[a-z]*\n/)
  if (from < 0 || code === undefined) throw new Error(`no code after ${heading}`)
  return code
}

/** Bytes drawn as `offset  hex hex …    what they are`. */
function drawnBytes(drawing: string): Uint8Array {
  const bytes: number[] = []
  for (const line of drawing.trimEnd().split('\n')) {
    const [, offset, hex] = /^ *(\d+) {2}((?:[0-9a-f]{2} ?)+)/.exec(line) ?? []
    expect(Number(offset)).toBe(bytes.length)
    bytes.push(...Uint8Array.fromHex(hex!.replaceAll(' ', '')))
  }
  return Uint8Array.from(bytes)
}

async function withPageAnswer(use: (answer: Answer) => void): Promise<void> {
  const features = { half: 'FLOAT', missing: 'FLOAT' } as const
  const catalog = smallCatalog([{ name: 'v', keys: { id: 'INT64' }, features }])
  const rows = new MemoryRows()
  rows.put(catalog.views[0]!, [1], { half: 0.5 }, 0)
  const query = {
    ...QUERY,
    references: ['v:half', 'v:missing'],
    columns: [{ name: 'id', values: [1] }],
  }
  const plan = { ...makePlan(catalog, query, rows), schemaId: '1122334455667788' }
  await new Answerer(rows, () => 0).answer(plan, query, use)
}

/** The page draws a block that is not broadcast; one value a column always is. */
const withoutBroadcast = (answer: Answer): Answer => ({
  ...answer,
  blocks: answer.blocks.map((block) => ({ ...block, broadcast: false })),
})

test('the binary example is what the encoder writes, and what the client reads', async () => {
  const drawn = drawnBytes(codeAfter('### Example'))
  await withPageAnswer((answer) => {
    const reply = binaryReply.encode(withoutBroadcast(answer), 'omit')
    expect(reply.toHex()).toBe(drawn.toHex())
    const section = new TextEncoder().encode(schemaText(answer.plan.blocks))
    const schema = parseReplySchema('1122334455667788', section)
    const view = new BinaryReplyView(drawn, new Map([[schema.id, schema]])).block('v')
    expect(view.matrix()).toBeInstanceOf(Float32Array)
    expect(Array.from(view.matrix(), Number)).toEqual([0.5, NaN])
    expect([view.value(0, 'half'), view.value(0, 'missing')]).toEqual([0.5, null])
    expect([view.status(0, 'half'), view.status(0, 'missing')]).toEqual(['PRESENT', 'NOT_FOUND'])
    expect(view.rowState(0)).toBe('PRESENT')
    expect(view.broadcast).toBe(false)
  })
})

test('the JSON example is a reply', async () => {
  const catalog = smallCatalog([
    { name: 'airport', keys: { airport: 'STRING' }, features: { flights: 'INT64' } },
    { name: 'route', keys: { airport: 'STRING', to: 'STRING' }, features: { mean_delay: 'FLOAT' } },
  ])
  const rows = new MemoryRows()
  const [airport, route] = catalog.views
  rows.put(airport!, ['JFK'], { flights: 7 }, readTimeText('2001-03-31T12:00:00Z'))
  rows.put(route!, ['JFK', 'LAX'], { mean_delay: 1.5 }, readTimeText('2001-03-31T11:59:59.500Z'))
  const query: Query = {
    ...QUERY,
    references: ['airport:flights', 'route:mean_delay'],
    columns: [
      { name: 'airport', values: ['JFK'] },
      { name: 'to', values: ['LAX', 'SFO'] },
    ],
    eventTimes: true,
    form: 'rows',
  }
  const example: unknown = JSON.parse(codeAfter('## Reply in JSON and msgpack'))
  await new Answerer(rows, () => 0).answer(makePlan(catalog, query, rows), query, (answer) => {
    const reply = jsonReply.encode(answer, 'include')
    expect(JSON.parse(new TextDecoder().decode(reply))).toEqual(example)
    const unpackr = new Unpackr({ useRecords: false })
    const { blocks } = unpackr.unpack(msgpackReply.encode(answer, 'include'))
    expect(blocks[1].event_times).toEqual([986_039_999_500_000n, null])
  })
})

test('every field of the request table is read, and no other is named', () => {
  const table = page.slice(page.indexOf('\n## Request'), page.indexOf('\nAn unknown field'))
  const cells = [...table.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell]) => cell!)
  const fields = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
  let allowed = ''
  try {
    jsonRequest.decodeRead(new TextEncoder().encode('{"no_such_field":1}'))
  } catch (fault) {
    allowed = String(Reflect.get(Object(fault), 'allowed'))
  }
  expect(fields.toSorted()).toEqual(allowed.split(', ').toSorted())
})
