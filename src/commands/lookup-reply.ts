/** The JSON reply of a look-up, as text from a server or from our own encoder, for a person to read. */
import { z } from 'zod'
import { canonicalJson, parseJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import type { EntityColumn } from '../query/query.ts'

const BLOCK = z.object({
  view: z.string(),
  broadcast: z.boolean(),
  features: z.record(z.string(), z.array(z.unknown())),
  statuses: z.record(z.string(), z.array(z.string())),
  event_times: z.array(z.string().nullable()),
})
const REPLY = z.object({ rows: z.number(), blocks: z.array(BLOCK) })

type Block = z.output<typeof BLOCK>

/** The native JSON reply as it would go over the wire, and the keys that it was asked for. */
export type LookupReply = {
  readonly json: string
  readonly columns: readonly EntityColumn[]
  /** What was wrong with the store: some values are LATE for it. */
  readonly problems: readonly string[]
}

/** A table with one line for each row asked for: keys, then each view's features and event time. */
export function lookupTable({ json, columns }: LookupReply): string {
  const parsed = REPLY.safeParse(parseJson(json))
  if (!parsed.success) throw new Fault('malformed', "the reply is not one of Salver's")
  const { rows, blocks } = parsed.data
  const cells = [...columns.map(keyCells), ...blocks.flatMap(blockCells)]
  return alignedLines(cells, rows)
}

/** A heading, then a text for each row, or one that stands for all. */
type Cells = { readonly heading: string; readonly texts: readonly string[] }

const keyCells = ({ name, values }: EntityColumn): Cells => ({
  heading: name,
  texts: values.map(valueText),
})

function blockCells(block: Block): Cells[] {
  const features = Object.entries(block.features).map(([name, values]) => ({
    heading: `${block.view}:${name}`,
    texts: values.map((value, row) => cellText(value, block.statuses[name]?.[row] ?? '')),
  }))
  const times = block.event_times.map((time) => time ?? '-')
  return [...features, { heading: `${block.view} event time`, texts: times }]
}

/** What is no value says why. */
const cellText = (value: unknown, status: string): string =>
  status === 'PRESENT' ? valueText(value) : status

function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? value.toBase64() : canonicalJson(value)
}

function alignedLines(columns: readonly Cells[], rows: number): string {
  const widths = columns.map(({ heading, texts }) =>
    Math.max(heading.length, ...texts.map((text) => text.length)),
  )
  const line = (texts: readonly string[]): string =>
    `${texts.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd()
  const lines = [line(columns.map(({ heading }) => heading))]
  for (let row = 0; row < rows; row++) {
    lines.push(line(columns.map(({ texts }) => texts[texts.length === 1 ? 0 : row] ?? '')))
  }
  return `${lines.join('\n')}\n`
}
