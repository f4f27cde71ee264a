/** The examples of row/format.md, read from the page itself. */
import { expect, test } from 'bun:test'
import { VALUE_TYPES, valueType } from '../../src/catalog/value-type.ts'
import { makeKeyWriter } from '../../src/row/entity-key.ts'
import { decodeLayout, encodeLayout } from '../../src/row/layout.ts'
import { checkRow, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'

const page = await Bun.file(new URL('../../src/row/format.md', import.meta.url)).text()

function sectionOf(heading: string): string {
  const start = page.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`no section ${heading}`)
  const level = heading.slice(0, heading.indexOf(' ') + 1)
  const end = page.indexOf(`\n${level}`, start + heading.length)
  return page.slice(start, end < 0 ? undefined : end)
}

const blockOf = (section: string): string => /```\n([\s\S]*?)```/.exec(section)![1]!

/** The bytes drawn in a block: at each line's start an offset, then pairs of hex digits. */
function drawnBytes(block: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  for (const [, offset, pairs] of block.matchAll(
    /^ *(\d+)  ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: |$)/gm,
  )) {
    expect(bytes.length).toBe(Number(offset))
    bytes.push(...Buffer.from(pairs!.replaceAll(' ', ''), 'hex'))
  }
  return Uint8Array.from(bytes)
}

const layoutText = blockOf(sectionOf('## Layout')).trim()
const layout = decodeLayout(new TextEncoder().encode(layoutText))
const EXAMPLE_VALUES = [7, 0.5, 'ann', null, [1, 2]]

test('the layout drawn on the page is what a layout is kept as', () => {
  expect(new TextDecoder().decode(encodeLayout(layout))).toBe(layoutText)
})

test('the row drawn on the page is what the writer writes', () => {
  const drawn = drawnBytes(blockOf(sectionOf('### Example')))
  expect(drawn.length).toBe(40)
  const writer = new RowWriter(layout)
  writer.begin(0)
  EXAMPLE_VALUES.forEach((value, position) => writer.set(position, value))
  expect(writer.byteLength).toBe(40)
  const target = new Uint8Array(64).fill(0xee)
  expect(writer.finish(target, 8)).toBe(40)
  expect(target.slice(8, 48)).toEqual(drawn)
  expect(target[48]).toBe(0xee)
  expect(layout.fixedBytes).toBe(24)
})

test('the row drawn on the page is read back', () => {
  const drawn = drawnBytes(blockOf(sectionOf('### Example')))
  expect(checkRow(layout, drawn, 0, drawn.length)).toBe(true)
  EXAMPLE_VALUES.forEach((value, position) => {
    expect(readValue(layout, drawn, 0, drawn.length, position)).toEqual(value)
  })
})

test('the entity key drawn on the page is what the key writer writes', () => {
  const [, drawn] = /Example: `driver_id` = INT64 1001: `([0-9a-f ]+)`/.exec(page)!
  const target = new Uint8Array(1024)
  const bytes = makeKeyWriter([{ name: 'driver_id', type: 'INT64' }]).write([1001], target, 0)
  expect(Buffer.from(target.subarray(0, bytes)).toString('hex')).toBe(drawn!.replaceAll(' ', ''))
})

test('the page names the heap form of every type that is in the heap', () => {
  const section = sectionOf('### Heap values')
  for (const { name, heapForm } of VALUE_TYPES) {
    if (heapForm === 'text' || heapForm === 'raw') expect(section).toContain(name)
  }
  const aligns = VALUE_TYPES.filter((type) => type.heapForm === 'packed').map(
    ({ element, heapAlign }) => [element, heapAlign],
  )
  for (const [element, align] of aligns)
    expect(valueType(element as 'BOOL').slotBytes).toBe(align as 1)
})
