/** A server while it runs: its socket, its store's thread, and the definitions it watches. */
import {
  CATALOG_POLL_MS,
  DRAIN_MS_MAX,
  STORE_CLOSE_MS_MAX,
  STORE_STATS_MS_MAX,
} from '../base/limits.ts'
import { within } from '../base/within.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { CatalogWatch } from '../catalog/watch-catalog.ts'
import { watchCatalog } from '../catalog/watch-catalog.ts'
import { VERSION } from '../cli/version.ts'
import { metricsText } from '../http/metrics-text.ts'
import type { ServingSettings } from '../http/serving-side.ts'
import { ServingSide } from '../http/serving-side.ts'
import { CatalogReload } from './catalog-reload.ts'
import { DamageWatch } from './damage-watch.ts'
import { RemoteWatch } from './remote-watch.ts'
import type { StoreThread } from './store-thread.ts'

/** What there is once the store is open. */
type Running = {
  readonly store: StoreThread
  readonly reload: CatalogReload
  readonly watch: CatalogWatch
  readonly health: DamageWatch | RemoteWatch
}

export class FeatureServer {
  readonly #side: ServingSide
  readonly #catalogPath: string
  readonly #catalog: Catalog
  readonly #log: (line: string) => void
  #running: Running | undefined

  /** Listens from here on, and answers probes. Throws a Fault where it can't. */
  constructor(parts: {
    readonly settings: ServingSettings
    readonly catalogPath: string
    readonly catalog: Catalog
    readonly log: (line: string) => void
  }) {
    this.#catalogPath = parts.catalogPath
    this.#catalog = parts.catalog
    this.#log = parts.log
    this.#side = new ServingSide(parts.settings, {
      metrics: () => this.#metrics(),
      log: parts.log,
    })
  }

  get url(): string {
    return this.#side.url
  }

  open(store: StoreThread): void {
    const side = this.#side
    side.open(this.#catalog, store.reader, store)
    const reload = new CatalogReload(
      {
        store,
        readiness: side.readiness,
        swap: (catalog) => side.swapCatalog(catalog),
        log: this.#log,
      },
      this.#catalog,
    )
    const watch = watchCatalog({
      path: this.#catalogPath,
      catalog: this.#catalog,
      pollMs: CATALOG_POLL_MS,
      onCatalog: (catalog) => void reload.take(catalog),
      onFault: (fault) => reload.refuse(fault),
    })
    this.#running = { store, reload, watch, health: this.#watchHealth(store) }
  }

  #watchHealth(store: StoreThread): DamageWatch | RemoteWatch {
    const { counters, readiness } = this.#side
    const log = this.#log
    if (store.remote !== undefined) return new RemoteWatch({ remote: store.remote, readiness, log })
    return new DamageWatch({ stats: () => store.stats(), counters, readiness, log })
  }

  /** Looks at the definitions now, not at the next poll. */
  reloadNow(): void {
    void this.#running?.watch.reload()
    void this.#running?.reload.retry()
  }

  /**
   * Lets requests under way finish and the store write its snapshot, both within bounds. False where
   * the store says that it did not close well.
   */
  async stop(): Promise<boolean> {
    this.#closeWatches()
    const { cutOff } = await this.#side.drain(DRAIN_MS_MAX)
    if (cutOff > 0) this.#log(`${cutOff} requests were cut off`)
    return this.#running === undefined || this.#closeStore(this.#running.store)
  }

  /** Nothing can be finished any more. */
  async cutOff(): Promise<void> {
    this.#closeWatches()
    await this.#side.drain(0)
  }

  #closeWatches(): void {
    this.#running?.watch.close()
    this.#running?.health.close()
  }

  async #closeStore(store: StoreThread): Promise<boolean> {
    const closing = store.close().then(
      () => ({ failure: '' }),
      (thrown: unknown) => ({ failure: reasonOf(thrown) }),
    )
    const closed = await within(closing, STORE_CLOSE_MS_MAX)
    if (closed === undefined) this.#log('the store was left without a snapshot: it scans at open')
    else if (closed.failure !== '') this.#log(`the store did not close well: ${closed.failure}`)
    return closed === undefined || closed.failure === ''
  }

  async #metrics(): Promise<string> {
    const running = this.#running
    const store = running && (await within(running.store.stats(), STORE_STATS_MS_MAX))
    if (running?.health instanceof DamageWatch) running.health.note(store)
    return metricsText([this.#side.counters], {
      version: VERSION,
      store,
      remote: running?.store.remote?.figures(),
      catalog: running?.reload.catalog ?? this.#catalog,
      catalogGeneration: running?.reload.generation ?? 1,
      catalogFaults: running?.reload.faults ?? 0,
      isReady: this.#side.readiness.isReady,
    })
  }
}

const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
