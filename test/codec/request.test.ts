/** Requests in JSON and msgpack: the same shape, the same Query, and a fault that says where. */
import { describe, expect, test } from 'bun:test'
import { Packr } from 'msgpackr'
import { Fault } from '../../src/base/fault.ts'
import {
  CELLS_PER_REQUEST_MAX,
  COLUMNS_PER_REQUEST_MAX,
  ENTITIES_PER_REQUEST_MAX,
  FEATURES_PER_REQUEST_MAX,
} from '../../src/base/limits.ts'
import type { ReadRequest } from '../../src/codec/codec.ts'
import { jsonRequest } from '../../src/codec/json-request.ts'
import { msgpackRequest } from '../../src/codec/msgpack-request.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const utf8 = new TextEncoder()

const json = (text: string): ReadRequest => jsonRequest.decodeRead(utf8.encode(text))
const msgpack = (value: unknown): ReadRequest =>
  msgpackRequest.decodeRead(new Uint8Array(packr.pack(value)))
const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(' ', ''))

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
  throw new Error('no fault was thrown')
}

/** A request in both formats: JSON text, and msgpack of the value that the text means. */
const BOTH = [
  ['json', (value: unknown) => json(JSON.stringify(value))],
  ['msgpack', msgpack],
] as const

describe.each(BOTH)('a request in %s', (_, decode) => {
  test('says what is asked, with every default', () => {
    expect(
      decode({ feature_service: 'ranking', entities: { user_id: 7, doc_id: ['a', 'b'] } }),
    ).toEqual({
      service: 'ranking',
      references: [],
      columns: [
        { name: 'user_id', values: [7] },
        { name: 'doc_id', values: ['a', 'b'] },
      ],
      fill: 'null',
      statuses: false,
      eventTimes: false,
      form: 'rows',
      schema: 'include',
      deadlineMs: Infinity,
    })
  })

  test('says every option', () => {
    const request = {
      features: ['route:mean_delay', 'airport:flights'],
      entities: {},
      fill: 'nan',
      statuses: true,
      event_times: true,
      block: 'matrix',
      schema: 'omit',
      deadline_ms: 12.5,
    }
    expect(decode(request)).toEqual({
      service: '',
      references: ['route:mean_delay', 'airport:flights'],
      columns: [],
      fill: 'nan',
      statuses: true,
      eventTimes: true,
      form: 'matrix',
      schema: 'omit',
      deadlineMs: 12.5,
    })
  })

  test('keeps texts outside ASCII, and names that are no names elsewhere', () => {
    const request = decode({
      features: ['v:ü'],
      entities: { __proto__x: ['é\n"\\', '日本', '😀', ''] },
    })
    expect(request.references).toEqual(['v:ü'])
    expect(request.columns).toEqual([{ name: '__proto__x', values: ['é\n"\\', '日本', '😀', ''] }])
  })

  const bad: readonly [string, unknown, RegExp, string][] = [
    [
      'an unknown field',
      { entites: {} },
      /no field "entites"; did you mean "entities"\?/,
      'entites, byte',
    ],
    ['neither service nor features', { entities: {} }, /neither/, ''],
    ['service and features', { feature_service: 's', features: ['a:b'], entities: {} }, /both/, ''],
    ['no entities', { feature_service: 's' }, /no "entities"/, ''],
    ['an empty list of features', { features: [], entities: {} }, /empty/, 'features, byte'],
    [
      'features that are text',
      { features: 'a:b', entities: {} },
      /"a:b" is no list/,
      'features, byte',
    ],
    ['a feature that is a number', { features: ['a:b', 3] }, /3 is no name/, 'features[1], byte'],
    ['an empty service', { feature_service: '' }, /"" is no name/, 'feature_service, byte'],
    [
      'a service that is a list',
      { feature_service: ['s'] },
      /a list stands here/,
      'feature_service',
    ],
    ['entities that are a list', { entities: [1] }, /a list stands here/, 'entities, byte'],
    ['entities that are a number', { entities: 1 }, /1 is no object/, 'entities, byte'],
    ['an empty column', { entities: { a: [] } }, /empty/, 'entities.a, byte'],
    [
      'a column of lists',
      { entities: { a: [1, [2]] } },
      /a list stands here/,
      'entities.a[1], byte',
    ],
    [
      'a column of objects',
      { entities: { a: [{ b: 1 }] } },
      /an object stands/,
      'entities.a[0], byte',
    ],
    [
      'a column that is an object',
      { entities: { a: { b: 1 } } },
      /an object stands/,
      'entities.a, byte',
    ],
    ['an unknown fill', { fill: 'zero' }, /"zero" is no choice/, 'fill, byte'],
    [
      'statuses that are a number',
      { statuses: 1 },
      /1 is neither true nor false/,
      'statuses, byte',
    ],
    ['a deadline of zero', { deadline_ms: 0 }, /0 is no deadline/, 'deadline_ms, byte'],
    ['a deadline in text', { deadline_ms: '5' }, /"5" is no deadline/, 'deadline_ms, byte'],
    ['a list instead of a request', [1], /not an object/, 'byte 0'],
    ['a number instead of a request', 1, /not an object/, 'byte 1'],
  ]
  test.each(bad)('with %s is refused, with its place', (_name, request, message, where) => {
    const fault = faultOf(() => decode(request))
    expect(fault.code).toBe('invalid_request')
    expect(fault.message).toMatch(message)
    expect(fault.where ?? '').toStartWith(where)
    expect(fault.allowed ?? '').not.toBe('')
  })

  test('names both columns that differ in length', () => {
    const request = { feature_service: 's', entities: { a: [1, 2], b: [3], c: [4, 5, 6] } }
    const fault = faultOf(() => decode(request))
    expect(fault.code).toBe('invalid_request')
    expect(fault.message).toContain('"a" has 2 values, "c" 3')
  })

  test('is bounded in features, columns, rows and cells', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `v:f${index}`)
    const columns = Object.fromEntries(many(COLUMNS_PER_REQUEST_MAX + 1).map((name) => [name, 1]))
    const tooMany = [
      { features: many(FEATURES_PER_REQUEST_MAX + 1), entities: {} },
      { feature_service: 's', entities: columns },
      { feature_service: 's', entities: { a: Array(ENTITIES_PER_REQUEST_MAX + 1).fill(1) } },
      {
        features: many(CELLS_PER_REQUEST_MAX / ENTITIES_PER_REQUEST_MAX + 1),
        entities: { a: Array(ENTITIES_PER_REQUEST_MAX).fill(1) },
      },
    ]
    for (const request of tooMany) {
      const fault = faultOf(() => decode(request))
      expect(fault.code).toBe('too_large')
      expect(fault.allowed).toStartWith('at most')
    }
    const whole = decode({
      features: many(FEATURES_PER_REQUEST_MAX),
      entities: { a: Array(1000).fill(1) },
    })
    expect(whole.references).toHaveLength(FEATURES_PER_REQUEST_MAX)
  })
})

