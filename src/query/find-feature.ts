/** Features of a view by name. */
import type { Feature, FeatureView } from '../catalog/catalog.ts'

/** Made once for each view: a request may name thousands of features. */
const indexes = new WeakMap<FeatureView, ReadonlyMap<string, Feature>>()

export function findFeature(view: FeatureView, name: string): Feature | undefined {
  let index = indexes.get(view)
  if (index === undefined) {
    index = new Map(view.features.map((feature) => [feature.name, feature]))
    indexes.set(view, index)
  }
  return index.get(name)
}
