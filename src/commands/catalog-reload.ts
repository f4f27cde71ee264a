/**
 * Takes a changed catalog into use: its layouts are durable first, then the serving threads answer by
 * it, and only then are rows written by it. One at a time; a faulty one changes nothing.
 */
import { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { faultText } from '../cli/fault-text.ts'
import type { Readiness } from '../http/readiness.ts'
import type { StoreThread } from './store-thread.ts'

export type ReloadParts = {
  readonly store: StoreThread
  readonly readiness: Readiness
  /** Puts it in place in every serving thread. */
  readonly swap: (catalog: Catalog) => void
  readonly log: (line: string) => void
}

export class CatalogReload {
  readonly #parts: ReloadParts
  #catalog: Catalog
  #generation = 1
  #faults = 0
  /** A good one that the store could not take: a full disk, most likely. */
  #postponed: Catalog | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(parts: ReloadParts, catalog: Catalog) {
    this.#parts = parts
    this.#catalog = catalog
  }

  get catalog(): Catalog {
    return this.#catalog
  }
  get generation(): number {
    return this.#generation
  }
  get faults(): number {
    return this.#faults
  }

  /** A catalog that can't be taken is refused, told and counted. */
  take(catalog: Catalog): Promise<void> {
    this.#last = this.#last.then(() => this.#takeNext(catalog))
    return this.#last
  }

  /** Tries again what the store could not take. */
  async retry(): Promise<void> {
    if (this.#postponed !== undefined) await this.take(this.#postponed)
  }

  /** What can't be read, or can't be made durable. */
  refuse(fault: Fault): void {
    this.#faults++
    this.#parts.readiness.warn('catalog', `changed definitions were refused: ${fault.message}`)
    this.#parts.log(`catalog: refused, the one before stays in force: ${faultText(fault)}`)
  }

  async #takeNext(catalog: Catalog): Promise<void> {
    this.#postponed = undefined
    if (catalog.digest === this.#catalog.digest) return this.#keep()
    if (this.#parts.store.remote !== undefined && !isSameStore(catalog, this.#catalog)) {
      return this.refuse(otherStore(catalog))
    }
    try {
      await this.#putInForce(catalog)
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown
      this.#postponed = catalog
      this.refuse(thrown)
    }
  }

  async #putInForce(catalog: Catalog): Promise<void> {
    const { store, swap, log } = this.#parts
    const generation = this.#generation + 1
    await store.prepare({ generation, catalog })
    swap(catalog)
    this.#catalog = catalog
    this.#generation = generation
    await store.adopt(generation)
    this.#keep()
    log(`catalog: ${catalog.views.length} views, read anew from ${catalog.origin}`)
  }

  /** What is in force is what is written: nothing is wrong any more. */
  #keep(): void {
    this.#parts.readiness.clearWarning('catalog')
  }
}

/** What the store was opened by can't be changed while it is open. */
const isSameStore = (one: Catalog, other: Catalog): boolean =>
  one.project === other.project && storeText(one) === storeText(other)

const storeText = ({ onlineStore }: Catalog): string =>
  JSON.stringify([onlineStore?.type, [...(onlineStore?.options ?? [])]])

const otherStore = ({ origin }: Catalog): Fault =>
  new Fault('catalog_invalid', 'the project or its online_store changed', {
    where: origin,
    allowed: 'other views and services; for another store the server is to be started again',
  })
