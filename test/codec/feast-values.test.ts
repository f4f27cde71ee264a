import { describe, expect, test } from 'bun:test'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import { answerFeast } from '../../src/codec/answer-feast.ts'
import { writeTyped } from '../../src/codec/feast-cells.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { feastPlans } from '../../src/query/feast-plan.ts'
import { decodeValue } from '../../src/row/composite.ts'
import { MemoryRows } from '../query/memory-rows.ts'
import { smallCatalog } from '../query/small-catalog.ts'

/** A serialized feast.types.Value and the JSON that Feast's server shows for it. */
const VECTORS: readonly (readonly [hex: string, json: string])[] = [
  ['980100', 'null'],
  ['1200', '""'],
  ['18ffffffffffffffffff01', '-1'],
  ['2000', '0'],
  ['20ffffffffffffffffff01', '-1'],
  ['20e907', '1001'],
  ['208180808080808010', '9007199254740993'],
  ['290000000000000000', '0.0'],
  ['290000000000000080', '-0.0'],
  ['29000000000000f83f', '1.5'],
  ['35cdcccc3d', '0.10000000149011612'],
  ['3801', 'true'],
  ['3800', 'false'],
  ['40a0dc9bc506', '1755770400'],
  ['0a0200ff', '"AP8="'],
  ['5a050a01610a00', '["YQ==",""]'],
  ['6a0d0a0b01ffffffffffffffffff01', '[1,-1]'],
  ['72050a0301ac02', '[1,300]'],
  ['7a0a0a08000000000000e03f', '[0.5]'],
  ['82010a0a08cdcccc3dcdcc4c3e', '[0.10000000149011612,0.20000000298023224]'],
  ['8a01040a020100', '[true,false]'],
  ['9201070a05a0dc9bc506', '[1755770400]'],
  ['a201090a070a016b12022001', '{"k":1}'],
  ['aa010c0a0a0a080a016b1203120176', '[{"k":"v"}]'],
  ['b201030a0161', '["YQ=="]'],
  ['ba01030a0161', '["a"]'],
  ['ca01030a0101', '[1]'],
  ['8202077b2261223a317d', '"{\\"a\\":1}"'],
  ['8a02030a0131', '["1"]'],
  ['9202070a050a016b1200', '{"k":null}'],
  ['9a0200', '[]'],
  ['aa020174', '"t"'],
  ['b202030a0175', '["u"]'],
  ['c202030a0175', '["u"]'],
  ['d202070a0572030a0101', '[[1]]'],
  ['da02020a00', '[null]'],
  ['e20204312e3130', '"1.10"'],
  ['ea02050a03312e31', '["1.1"]'],
  ['f202050a03312e31', '["1.1"]'],
  ['fa020a0a080a02100112022001', 'null'],
  ['82031b08a0dc9bc5061213416d65726963612f4c6f735f416e67656c6573', '"2025-08-21T03:00:00-07:00"'],
]

describe("a value is shown as Feast's server shows it", () => {
  test.each(VECTORS)('%s inside another value', (hex, json) => {
    const out = new ByteWriter()
    const { type, value } = decodeValue(Uint8Array.fromHex(hex))
    if (type === 'NULL') out.ascii('null')
    else writeTyped(out, valueType(type), value)
    expect(new TextDecoder().decode(out.take())).toBe(json)
  })

  test.each(VECTORS)('%s as a feature', async (hex, json) => {
    const { type, value } = decodeValue(Uint8Array.fromHex(hex))
    const features = { f: type === 'NULL' ? ('STRING' as const) : type }
    const catalog = smallCatalog([{ name: 'v', keys: { id: 'INT64' }, features }])
    const store = new MemoryRows()
    store.put(catalog.views[0]!, [1], { f: value }, 0)
    const reply = await answerFeast(
      {
        body: new TextEncoder().encode('{"features":["v:f"],"entities":{"id":[1]}}'),
        contentType: 'application/json',
        deadlineMs: Infinity,
      },
      {
        catalog,
        plans: feastPlans(store),
        answerer: new Answerer(store, () => 0),
        enforceTtl: false,
      },
    )
    expect(new TextDecoder().decode(reply.body)).toContain(
      `{"values":[${json}],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]}]`,
    )
  })
})
