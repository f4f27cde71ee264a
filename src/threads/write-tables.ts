/** A catalog as the writer thread uses it: with the store's numbers for its tables and layouts. */
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import type { Catalog, FeatureView } from '../catalog/catalog.ts'
import type { RowWriter, TableHandle } from '../store/store.ts'
import { tableSpecOf } from '../store/view-table.ts'

export type WriteTarget = { readonly view: FeatureView; readonly handle: TableHandle }

export class WriteTables {
  readonly #catalog: Catalog
  /** By the view's position. */
  readonly #handles: readonly TableHandle[]

  /** Resolves when all of them are durable. */
  static async open(catalog: Catalog, writer: RowWriter): Promise<WriteTables> {
    const handles: TableHandle[] = []
    for (const view of catalog.views) handles.push(await openTable(view, writer))
    return new WriteTables(catalog, handles)
  }

  private constructor(catalog: Catalog, handles: readonly TableHandle[]) {
    this.#catalog = catalog
    this.#handles = handles
  }

  target(name: string): WriteTarget {
    const view = this.#catalog.viewsByName.get(name)
    if (view !== undefined) return { view, handle: this.#handles[view.position]! }
    const names = [...this.#catalog.viewsByName.keys()]
    throw new Fault('unknown_view', `there is no feature view ${JSON.stringify(name)}`, {
      where: 'parameter view',
      allowed: closestName(name, names) ?? names.join(', '),
    })
  }
}

const openTable = (view: FeatureView, writer: RowWriter): Promise<TableHandle> =>
  writer.openTable(tableSpecOf(view))
