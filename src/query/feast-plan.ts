/**
 * What a request on Feast's path means: its features, and what becomes of each entity column, decided
 * once for each (features, names of the columns).
 */
import { PLANS_CACHED_MAX } from '../base/limits.ts'
import { compareUtf8 } from '../base/utf8.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { DUMMY_JOIN_KEY } from '../catalog/catalog.ts'
import type { KeyTypeName } from '../catalog/value-type.ts'
import type { RowReader } from '../store/store.ts'
import type { FeastFeatures } from './feast-features.ts'
import { namedFeatures } from './feast-features.ts'
import { PlanCache, knowsItsTables } from './plan-cache.ts'
import { PlanDraft } from './plan-draft.ts'
import type { Plan, PlanBlock, PlannedKey } from './query.ts'

export type FeastAsk = FeastFeatures & {
  /** Names of the entity columns, in the request's order. */
  readonly columns: readonly string[]
}

/** A column as one key type, under the name by which the plan's keys ask for it. */
export type FeastInput = {
  readonly name: string
  /** Position of the request's column. */
  readonly source: number
  readonly type: KeyTypeName
}

/** A join key that is shown in the reply. */
export type FeastEcho = {
  readonly name: string
  readonly source: number
  /** Position in `inputs` of the converted column, or -1: no asked view has that key. */
  readonly input: number
}

export type FeastPlan = {
  /** Keys are fed by `inputs`; a block without all its keys has a key that is never found. */
  readonly plan: Plan
  readonly inputs: readonly FeastInput[]
  readonly echoes: readonly FeastEcho[]
  /** Column names of `plan.outputs`. */
  readonly names: readonly string[]
  /** Feast's complaint where a view has none of its keys, or '' (told after the values were read). */
  readonly missingKeys: string
  /** The same complaint where every column is empty. */
  readonly noRows: string
  /** As `plan`, before the request's columns were looked at: with every view's own table. */
  readonly asked: Plan
}

export function makeFeastPlan(catalog: Catalog, ask: FeastAsk, tables: RowReader): FeastPlan {
  const draft = new PlanDraft()
  const named = namedFeatures(catalog, ask)
  for (const { use, feature } of named) draft.add(use, feature.position)
  const asked = draft.finish(catalog, 'rows', tables)
  const names = named.map(({ column }) => column)
  return planColumns(asked, names, ask.columns)
}

/** Feast's path has a cache of its own: its plans depend on the request's columns too. */
export function feastPlans(
  tables: RowReader,
  plansMax = PLANS_CACHED_MAX,
): PlanCache<FeastAsk, FeastPlan> {
  return new PlanCache<FeastAsk, FeastPlan>(
    {
      keyOf: ({ service, references, fullFeatureNames, columns }) =>
        `${fullFeatureNames}\n${columns.join('\n')}\n\n${service}\n${references.join('\n')}`,
      make: (catalog, ask) => makeFeastPlan(catalog, ask, tables),
      isCurrent: ({ asked }) => knowsItsTables(asked, tables),
    },
    plansMax,
  )
}

function planColumns(asked: Plan, names: readonly string[], columns: readonly string[]): FeastPlan {
  const joinKeys = joinKeysOf(asked)
  const given = givenKeys(joinKeys, columns)
  const inputs = new InputList()
  const found = asked.blocks.map((block) => findSources(block, given))
  const blocks = asked.blocks.map((block, index) => feedBlock(block, found[index]!, inputs))
  const types = typesOf(asked)
  const echoes = [...given].map(([name, source]): FeastEcho => {
    const type = types.get(name)
    return { name, source, input: type === undefined ? -1 : inputs.add(source, type) }
  })
  const keyless = found.findIndex((sources) => sources.length > 0 && sources.every(isUnknown))
  const complaint = (block: number, hasRows: boolean): string =>
    missingKeysText(asked, joinKeys, given, block, found[block]!, hasRows)
  return Object.freeze({
    plan: Object.freeze({ ...asked, blocks: Object.freeze(blocks) }),
    inputs: Object.freeze(inputs.all),
    echoes: Object.freeze(echoes),
    names: Object.freeze(names),
    missingKeys: keyless === -1 ? '' : complaint(keyless, true),
    noRows: complaint(0, false),
    asked,
  })
}

