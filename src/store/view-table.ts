/** A feature view's table, as a store is asked for it. */
import type { FeatureView } from '../catalog/catalog.ts'
import { keySignature } from '../row/entity-key.ts'
import { encodeLayout } from '../row/layout.ts'
import { viewLayout } from '../row/view-layout.ts'
import type { RowReader, TableSpec } from './store.ts'

/** For a writer. */
export const tableSpecOf = (view: FeatureView): TableSpec => ({
  name: view.table,
  keySignature: keySignature(view.joinKeys),
  layout: encodeLayout(viewLayout(view)),
  ttlUs: view.ttlUs,
})

/** For a reader that will look at the features of these positions (undefined: all): its number, or 0. */
export const readTableOf = (
  view: FeatureView,
  features: Uint32Array | undefined,
  tables: Pick<RowReader, 'tableNumber'>,
): number =>
  tables.tableNumber(view.table, keySignature(view.joinKeys), {
    layout: viewLayout(view),
    features: view.wide ? features : undefined,
    cacheMaxStalenessMs: view.cacheMaxStalenessMs,
    staleIfError: view.staleIfError,
  })
