/** The text that names the columns of a plan's replies, and its hash (codec/format.md, "Schema section"). */
import { encodeLayout } from '../row/layout.ts'
import type { BlockForm, PlanBlock } from './query.ts'

const utf8 = new TextDecoder()

/** The same text for equal blocks. */
export function schemaText(blocks: readonly PlanBlock[]): string {
  return `{"blocks":[${blocks.map(blockText).join(',')}]}`
}

/** 16 hex digits: another text or form has another id, on every server. */
export function schemaIdOf(text: string, form: BlockForm): string {
  return new Bun.CryptoHasher('sha256').update(`${form}\n${text}`).digest('hex').slice(0, 16)
}

function blockText(block: PlanBlock): string {
  const positions = Array.from(block.features)
  const names = positions.map((position) => block.layout.features[position]!.name)
  const head = { view: block.name, features: names, positions }
  return `${JSON.stringify(head).slice(0, -1)},"layout":${utf8.decode(encodeLayout(block.layout))}}`
}
