/** The schema section of a binary reply: what its blocks and columns are called. */
import { corrupt } from './client-error.ts'
import type { ReplyFeature, ReplyLayout } from './reply-layout.ts'
import { makeReplyLayout } from './reply-layout.ts'

export type BlockSchema = {
  readonly view: string
  /** In the asked order. */
  readonly features: readonly ReplyFeature[]
  readonly names: readonly string[]
  /** Place of each name in `features`. */
  readonly columns: ReadonlyMap<string, number>
  readonly layout: ReplyLayout
}

export type ReplySchema = {
  /** 16 hex digits. */
  readonly id: string
  readonly blocks: readonly BlockSchema[]
}

const LAYOUT_FORMAT = 1

export function parseReplySchema(id: string, section: Uint8Array): ReplySchema {
  const { blocks } = asMap(parseJson(section), 'schema')
  return { id, blocks: asList(blocks, 'blocks').map(parseBlock) }
}

function parseBlock(found: unknown, index: number): BlockSchema {
  const { view, features, positions, layout: layoutFound } = asMap(found, `block ${index}`)
  const layout = parseLayout(layoutFound)
  const names = asList(features, 'features').map((name) => asText(name, 'a feature'))
  const places = asList(positions, 'positions')
  if (places.length !== names.length) throw corrupt('features and positions differ in number')
  return {
    view: asText(view, 'view'),
    layout,
    names,
    columns: new Map(names.map((name, column) => [name, column])),
    features: names.map((name, place) => {
      const feature = layout.features[Number(places[place])]
      if (feature === undefined || feature.name !== name) {
        throw corrupt(`the schema's position of ${name} is wrong`)
      }
      return feature
    }),
  }
}

function parseLayout(found: unknown): ReplyLayout {
  const { format, times, features } = asMap(found, 'layout')
  if (format !== LAYOUT_FORMAT) throw corrupt(`layout format ${String(format)} is not known`)
  const names = asList(features, 'features of a layout').map((pair): [string, string] => {
    const [name, type] = asList(pair, 'a feature of a layout')
    return [asText(name, 'a name'), asText(type, 'a type')]
  })
  return makeReplyLayout(names, times === true)
}

function parseJson(section: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(section))
  } catch (cause) {
    throw corrupt(`its schema is no JSON (${String(cause)})`)
  }
}

function asMap(found: unknown, what: string): { readonly [key: string]: unknown } {
  if (typeof found !== 'object' || found === null) throw corrupt(`${what} of its schema is missing`)
  return found as { readonly [key: string]: unknown } // every value is checked where it is used
}

function asList(found: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(found)) throw corrupt(`${what} of its schema is no list`)
  return found
}

function asText(found: unknown, what: string): string {
  if (typeof found !== 'string') throw corrupt(`${what} of its schema is no text`)
  return found
}
