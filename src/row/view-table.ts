/** What a store knows a feature view's table by: the layout of its rows and the signature of its keys. */
import type { FeatureView } from '../catalog/catalog.ts'
import { DUMMY_JOIN_KEY } from '../catalog/catalog.ts'
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

/** `join_key:TYPE` joined by commas, in key order; an entityless view has Feast's dummy key. */
export function keySignature(view: FeatureView): string {
  if (view.joinKeys.length === 0) return `${DUMMY_JOIN_KEY}:STRING`
  return view.joinKeys.map((key) => `${key.name}:${key.type}`).join(',')
}