const INTEGERS = [
  0n,
  -1n,
  127n,
  128n,
  255n,
  65536n,
  -32n,
  -33n,
  -129n,
  -32769n,
  4294967295n,
  -2147483649n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n - 1n,
]

test('integers are exact in both formats', () => {
  const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
  const expected = [{ name: 'id', values: INTEGERS.map(exact) }]
  const text = `{"feature_service":"s","entities":{"id":[${INTEGERS.join(' , ')}]}}`
  expect(json(text).columns).toEqual(expected)
  expect(msgpack({ feature_service: 's', entities: { id: INTEGERS.map(exact) } }).columns).toEqual(
    expected,
  )
})

test('floats and bytes come as they are', () => {
  expect(
    json('{"feature_service":"s","entities":{"a":[1.5,-2e3,1.0,-0,1e400]}}').columns[0]?.values,
  ).toEqual([1.5, -2000, 1, 0, Infinity])
  const column = [1.5, -2000.25, Uint8Array.of(1, 2, 255), null, true]
  const [read] = msgpack({ feature_service: 's', entities: { a: column } }).columns
  expect(read?.values.map((value) => (value instanceof Uint8Array ? [...value] : value))).toEqual([
    1.5,
    -2000.25,
    [1, 2, 255],
    null,
    true,
  ])
})

test('a field or a column given twice is refused', () => {
  const twice = [
    '{"fill":"nan","fill":"null"}',
    '{"feature_service":"a","feature_service":"b"}',
    '{"features":["a:b"],"features":["a:b"]}',
    '{"entities":{"a":1,"a":2}}',
    '{"entities":{},"entities":{}}',
  ]
  for (const text of twice) expect(faultOf(() => json(text)).message).toContain('given twice')
  expect(
    faultOf(() => msgpackRequest.decodeRead(bytes('82 a4 66696c6c a3 6e616e a4 66696c6c'))).message,
  ).toContain('given twice')
})

