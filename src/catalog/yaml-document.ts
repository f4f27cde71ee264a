/** A YAML file as plain values, with the place of each: Bun's own reader knows no positions. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml'
import { Fault } from '../base/fault.ts'
import { exactNumber } from './parse-default.ts'

export type Path = readonly PropertyKey[]

export type YamlDocument = {
  readonly file: string
  /** Integers are numbers where that is exact, else bigints. Undefined if the text is not YAML. */
  readonly value: unknown
  readonly faults: readonly Fault[]
  readonly document: Document
  readonly lines: LineCounter
}

/** A definition is a map in a list in a map; nobody writes this deep by hand. */
const DEPTH_MAX = 32
/** 65,535 views of a few features; anchors used again and again are how a small file fills memory. */
const NODES_MAX = 5_000_000
/** One missing bracket can make thousands. */
const SYNTAX_FAULTS_MAX = 20

/**
 * Never throws: what is wrong with the text is in `faults`. Feast reads its files as YAML 1.1, in
 * which `yes` is true; ours are 1.2.
 */
export function parseYaml(text: string, file: string, version: '1.1' | '1.2'): YamlDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    intAsBigInt: true,
    prettyErrors: false,
    version,
  })
  const faults = [...document.errors, ...document.warnings]
    .slice(0, SYNTAX_FAULTS_MAX)
    .map(({ code, message, pos }) =>
      yamlFault(sentenceOf(code, message), placeAt(file, lines, pos[0])),
    )
  const bare = { file, document, lines }
  const isReadable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY')
  if (!isReadable) return { ...bare, value: undefined, faults }
  const walk: Walk = { ...bare, faults: [], targets: new Map(), nodesLeft: NODES_MAX }
  const value = plainForm(document.contents, 0, walk)
  if (walk.faults.length === 0) return { ...bare, value, faults }
  return { ...bare, value: undefined, faults: [...faults, ...walk.faults] }
}

function sentenceOf(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here for the second time'
  if (code === 'RESOURCE_EXHAUSTION') return 'too deeply nested'
  return message
}

const yamlFault = (message: string, where: string): Fault =>
  new Fault('catalog_invalid', message, { where })

type Walk = Pick<YamlDocument, 'file' | 'document' | 'lines'> & {
  readonly faults: Fault[]
  /** What each alias stands for: finding it walks through the whole document. */
  readonly targets: Map<Alias, Node | undefined>
  nodesLeft: number
}

function plainForm(node: unknown, depth: number, walk: Walk): unknown {
  const target = isAlias(node) ? targetOf(node, walk) : node
  if (isAlias(node) && target === undefined) return refuse(node, 'no such anchor', walk)
  if (depth > DEPTH_MAX) return refuse(node, 'too deeply nested, or an alias within itself', walk)
  if (--walk.nodesLeft < 0) return refuse(node, 'too many values, or too many aliases', walk)
  if (isScalar(target)) {
    return typeof target.value === 'bigint' ? exactNumber(target.value) : target.value
  }
  if (isSeq(target)) return target.items.map((item) => plainForm(item, depth + 1, walk))
  return isMap(target) ? plainMap(target, depth, walk) : null
}

function targetOf(alias: Alias, { targets, document }: Walk): Node | undefined {
  if (!targets.has(alias)) targets.set(alias, alias.resolve(document))
  return targets.get(alias)
}

function plainMap(map: YAMLMap, depth: number, walk: Walk): { [key: string]: unknown } {
  // No prototype: any text can be a key.
  const plain: { [key: string]: unknown } = Object.create(null)
  for (const pair of map.items) {
    if (walk.nodesLeft < 0) break
    const key = keyText(pair)
    if (key === undefined) refuse(pair.key, 'a key must be a text', walk)
    else if (key === '<<') refuse(pair.key, 'merge keys are not read', walk)
    // Of a key that stands here twice the first counts: it is the one whose place is told.
    else if (!(key in plain)) plain[key] = plainForm(pair.value, depth + 1, walk)
  }
  return plain
}

const keyText = (pair: Pair): string | undefined =>
  isScalar(pair.key) && pair.key.value !== null ? String(pair.key.value) : undefined

/** Told once for each place: what an alias repeats is walked again. */
function refuse(node: unknown, message: string, walk: Walk): null {
  const fault = yamlFault(message, placeOf(node, walk) ?? walk.file)
  if (!walk.faults.some(({ where }) => where === fault.where)) walk.faults.push(fault)
  return null
}

/** `file:line:column` of the value at a path, or of the nearest one around it. */
export function placeOfValue(yaml: YamlDocument, path: Path): string {
  let place = `${yaml.file}:1:1`
  for (const node of nodesAlong(yaml, path)) place = placeOf(node, yaml) ?? place
  return place
}

/** The same for the key under which the value stands. */
export function placeOfKey(yaml: YamlDocument, path: Path): string {
  const key = path.at(-1)
  const around = nodesAlong(yaml, path.slice(0, -1)).at(-1)
  const pair = isMap(around) ? pairNamed(around, key) : undefined
  return placeOf(pair?.key, yaml) ?? placeOfValue(yaml, path)
}

/** From the document's own value inwards, as far as the path leads. */
function nodesAlong(yaml: YamlDocument, path: Path): Node[] {
  const nodes: Node[] = []
  let node: unknown = yaml.document.contents
  for (const step of [undefined, ...path]) {
    if (step !== undefined) node = childOf(node, step)
    if (isAlias(node)) node = node.resolve(yaml.document)
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) break
    nodes.push(node)
  }
  return nodes
}

function childOf(node: unknown, step: PropertyKey): unknown {
  if (isSeq(node)) return node.items[Number(step)]
  return isMap(node) ? pairNamed(node, step)?.value : undefined
}

const pairNamed = (map: YAMLMap, key: PropertyKey | undefined): Pair | undefined =>
  map.items.find((pair) => keyText(pair) === key)

type Lines = Pick<YamlDocument, 'file' | 'lines'>

function placeOf(node: unknown, { file, lines }: Lines): string | undefined {
  const isNode = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
  const start = isNode ? node.range?.[0] : undefined
  return start === undefined ? undefined : placeAt(file, lines, start)
}

function placeAt(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${file}:${line}:${col}`
}
