/**
 * Every decoder of the wire under bytes that are almost right: only its own coded errors escape, and
 * it works after. STEPS=10000000 for a long run of each.
 */
import { describe, expect, test } from 'bun:test'
import { Packr, unpack } from 'msgpackr'
import { Fault } from '../../src/base/fault.ts'
import { BinaryReplyView } from '../../src/client/binary-reply-view.ts'
import { ClientError } from '../../src/client/client-error.ts'
import type { ReplySchema } from '../../src/client/reply-schema.ts'
import { binaryReply } from '../../src/codec/binary-reply.ts'
import type { RequestDecoder } from '../../src/codec/codec.ts'
import { jsonRequest } from '../../src/codec/json-request.ts'
import { msgpackRequest } from '../../src/codec/msgpack-request.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { withRandomAnswer } from '../codec/random-answer.ts'
import { mutated } from './mutate.ts'

/** Inputs between two looks at whether a valid one is still read. */
const ROUND = 1000

type Target = {
  readonly seeds: readonly Uint8Array[]
  readonly pieces: readonly Uint8Array[]
  /** Reads all that there is. Throws only what `isCoded` knows. */
  readonly read: (bytes: Uint8Array) => unknown
  /** Puts right what would have every change refused at once. */
  readonly mend: (bytes: Uint8Array) => void
  readonly isCoded: (error: unknown) => boolean
}

/** Throws at the first input that anything but a coded error escapes from, and shows it. */
function fuzz(name: string, target: Target, steps: number): { read: number; refused: number } {
  const random = new SeededRandom(`codec.fuzz, ${name}`)
  const meant = target.seeds.map((seed) => Bun.inspect(target.read(seed), { depth: 9 }))
  let refused = 0
  for (let step = 0; step < steps; step++) {
    const bytes = random.chance(0.02)
      ? random.bytes(random.below(200))
      : mutated(random, target.seeds, target.pieces)
    if (random.chance(0.8)) target.mend(bytes)
    try {
      target.read(bytes)
    } catch (error) {
      if (!target.isCoded(error)) {
        throw new Error(`${name}: ${String(error)} escaped from ${bytes.toHex()}`, { cause: error })
      }
      refused++
    }
    if (step % ROUND !== ROUND - 1) continue
    const place = random.below(target.seeds.length)
    expect(Bun.inspect(target.read(target.seeds[place]!), { depth: 9 })).toBe(meant[place]!)
  }
  console.log(`${name}: ${steps - refused} read, ${refused} refused`)
  return { read: steps - refused, refused }
}

const utf8 = new TextEncoder()
const packr = new Packr({ useRecords: false })

const REQUESTS: readonly unknown[] = [
  { feature_service: 'ranking', entities: { user_id: 7, doc_id: ['a', 'é"\\', '😀'] } },
  {
    features: ['a:b', 'c:d'],
    entities: { x: [1, -2.5, 1e300, null, true], y: 2 ** 53 },
    fill: 'default',
    statuses: true,
    event_times: false,
    block: 'matrix',
    schema: 'omit',
    deadline_ms: 12.5,
  },
  { feature_service: 's', entities: {}, fill: 'nan' },
]
const JSON_PIECES = String.raw`
  { } [ ] , : " \ \u \ud800 \u0000 - 1e999 0 99999999999999999999999 null true NaN
  "entities": "features":[ {"__proto__":1} [[[[`
  .trim()
  .split(/\s+/)
  .concat(' ', '\u2028', '\ufeff')
  .map((piece) => utf8.encode(piece))
const MSGPACK_PIECES = `
  c0 c1 c2 c3 c4ff c5ffff c6ffffffff c7ff01 c900 ca7fc00000 cb7ff0000000000000
  cfffffffffffffffff d38000000000000000 d40100 d6ff00000000 d8 d9ff daffff dbffffffff
  dcffff ddffffffff deffff dfffffffff 81a95f5f70726f746f5f5f80 91919191 8f 9f ff`
  .trim()
  .split(/\s+/)
  .map((piece) => Uint8Array.fromHex(piece))

const requestTarget = (
  decoder: RequestDecoder,
  seeds: readonly Uint8Array[],
  pieces: readonly Uint8Array[],
): Target => ({
  seeds,
  pieces,
  read: (bytes) => decoder.decodeRead(bytes),
  mend: () => {},
  isCoded: (error) => error instanceof Fault,
})