/** Everything that may name a column: entity names, join keys and aliases, with the join key meant. */
function joinKeysOf({ catalog, blocks }: Plan): Map<string, string> {
  const joinKeys = new Map<string, string>()
  for (const { name, joinKey } of catalog.entities) {
    if (joinKey !== DUMMY_JOIN_KEY) joinKeys.set(name, joinKey)
  }
  for (const { keys } of blocks) for (const { column } of keys) joinKeys.set(column, column)
  for (const joinKey of [...joinKeys.values()]) joinKeys.set(joinKey, joinKey)
  return joinKeys
}

/** Join key or alias -> position of its column. Of two columns for one, the later counts. */
function givenKeys(
  joinKeys: ReadonlyMap<string, string>,
  columns: readonly string[],
): Map<string, number> {
  const given = new Map<string, number>()
  columns.forEach((name, source) => {
    const joinKey = joinKeys.get(name)
    if (joinKey !== undefined) given.set(joinKey, source)
  })
  return given
}

const UNKNOWN = -1
const isUnknown = (source: number): boolean => source === UNKNOWN

/** For each key of a block the column that feeds it: its alias, else the join key's own name. */
const findSources = (block: PlanBlock, given: ReadonlyMap<string, number>): number[] =>
  block.keys.map(({ column, name }) => given.get(column) ?? given.get(name) ?? UNKNOWN)

class InputList {
  readonly all: FeastInput[] = []

  /** Position of the column under that type. */
  add(source: number, type: KeyTypeName): number {
    const known = this.all.findIndex((input) => input.source === source && input.type === type)
    if (known !== -1) return known
    return this.all.push({ name: `${source} ${type}`, source, type }) - 1
  }
}

/** No table has this number: what is asked there is not found. */
const NO_TABLE = 0

function feedBlock(block: PlanBlock, sources: readonly number[], inputs: InputList): PlanBlock {
  const keys = block.keys.map((key, part): PlannedKey => {
    const source = sources[part]!
    const input = isUnknown(source) ? undefined : inputs.all[inputs.add(source, key.type)]
    return { ...key, column: input?.name ?? '' }
  })
  if (!sources.some(isUnknown)) return Object.freeze({ ...block, keys: Object.freeze(keys) })
  return Object.freeze({ ...block, table: NO_TABLE, keys: [] })
}

/** By name in a request. Where views disagree, the last one's: it decides how the key is shown. */
function typesOf({ blocks }: Plan): Map<string, KeyTypeName> {
  const types = new Map<string, KeyTypeName>()
  for (const { keys } of blocks) for (const { column, type } of keys) types.set(column, type)
  return types
}

/** A KeyError's text: Python shows its message as a string literal. */
function missingKeysText(
  asked: Plan,
  joinKeys: ReadonlyMap<string, string>,
  given: ReadonlyMap<string, number>,
  block: number,
  sources: readonly number[],
  hasRows: boolean,
): string {
  const { keys } = asked.blocks[block]!
  const found = new Set(keys.filter((_, part) => !isUnknown(sources[part]!)).map((key) => key.name))
  const expected = [...new Set(joinKeys.values())].sort(compareUtf8)
  const missing = expected.filter((name) => !found.has(name))
  const empty = hasRows ? missing : expected
  const isEntityless = asked.blocks.some(({ keys }) => keys.length === 0)
  const provided = [...given.keys(), ...(isEntityless ? [DUMMY_JOIN_KEY] : [])]
  return (
    `"Missing join key values for keys: ${pythonList(missing)}. ` +
    `No values provided for keys: ${pythonList(empty)}. ` +
    `Provided join_key_values: ${pythonList(provided)}"`
  )
}

const pythonList = (names: readonly string[]): string =>
  `[${names.map((name) => `'${name}'`).join(', ')}]`