const BROKEN_JSON: readonly [string, string, number][] = [
  ['nothing', '', 0],
  ['space alone', '  \n', 3],
  ['an object that does not end', '{', 1],
  ['a name without quotes', '{fill:"nan"}', 1],
  ['a name in single quotes', "{'fill':1}", 1],
  ['no colon', '{"fill" "nan"}', 8],
  ['no value', '{"fill":}', 8],
  ['a comma at the end', '{"fill":"nan",}', 14],
  ['two commas', '{"entities":{"a":[1,,2]}}', 20],
  ['a comma at the end of a list', '{"entities":{"a":[1,]}}', 20],
  ['a list that does not end', '{"entities":{"a":[1', 19],
  ['bytes after the end', '{"feature_service":"s","entities":{}} x', 38],
  ['a text that does not end', '{"fill":"nan', 8],
  ['an unknown escape', '{"fill":"\\x"}', 8],
  ['a lone surrogate', '{"fill":"\\ud800"}', 8],
  ['a control character', '{"fill":"a\nb"}', 8],
  ['a leading zero', '{"deadline_ms":01}', 16],
  ['a bare minus', '{"deadline_ms":-}', 15],
  ['a point without digits', '{"deadline_ms":1.}', 16],
  ['a word that is none', '{"statuses":tru}', 12],
  ['a word that goes on', '{"statuses":trueish}', 16],
  ['NaN', '{"deadline_ms":NaN}', 15],
  ['a byte order mark', '\ufeff{}', 0],
  ['a place after wide characters', '{"feature_service":"ü😀" x', 28],
]

test.each(BROKEN_JSON)('JSON with %s is malformed, with its byte', (_name, text, offset) => {
  const fault = faultOf(() => json(text))
  expect(fault.code).toBe('malformed')
  expect(fault.where).toBe(`byte ${offset}`)
})

test('JSON that is not UTF-8 is malformed at the byte, real replacement characters aside', () => {
  const fault = faultOf(() => jsonRequest.decodeRead(bytes('7b 22 efbfbd 22 ff')))
  expect([fault.code, fault.where]).toEqual(['malformed', 'byte 6'])
  const cut = faultOf(() => jsonRequest.decodeRead(bytes('7b 22 e2 82')))
  expect([cut.code, cut.where]).toEqual(['malformed', 'byte 2'])
})

const BROKEN_MSGPACK: readonly [string, string, Fault['code'], string][] = [
  ['nothing', '', 'malformed', 'byte 0'],
  ['a map without its entries', '85', 'malformed', 'byte 0'],
  ['a map of four thousand million entries', 'df ff ff ff ff', 'malformed', 'byte 0'],
  ['a cut length', 'de 00', 'malformed', 'byte 0'],
  [
    'a list that claims too much',
    '81 a8 656e746974696573 81 a1 61 dd 7f ff ff ff',
    'malformed',
    'byte 13',
  ],
  ['a text that claims too much', '81 db ff ff ff ff', 'malformed', 'byte 1'],
  ['a text that is not UTF-8', '81 a2 ff fe c0', 'malformed', 'byte 2'],
  ['bytes that claim too much', '81 a4 66696c6c c6 00 10 00 00', 'malformed', 'byte 6'],
  ['a cut number', '81 ab 646561646c696e655f6d73 cb 00', 'malformed', 'byte 13'],
  ['the byte that begins nothing', '81 a4 66696c6c c1', 'malformed', 'byte 6'],
  ['an extension', '81 a4 66696c6c d4 01 00', 'invalid_request', 'byte 6'],
  ['a timestamp', '81 a4 66696c6c d6 ff 00 00 00 00', 'invalid_request', 'byte 6'],
  ['a key that is a number', '81 01 01', 'invalid_request', 'byte 1'],
  ['a key that is a list', '81 91 01 01', 'invalid_request', 'byte 1'],
]

test.each(BROKEN_MSGPACK)(
  'msgpack with %s is refused, with its byte',
  (_name, hex, code, where) => {
    const fault = faultOf(() => msgpackRequest.decodeRead(bytes(hex)))
    expect([fault.code, fault.where]).toEqual([code, where])
  },
)

test('bytes after a msgpack request are refused', () => {
  const whole = packr.pack({ feature_service: 's', entities: {} })
  const fault = faultOf(() => msgpackRequest.decodeRead(new Uint8Array([...whole, 0xc0])))
  expect([fault.code, fault.where]).toEqual(['malformed', `byte ${whole.length}`])
})

test('depth costs nothing: a million brackets are one fault', () => {
  expect(faultOf(() => json('['.repeat(1_000_000))).code).toBe('invalid_request')
  const nested = `{"entities":{"a":${'['.repeat(1_000_000)}`
  expect(faultOf(() => json(nested)).where).toStartWith('entities.a[0]')
  expect(faultOf(() => msgpackRequest.decodeRead(new Uint8Array(1_000_000).fill(0x91))).code).toBe(
    'invalid_request',
  )
})

test('a million digits are one number, not a quadratic one', () => {
  const { columns } = json(`{"feature_service":"s","entities":{"a":${'9'.repeat(1_000_000)}}}`)
  expect(columns[0]?.values).toEqual([Infinity])
})