const jsonSeeds = REQUESTS.map((request) => utf8.encode(JSON.stringify(request)))
const msgpackSeeds = REQUESTS.map((request) => new Uint8Array(packr.pack(request)))

/** Replies over every type, with and without their schemas. */
async function replyTarget(): Promise<Target> {
  const random = new SeededRandom('codec.fuzz, replies')
  const schemas = new Map<string, ReplySchema>()
  const seeds: Uint8Array[] = []
  for (const oneType of [false, false, false, true, true, true]) {
    await withRandomAnswer(random, { oneType, home: 'memory' }, (answer) => {
      const form = oneType ? 'matrix' : 'rows'
      const asked = { ...answer, query: { ...answer.query, form } } as const
      const whole = binaryReply.encode(asked, 'include')
      const { schema } = new BinaryReplyView(whole)
      if (random.chance(0.5)) schemas.set(schema.id, schema)
      seeds.push(whole)
      if (schemas.has(schema.id)) seeds.push(binaryReply.encode(asked, 'omit'))
    })
  }
  return {
    seeds,
    pieces: [
      new Uint8Array(8),
      new Uint8Array(64),
      Uint8Array.of(8, 0, 0, 0),
      Uint8Array.of(0xff, 0xff),
    ],
    read: (bytes) => readWhole(new BinaryReplyView(bytes, schemas)),
    mend: mendLength,
    isCoded: (error) => error instanceof ClientError,
  }
}

/** The header tells the length of the whole. */
function mendLength(bytes: Uint8Array): void {
  if (bytes.length < 12) return
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, bytes.length, true)
}

/** Every value of a reply, the rows past a few left out. */
function readWhole(reply: BinaryReplyView): unknown {
  return reply.blocks.map((block) => {
    const rows = Array.from({ length: Math.min(reply.rows, 12) }, (_, row) => [
      block.rowState(row),
      block.eventTimeUs(row),
      block.features.map((_, column) => [block.value(row, column), block.status(row, column)]),
    ])
    return [block.view, block.features, rows, matrixOf(block)]
  })
}

function matrixOf(block: BinaryReplyView['blocks'][number]): number {
  try {
    return block.matrix().length
  } catch (error) {
    if (error instanceof ClientError && error.code === 'not_a_matrix') return -1
    throw error
  }
}

describe('only coded errors escape from', () => {
  test('the JSON request decoder', () => {
    const target = requestTarget(jsonRequest, jsonSeeds, JSON_PIECES)
    expect(fuzz('json', target, stepsOf(20_000)).refused).toBeGreaterThan(0)
  }, 7_200_000)

  test('the msgpack request decoder', () => {
    const target = requestTarget(msgpackRequest, msgpackSeeds, MSGPACK_PIECES)
    expect(fuzz('msgpack', target, stepsOf(20_000)).refused).toBeGreaterThan(0)
  }, 7_200_000)

  test("the client's reader of binary replies", async () => {
    const { read, refused } = fuzz('binary', await replyTarget(), stepsOf(20_000))
    expect(read).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  }, 7_200_000)
})

describe('canary: the fuzz finds', () => {
  test('a JSON decoder that lets a SyntaxError through', () => {
    const decoder = new TextDecoder()
    const target = requestTarget(jsonRequest, jsonSeeds, JSON_PIECES)
    const read = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes))
    expect(() => fuzz('canary, json', { ...target, read }, 20_000)).toThrow('escaped from')
  })

  test('a msgpack decoder that lets what its library throws through', () => {
    const target = requestTarget(msgpackRequest, msgpackSeeds, MSGPACK_PIECES)
    expect(() =>
      fuzz('canary, msgpack', { ...target, read: (bytes) => unpack(bytes) }, 20_000),
    ).toThrow('escaped from')
  })

  test('a reader of replies that trusts the offsets', async () => {
    const target = await replyTarget()
    const read = (bytes: Uint8Array): unknown => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return view.getUint32(view.getUint32(56, true), true)
    }
    expect(() => fuzz('canary, binary', { ...target, read }, 20_000)).toThrow('escaped from')
  })
})
