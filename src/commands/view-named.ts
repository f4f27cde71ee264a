/** The view that a command line names. */
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import type { Catalog, FeatureView } from '../catalog/catalog.ts'

export function viewNamed(catalog: Catalog, name: string): FeatureView {
  const view = catalog.viewsByName.get(name)
  if (view !== undefined) return view
  const names = [...catalog.viewsByName.keys()]
  const near = closestName(name, names)
  const notServed = catalog.notServed.find((object) => object.name === name)
  const what = notServed === undefined ? 'is not defined' : `is not served: ${notServed.reason}`
  throw new Fault('unknown_view', `view ${name} ${what}`, {
    where: '--view',
    allowed: near === undefined ? names.join(', ') : `${near}?`,
  })
}
