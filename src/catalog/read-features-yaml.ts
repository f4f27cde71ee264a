/** features.yaml, the definitions of those who have no Feast, becomes a Catalog. */
import { TABLES_MAX } from '../base/limits.ts'
import type { Catalog } from './catalog.ts'
import { CATALOG_FIELDS } from './features-fields.ts'
import type { Report } from './field-report.ts'
import { addFault, catalogFault, rawMap, readFields, throwFaults } from './field-report.ts'
import { makeCatalog } from './make-catalog.ts'
import { parseYaml } from './yaml-document.ts'
import { readEntities } from './yaml-entities.ts'
import { readServices } from './yaml-services.ts'
import type { DeclaredView } from './yaml-views.ts'
import { readViews } from './yaml-views.ts'

/** Where a text came from: a fault names `file`, relative paths start in `folder`. */
export type Origin = { readonly file: string; readonly folder: string }

/** Throws one Fault that holds all faults of the text. */
export function readFeaturesYaml(text: string, origin: Origin): Catalog {
  const yaml = parseYaml(text, origin.file, '1.2')
  const report: Report = { yaml, faults: [...yaml.faults] }
  const raw = yaml.value === undefined ? undefined : rawMap(report, [], yaml.value)
  if (raw === undefined) throw catalogFault(report)
  const fields = readFields(report, { path: [], otherKeys: 'refuse' }, CATALOG_FIELDS, raw)
  const entities = readEntities(report, fields.entities ?? [])
  const declared = readViews(report, fields.feature_views ?? [], entities)
  const views = declared.map(({ view }) => view)
  const services = readServices(report, fields.feature_services ?? [], views)
  if (views.length > TABLES_MAX) {
    addFault(
      report,
      ['feature_views'],
      `there are ${views.length} feature views`,
      `at most ${TABLES_MAX}`,
    )
  }
  throwFaults(report)
  return makeCatalog({
    project: fields.project ?? '',
    origin: origin.file,
    folder: origin.folder,
    versioning: false,
    entities,
    views,
    services,
    pushSources: feedsOf(declared),
    notServed: [],
    onlineStore: undefined,
  })
}

function feedsOf(declared: readonly DeclaredView[]): ReadonlyMap<string, readonly number[]> {
  const feeds = new Map<string, number[]>()
  for (const { view, pushSource } of declared) {
    if (pushSource === '') continue
    feeds.set(pushSource, [...(feeds.get(pushSource) ?? []), view.position])
  }
  return feeds
}
