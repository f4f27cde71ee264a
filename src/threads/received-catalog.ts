/** A catalog that came by message: cloning loses what is frozen and which value types are the same. */
import type { Catalog, Feature, FeatureView } from '../catalog/catalog.ts'
import { makeCatalog } from '../catalog/make-catalog.ts'
import { valueType } from '../catalog/value-type.ts'

export function receivedCatalog(cloned: Catalog): Catalog {
  const { digest: _digest, viewsByName: _views, servicesByName: _services, ...definitions } = cloned
  return makeCatalog({ ...definitions, views: definitions.views.map(receivedView) })
}

const receivedView = (view: FeatureView): FeatureView => ({
  ...view,
  features: view.features.map(receivedFeature),
})

const receivedFeature = (feature: Feature): Feature => ({
  ...feature,
  type: valueType(feature.type.name),
})
