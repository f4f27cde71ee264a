/** A catalog that came by message: cloning loses what is frozen and which value types are the same. */
import type { Catalog, Feature, FeatureView } from '../catalog/catalog.ts'
import { makeCatalog } from '../catalog/make-catalog.ts'
import { valueType } from '../catalog/value-type.ts'

export const receivedCatalog = (cloned: Catalog): Catalog =>
  makeCatalog({ ...cloned, views: cloned.views.map(receivedView) })

const receivedView = (view: FeatureView): FeatureView => ({
  ...view,
  features: view.features.map(receivedFeature),
})

const receivedFeature = (feature: Feature): Feature => ({
  ...feature,
  type: valueType(feature.type.name),
})
