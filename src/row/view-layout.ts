/** The layout in which a view's rows are written, and into which older ones are read. */
import type { FeatureView } from '../catalog/catalog.ts'
import type { Layout } from './layout.ts'
import { makeLayout } from './layout.ts'

/** A catalog is frozen and lives until the next one: so do the layouts of its views. */
const layouts = new WeakMap<FeatureView, Layout>()

export function viewLayout(view: FeatureView): Layout {
  const known = layouts.get(view)
  if (known !== undefined) return known
  const features = view.features.map(({ name, type }) => ({ name, type }))
  const layout = makeLayout(features, view.partial)
  layouts.set(view, layout)
  return layout
}
