/** A plan under construction: views under their names, features in the asked order. */
import { Fault } from '../base/fault.ts'
import { FEATURES_PER_REQUEST_MAX, KEY_BYTES_MAX } from '../base/limits.ts'
import type { Catalog, FeatureView } from '../catalog/catalog.ts'
import { makeKeyWriter } from '../row/entity-key.ts'
import { viewLayout } from '../row/view-layout.ts'
import type { RowReader } from '../store/store.ts'
import { readTableOf } from '../store/view-table.ts'
import type { BlockForm, Plan, PlanBlock, PlannedKey } from './query.ts'
import { schemaIdOf, schemaText } from './schema-text.ts'

/** One view as a request uses it: the same view under another name or key is another block. */
export type ViewUse = {
  readonly view: FeatureView
  readonly name: string
  readonly joinKeyMap: ReadonlyMap<string, string>
}

/** A set keeps the asked order. */
type DraftBlock = ViewUse & { readonly features: Set<number> }

export class PlanDraft {
  readonly #blocks: DraftBlock[] = []
  readonly #byUse = new Map<string, number>()
  readonly #outputs: { readonly block: number; readonly place: number }[] = []

  /** False where the block has that feature already. */
  add(use: ViewUse, feature: number): boolean {
    const block = this.#blockOf(use)
    const { features } = this.#blocks[block]!
    if (features.has(feature)) return false
    if (this.#outputs.length === FEATURES_PER_REQUEST_MAX) {
      throw new Fault('too_large', 'too many features in one request', {
        allowed: `at most ${FEATURES_PER_REQUEST_MAX} features`,
      })
    }
    this.#outputs.push({ block, place: features.size })
    features.add(feature)
    return true
  }

  finish(catalog: Catalog, form: BlockForm, tables: RowReader): Plan {
    const blocks = this.#blocks.map((draft) => planBlock(draft, tables))
    return Object.freeze({
      catalog,
      blocks: Object.freeze(blocks),
      outputs: Object.freeze(this.#outputs),
      featureCount: this.#outputs.length,
      schemaId: schemaIdOf(schemaText(blocks), form),
    })
  }

  #blockOf(use: ViewUse): number {
    const renamed = use.joinKeyMap.size === 0 ? '' : JSON.stringify([...use.joinKeyMap])
    const identity = `${use.view.position} ${use.name} ${renamed}`
    const known = this.#byUse.get(identity)
    if (known !== undefined) return known
    this.#byUse.set(identity, this.#blocks.length)
    return this.#blocks.push({ ...use, features: new Set() }) - 1
  }
}

const NO_KEY = new Uint8Array(0)
const ENTITYLESS_KEY = entitylessKey()

function planBlock(draft: DraftBlock, tables: RowReader): PlanBlock {
  const { view, name, joinKeyMap } = draft
  const keys = view.joinKeys.map((key): PlannedKey => {
    const column = joinKeyMap.get(key.name) ?? key.name
    return Object.freeze({ column, name: key.name, type: key.type })
  })
  const features = Uint32Array.from(draft.features)
  return Object.freeze({
    view,
    name,
    table: readTableOf(view, features, tables),
    layout: viewLayout(view),
    keys: Object.freeze(keys),
    constantKey: keys.length === 0 ? ENTITYLESS_KEY : NO_KEY,
    features,
  })
}

function entitylessKey(): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES_MAX)
  return bytes.slice(0, makeKeyWriter([]).write([], bytes, 0))
}
