/** A catalog from a few words, for tests that are about queries and not about definitions. */
import type {
  Catalog,
  Entity,
  FeatureService,
  FeatureView,
  JoinKey,
  NotServed,
} from '../../src/catalog/catalog.ts'
import { makeCatalog } from '../../src/catalog/make-catalog.ts'
import type { KeyTypeName, ValueTypeName } from '../../src/catalog/value-type.ts'
import { valueType } from '../../src/catalog/value-type.ts'

export type ViewWords = {
  readonly name: string
  readonly keys: Readonly<Record<string, KeyTypeName>>
  readonly features: Readonly<Record<string, ValueTypeName>>
  readonly changes?: Partial<FeatureView>
}

export function smallCatalog(
  views: readonly ViewWords[],
  services: readonly FeatureService[] = [],
  notServed: readonly NotServed[] = [],
): Catalog {
  return makeCatalog({
    project: 'test',
    origin: 'test',
    folder: '.',
    versioning: false,
    entities: entitiesOf(views),
    views: views.map(makeView),
    services,
    pushSources: new Map(),
    notServed,
    onlineStore: undefined,
  })
}

/** One for each join key, with a name of its own. */
function entitiesOf(views: readonly ViewWords[]): Entity[] {
  const types = new Map(views.flatMap((view) => Object.entries(view.keys)))
  return [...types].map(([joinKey, type]) => ({ name: `entity_${joinKey}`, joinKey, type }))
}

function makeView(words: ViewWords, position: number): FeatureView {
  const joinKeys = Object.entries(words.keys).map(([name, type]): JoinKey => ({ name, type }))
  const features = Object.entries(words.features).map(([name, type], place) => ({
    name,
    position: place,
    type: valueType(type),
    defaultValue: undefined,
    nestedType: '',
  }))
  return {
    name: words.name,
    position,
    kind: 'feature_view',
    table: words.name,
    version: 0,
    entities: [],
    joinKeys: joinKeys.sort((a, b) => (a.name < b.name ? -1 : 1)),
    features,
    ttlUs: 0,
    partial: false,
    wide: false,
    cacheMaxStalenessMs: 0,
    staleIfError: false,
    freshnessSloUs: 0,
    batchSource: undefined,
    streamSource: undefined,
    online: true,
    disabled: false,
    refusedState: '',
    tags: new Map(),
    ...words.changes,
  }
}
