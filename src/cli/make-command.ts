/** Checked settings as one of the closed union of commands. */
import type {
  Command,
  IngestBatchCommand,
  LedgerCommand,
  LookupCommand,
  ServeCommand,
  StoreDropCommand,
} from './command.ts'
import type { OptionName, OptionValue } from './options.ts'
import type { Settings } from './settings.ts'
import { OPTIONS } from './options.ts'
import { valueOf } from './settings.ts'

export function makeCommand(settings: Settings, errIsTerminal: boolean): Command {
  switch (settings.command) {
    case 'serve':
      return makeServe(settings)
    case 'ingest batch':
      return makeIngestBatch(settings, errIsTerminal)
    case 'ingest ledger rebuild':
      return makeLedger(settings, 'ingest-ledger-rebuild')
    case 'ingest ledger check':
      return makeLedger(settings, 'ingest-ledger-check')
    case 'tables create':
    case 'tables check':
      return {
        kind: settings.command === 'tables create' ? 'tables-create' : 'tables-check',
        catalogPath: sure(settings, 'catalog'),
        json: sure(settings, 'json'),
      }
    case 'catalog check':
    case 'catalog show':
      return {
        kind: settings.command === 'catalog check' ? 'catalog-check' : 'catalog-show',
        catalogPath: sure(settings, 'catalog'),
        json: sure(settings, 'json'),
      }
    case 'lookup':
      return makeLookup(settings)
    case 'store stats':
      return makeStore(settings, 'store-stats')
    case 'store verify':
      return makeStore(settings, 'store-verify')
    case 'store compact':
      return makeStore(settings, 'store-compact')
    case 'store drop':
      return makeStoreDrop(settings)
    case 'health':
      return {
        kind: 'health',
        url: valueOf(settings, 'server') ?? `http://127.0.0.1:${sure(settings, 'port')}`,
        timeoutMs: Math.ceil(sure(settings, 'timeout') / 1000),
      }
    case 'config explain':
      throw new Error('config explain takes no settings of its own')
  }
}

function makeServe(settings: Settings): ServeCommand {
  return {
    kind: 'serve',
    catalogPath: sure(settings, 'catalog'),
    dataDir: valueOf(settings, 'data') ?? '',
    host: sure(settings, 'host'),
    port: sure(settings, 'port'),
    readOnly: sure(settings, 'readOnly'),
    token: valueOf(settings, 'token') ?? '',
    durability: sure(settings, 'durability'),
    feastTtl: sure(settings, 'feastTtl'),
    requestsInFlightMax: sure(settings, 'requestsInFlight'),
    futureMarginUs: sure(settings, 'futureMargin'),
    readMsMax: sure(settings, 'readTimeout') / 1000,
    cacheBytesMax: sure(settings, 'cacheSize'),
    refreshAfterUs: valueOf(settings, 'refreshAfter'),
  }
}

function makeIngestBatch(settings: Settings, errIsTerminal: boolean): IngestBatchCommand {
  return {
    kind: 'ingest-batch',
    catalogPath: sure(settings, 'catalog'),
    dataDir: valueOf(settings, 'data') ?? '',
    server: valueOf(settings, 'server') ?? '',
    token: valueOf(settings, 'token') ?? '',
    view: valueOf(settings, 'view') ?? '',
    source: valueOf(settings, 'source') ?? '',
    format: valueOf(settings, 'format') ?? '',
    dryRun: sure(settings, 'dryRun'),
    json: sure(settings, 'json'),
    rejectsPath: valueOf(settings, 'rejects') ?? '',
    rejectsMax: sure(settings, 'rejectsMax'),
    futureMarginUs: sure(settings, 'futureMargin'),
    durability: sure(settings, 'durability'),
    progress: valueOf(settings, 'progress') ?? errIsTerminal,
    refreshAfterUs: valueOf(settings, 'refreshAfter'),
    ledgerDir: valueOf(settings, 'ledger') ?? '',
    assumeEmpty: sure(settings, 'assumeEmpty'),
  }
}

const makeLedger = (settings: Settings, kind: LedgerCommand['kind']): LedgerCommand => ({
  kind,
  catalogPath: sure(settings, 'catalog'),
  view: sure(settings, 'view'),
  ledgerDir: sure(settings, 'ledger'),
  json: sure(settings, 'json'),
})

function makeLookup(settings: Settings): LookupCommand {
  return {
    kind: 'lookup',
    catalogPath: valueOf(settings, 'catalog') ?? '',
    dataDir: valueOf(settings, 'data') ?? '',
    server: valueOf(settings, 'server') ?? '',
    service: valueOf(settings, 'service') ?? '',
    references: valueOf(settings, 'features') ?? [],
    entities: valueOf(settings, 'entities') ?? [],
    json: sure(settings, 'json'),
  }
}

function makeStore<Kind extends 'store-stats' | 'store-verify' | 'store-compact'>(
  settings: Settings,
  kind: Kind,
) {
  return { kind, dataDir: sure(settings, 'data'), json: sure(settings, 'json') }
}

function makeStoreDrop(settings: Settings): StoreDropCommand {
  return {
    kind: 'store-drop',
    dataDir: sure(settings, 'data'),
    table: sure(settings, 'table'),
    yes: sure(settings, 'yes'),
  }
}

/** A value that the checks before have made sure of. */
function sure<Name extends OptionName>(settings: Settings, name: Name): OptionValue<Name> {
  const value = valueOf(settings, name)
  if (value === undefined)
    throw new Error(`${settings.command} has no value for --${OPTIONS[name].flag}`)
  return value
}
