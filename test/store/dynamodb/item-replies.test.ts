import { expect, test } from 'bun:test'
import { valueType } from '../../../src/catalog/value-type.ts'
import { makeLayout } from '../../../src/row/layout.ts'
import { readValue } from '../../../src/row/row-reader.ts'
import { scanOldItem, scanPage } from '../../../src/store/dynamodb/item-replies.ts'
import { ItemScanner } from '../../../src/store/dynamodb/item-scanner.ts'
import { makeScanCounters } from '../../../src/store/dynamodb/scan-counters.ts'
import { ReadBatch } from '../../../src/store/read-batch.ts'

const LAYOUT = makeLayout([{ name: 'clicks', type: valueType('INT64') }], false)

const item = (id: string, value: string, time = '2026-08-20 12:00:00+02:00') => ({
  entity_id: { S: id },
  event_ts: { S: time },
  values: { M: { clicks: { B: value } } },
})

function opened() {
  const scanner = new ItemScanner(LAYOUT, makeScanCounters())
  const space = new ReadBatch(1, 1, 1)
  const clicks = () => readValue(LAYOUT, space.rows, scanner.rowStart, scanner.rowBytes, 0)
  return { scanner, space, clicks }
}

const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json))

test('the old item of a condition that failed, or of a write that asks for it, is read', () => {
  const { scanner, space, clicks } = opened()
  const type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException'
  const body = { __type: type, Item: item('a', 'IAc='), message: 'The conditional request failed' }
  expect(scanOldItem(bytesOf(body), scanner, space)).toBe('found')
  expect([clicks(), scanner.timeUs, scanner.timeText(), scanner.idText()]).toEqual([
    7,
    1787220000_000_000,
    '2026-08-20 12:00:00+02:00',
    'a',
  ])
  expect(scanOldItem(bytesOf({ Attributes: item('a', 'IAg=') }), scanner, space)).toBe('found')
  expect(clicks()).toBe(8)
  expect(scanOldItem(bytesOf({ __type: type }), scanner, space)).toBe('none')
  expect(scanOldItem(bytesOf(body).subarray(0, -1), scanner, space)).toBe('malformed')
  expect(scanOldItem(bytesOf([body]), scanner, space)).toBe('malformed')
})

test('every item of a page is visited, and the key to go on from is kept as it came', () => {
  const { scanner, space, clicks } = opened()
  const lastKey = { entity_id: { S: 'b' } }
  const items = [item('a', 'IAE='), item('b', 'IAI=', 'NaT')]
  const page = { Count: 2, Items: items, LastEvaluatedKey: lastKey, ScannedCount: 2 }
  const seen: unknown[] = []
  const visit = () => {
    seen.push([scanner.idText(), clicks(), scanner.timeUs])
    space.rowsUsed = 0
  }
  const { lastKey: found } = scanPage(bytesOf(page), scanner, space, visit)!
  expect(seen).toEqual([
    ['a', 1, 1787220000_000_000],
    ['b', 2, NaN],
  ])
  expect(JSON.parse(new TextDecoder().decode(found))).toEqual(lastKey)
  expect(scanPage(bytesOf({ Items: [] }), scanner, space, visit)).toEqual({ lastKey: undefined })
  expect(scanPage(bytesOf(page).subarray(0, -2), scanner, space, visit)).toBeUndefined()
})
