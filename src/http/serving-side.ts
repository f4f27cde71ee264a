/** One serving thread's HTTP: its socket, its routes, and what they answer from. */
import { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { feastPlans } from '../query/feast-plan.ts'
import { nativePlans } from '../query/plan-cache.ts'
import type { RowReader } from '../store/store.ts'
import { makeApp } from './app.ts'
import type { AppParts, Served } from './app-parts.ts'
import { CountedAnswerer } from './counted-answerer.ts'
import { Counters } from './counters.ts'
import type { Listener } from './listen.ts'
import { listen } from './listen.ts'
import { Readiness } from './readiness.ts'
import { makeWriteGuard } from './write-guard.ts'
import type { WriteLane } from './write-lane.ts'

export type ServingSettings = {
  readonly host: string
  readonly port: number
  readonly token: string
  readonly readOnly: boolean
  readonly feastTtl: 'ignore' | 'enforce'
  readonly requestsInFlightMax: number
  readonly bodyMsMax: number
}

/** What a serving side is told by whoever runs it. */
export type ServingHost = {
  readonly metrics: () => Promise<string>
  readonly log: (line: string) => void
}

export class ServingSide {
  readonly counters = new Counters()
  readonly readiness = new Readiness()
  readonly #listener: Listener
  #served: Served | undefined

  /** Listens at once, so that probes are answered; reads and writes are `unavailable` until `open`. */
  constructor(settings: ServingSettings, host: ServingHost) {
    const app = makeApp(this.#parts(settings, host))
    this.#listener = listen(settings.host, settings.port, (request) => app.fetch(request))
  }

  get url(): string {
    return this.#listener.url
  }

  open(catalog: Catalog, reader: RowReader, writes: WriteLane): void {
    this.#served = {
      catalog,
      plans: nativePlans(reader),
      feastPlans: feastPlans(reader),
      answerer: new CountedAnswerer(reader, this.counters),
      writes,
    }
    this.readiness.clear('starting')
  }

  /** Requests that are decoded from now on are answered by this catalog. */
  swapCatalog(catalog: Catalog): void {
    this.#served = { ...this.#requireServed(), catalog }
  }

  drain(msMax: number): Promise<{ readonly cutOff: number }> {
    this.readiness.hinder('draining', 'the server is being stopped')
    return this.#listener.drain(msMax)
  }

  #requireServed(): Served {
    if (this.#served === undefined) {
      throw new Fault('unavailable', 'the store is being opened', { allowed: 'try again' })
    }
    return this.#served
  }

  #parts(settings: ServingSettings, host: ServingHost): AppParts {
    return {
      served: () => this.#requireServed(),
      connections: {
        requestsInFlight: () => this.#listener.requestsInFlight(),
        keepOpen: (request) => this.#listener.keepOpen(request),
      },
      counters: this.counters,
      readiness: this.readiness,
      guardWrite: makeWriteGuard(settings.token, settings.readOnly),
      metrics: host.metrics,
      feastTtl: settings.feastTtl,
      requestsInFlightMax: settings.requestsInFlightMax,
      bodyMsMax: settings.bodyMsMax,
      log: host.log,
    }
  }
}
