/** `salver serve`: from definitions to a listening server, and its orderly end. */
import { Fault } from '../base/fault.ts'
import { BODY_MS_MAX } from '../base/limits.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import type { ServeCommand } from '../cli/command.ts'
import { faultText } from '../cli/fault-text.ts'
import type { Io } from '../cli/io.ts'
import type { ServingSettings } from '../http/serving-side.ts'
import { dynamoOptions } from './dynamo-store.ts'
import { FeatureServer } from './feature-server.ts'
import { openReadOnlyStore } from './read-only-store.ts'
import { serverSignals } from './server-signals.ts'
import type { OpenStoreThread, StoreSpec } from './store-thread.ts'

const DONE = 0
const FAILED = 1

/**
 * Resolves with the exit code: 0 after an orderly stop, 1 when the store's thread died. Prints one
 * line, the address, when everything asked of it will be answered.
 */
export async function runServe(
  command: ServeCommand,
  io: Io,
  openStoreThread: OpenStoreThread,
): Promise<number> {
  const log = (line: string): void => io.err(`${line}\n`)
  const catalog = await openCatalog(command.catalogPath)
  if (command.dataDir === '') dynamoOptions(catalog) // what is wrong with them is told before it listens
  tellNotServed(catalog, log)
  const { catalogPath } = command
  const server = new FeatureServer({ settings: settingsOf(command), catalogPath, catalog, log })
  const signals = serverSignals(() => server.reloadNow())
  try {
    // A stop does not wait for a long open: nothing was acknowledged yet that could be lost.
    const opening =
      command.readOnly && command.dataDir !== ''
        ? openReadOnlyStore(command.dataDir)
        : openStoreThread(specOf(command, catalog))
    const store = await Promise.race([opening, signals.stop])
    if (typeof store === 'string') return DONE
    for (const note of store.notes) log(`store: ${note}`)
    server.open(store)
    io.out(`listening on ${server.url}\n`)
    const end = await Promise.race([signals.stop, store.died])
    if (end instanceof Fault) return failed(end, log)
    log(`${end}: finishing what is under way`)
    return (await server.stop()) ? DONE : FAILED
  } finally {
    signals.ignore()
    await server.cutOff()
  }
}

function failed(fault: Fault, log: (line: string) => void): number {
  log(`the store's thread ended: ${faultText(fault)}`)
  return FAILED
}

function tellNotServed(catalog: Catalog, log: (line: string) => void): void {
  for (const { kind, name, reason } of catalog.notServed) {
    log(`not served: ${kind} ${name}: ${reason}`)
  }
}

const settingsOf = (command: ServeCommand): ServingSettings => ({
  host: command.host,
  port: command.port,
  token: command.token,
  readOnly: command.readOnly,
  feastTtl: command.feastTtl,
  requestsInFlightMax: command.requestsInFlightMax,
  bodyMsMax: BODY_MS_MAX,
})

function specOf(command: ServeCommand, catalog: Catalog): StoreSpec {
  const { dataDir, durability, futureMarginUs } = command
  if (dataDir !== '') return { dataDir, durability, futureMarginUs, catalog }
  const { refreshAfterUs, readMsMax, cacheBytesMax, readOnly } = command
  return { refreshAfterUs, readMsMax, cacheBytesMax, readOnly, futureMarginUs, catalog }
}
