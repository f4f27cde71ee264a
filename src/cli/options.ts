/**
 * The one table of options: parsing, environment, config file, help, `config explain` and the README
 * are all made from it. A value comes from its flag, else its variable, else the config file, else
 * the default here.
 */
import type { CommandName } from './command-specs.ts'
import type { Kind } from './option-kind.ts'
import { durationText } from '../catalog/parse-duration.ts'
import {
  CACHE_BYTES_MAX,
  FUTURE_MARGIN_US,
  REQUESTS_IN_FLIGHT_MAX,
  STORE_READ_MS_MAX,
} from '../base/limits.ts'
import * as kind from './option-kind.ts'

export type Option<T = unknown> = {
  /** '' for what is never taken from a command line. */
  readonly flag: string
  /** '' for what belongs to one run and so is never taken from the environment. */
  readonly env: string
  /** Key in the config file; '' for what belongs to one run. */
  readonly key: string
  readonly kind: Kind<T>
  /** As it would be typed; '' where there is none. */
  readonly defaultText: string
  readonly help: string
  readonly commands: readonly CommandName[]
  readonly requiredBy: readonly CommandName[]
  /** Never printed. */
  readonly secret: boolean
}

const STORE_COMMANDS = ['store stats', 'store verify', 'store compact', 'store drop'] as const
const CATALOG_COMMANDS = ['catalog check', 'catalog show'] as const
const TABLES_COMMANDS = ['tables create', 'tables check'] as const
const LEDGER_COMMANDS = ['ingest ledger rebuild', 'ingest ledger check'] as const

/** A year, and ten minutes: longer is a slip of the unit. */
const FUTURE_MARGIN_US_MAX = 365 * 24 * 3600 * 1_000_000
const READ_TIMEOUT_US_MAX = 60 * 1_000_000
const REFRESH_AFTER_US_MAX = 365 * 24 * 3600 * 1_000_000
const HEALTH_TIMEOUT_US_MAX = 10 * 60 * 1_000_000

const option = <T>(
  row: Omit<Option<T>, 'requiredBy' | 'secret'> & Partial<Option<T>>,
): Option<T> => ({
  requiredBy: [],
  secret: false,
  ...row,
})

export const OPTIONS = {
  catalog: option({
    flag: 'catalog',
    env: 'SALVER_CATALOG',
    key: 'catalog',
    kind: kind.path('PATH'),
    defaultText: '',
    help: 'features.yaml, a folder with feature_store.yaml, or a registry.db',
    commands: [
      'serve',
      'ingest batch',
      ...LEDGER_COMMANDS,
      ...TABLES_COMMANDS,
      ...CATALOG_COMMANDS,
      'lookup',
    ],
    requiredBy: [
      'serve',
      'ingest batch',
      ...LEDGER_COMMANDS,
      ...TABLES_COMMANDS,
      ...CATALOG_COMMANDS,
    ],
  }),
  data: option({
    flag: 'data',
    env: 'SALVER_DATA',
    key: 'data',
    kind: kind.path('DIR'),
    defaultText: '',
    help: 'data directory of the embedded store',
    commands: ['serve', 'ingest batch', 'lookup', ...STORE_COMMANDS],
    requiredBy: [...STORE_COMMANDS],
  }),
  server: option({
    flag: 'server',
    env: 'SALVER_SERVER',
    key: 'server',
    kind: kind.serverUrl,
    defaultText: '',
    help: 'a running server, in place of a data directory',
    commands: ['ingest batch', 'lookup', 'health'],
  }),
  host: option({
    flag: 'host',
    env: 'SALVER_HOST',
    key: 'host',
    kind: kind.host,
    defaultText: '127.0.0.1',
    help: 'address to listen on; other than loopback needs a token or --read-only',
    commands: ['serve'],
  }),
  port: option({
    flag: 'port',
    env: 'SALVER_PORT',
    key: 'port',
    kind: kind.port,
    defaultText: '6566',
    help: 'port of the server; serve takes a free one for 0',
    commands: ['serve', 'health'],
  }),
  readOnly: option({
    flag: 'read-only',
    env: 'SALVER_READ_ONLY',
    key: 'read_only',
    kind: kind.onOff,
    defaultText: 'false',
    help: 'refuse every write',
    commands: ['serve'],
  }),
  token: option({
    flag: '',
    env: 'SALVER_TOKEN',
    key: 'token',
    kind: kind.text('TOKEN'),
    defaultText: '',
    help: 'bearer token that write routes demand',
    commands: ['serve', 'ingest batch'],
    secret: true,
  }),
  durability: option({
    flag: 'durability',
    env: 'SALVER_DURABILITY',
    key: 'durability',
    kind: kind.choice('sync', 'process'),
    defaultText: 'sync',
    help: 'acknowledge a write after fdatasync, or already after write (a power cut loses it)',
    commands: ['serve', 'ingest batch'],
  }),
  feastTtl: option({
    flag: 'feast-ttl',
    env: 'SALVER_FEAST_TTL',
    key: 'feast_ttl',
    kind: kind.choice('ignore', 'enforce'),
    defaultText: 'ignore',
    help: "whether Feast's read route withholds rows older than their view's ttl",
    commands: ['serve'],
  }),
  requestsInFlight: option({
    flag: 'max-in-flight',
    env: 'SALVER_MAX_IN_FLIGHT',
    key: 'max_in_flight',
    kind: kind.count(1, 1_000_000),
    defaultText: String(REQUESTS_IN_FLIGHT_MAX),
    help: 'requests answered at once; the next one gets a 503',
    commands: ['serve'],
  }),
  futureMargin: option({
    flag: 'future-margin',
    env: 'SALVER_FUTURE_MARGIN',
    key: 'future_margin',
    kind: kind.duration(FUTURE_MARGIN_US_MAX),
    defaultText: durationText(FUTURE_MARGIN_US),
    help: 'reject a row whose event time is further ahead of the clock',
    commands: ['serve', 'ingest batch'],
  }),
  readTimeout: option({
    flag: 'read-timeout',
    env: 'SALVER_READ_TIMEOUT',
    key: 'read_timeout',
    kind: kind.duration(READ_TIMEOUT_US_MAX),
    defaultText: durationText(STORE_READ_MS_MAX * 1000),
    help: 'how long a read without a deadline of its own waits for DynamoDB',
    commands: ['serve'],
  }),
  cacheSize: option({
    flag: 'cache-size',
    env: 'SALVER_CACHE_SIZE',
    key: 'cache_size',
    kind: kind.size(CACHE_BYTES_MAX),
    defaultText: '64MiB',
    help: 'memory for rows of DynamoDB views that declare cache_max_staleness; 0 keeps none',
    commands: ['serve'],
  }),
  refreshAfter: option({
    flag: 'refresh-after',
    env: 'SALVER_REFRESH_AFTER',
    key: 'refresh_after',
    kind: kind.duration(REFRESH_AFTER_US_MAX),
    defaultText: '',
    help: 'rewrite an unchanged item in DynamoDB when its time is older by this; without it a quarter of the ttl, or a day',
    commands: ['serve', 'ingest batch'],
  }),
  ledger: option({
    flag: 'ledger',
    env: 'SALVER_LEDGER',
    key: 'ledger',
    kind: kind.path('DIR'),
    defaultText: '',
    help: 'find changes by this ledger in place of reading DynamoDB: for tables that nobody else writes',
    commands: ['ingest batch', ...LEDGER_COMMANDS],
    requiredBy: [...LEDGER_COMMANDS],
  }),
  assumeEmpty: option({
    flag: 'assume-empty',
    env: '',
    key: '',
    kind: kind.onOff,
    defaultText: 'false',
    help: 'first load of DynamoDB tables: write 25 items a call, and look at none that is there',
    commands: ['ingest batch'],
  }),
  view: option({
    flag: 'view',
    env: '',
    key: '',
    kind: kind.text('NAME'),
    defaultText: '',
    help: 'feature view to write; without it every view that declares a source',
    commands: ['ingest batch', ...LEDGER_COMMANDS],
    requiredBy: [...LEDGER_COMMANDS],
  }),
  source: option({
    flag: 'source',
    env: '',
    key: '',
    kind: kind.path('PATH_OR_GLOB'),
    defaultText: '',
    help: "file, folder or glob to read; without it the view's own source",
    commands: ['ingest batch'],
  }),
  format: option({
    flag: 'format',
    env: '',
    key: '',
    kind: kind.choice('parquet', 'ndjson', 'csv'),
    defaultText: '',
    help: "format of the source; without it told by the file's name",
    commands: ['ingest batch'],
  }),
  dryRun: option({
    flag: 'dry-run',
    env: '',
    key: '',
    kind: kind.onOff,
    defaultText: 'false',
    help: 'print the receipt and write nothing',
    commands: ['ingest batch'],
  }),
  rejects: option({
    flag: 'rejects',
    env: 'SALVER_REJECTS',
    key: 'rejects',
    kind: kind.path('FILE'),
    defaultText: '',
    help: 'file for rejected rows; without it VIEW.rejects.ndjson in the working folder',
    commands: ['ingest batch'],
  }),
  rejectsMax: option({
    flag: 'max-rejects',
    env: 'SALVER_MAX_REJECTS',
    key: 'max_rejects',
    kind: kind.count(0, Number.MAX_SAFE_INTEGER),
    defaultText: '0',
    help: 'fail once more rows than this were rejected',
    commands: ['ingest batch'],
  }),
  progress: option({
    flag: 'progress',
    env: 'SALVER_PROGRESS',
    key: 'progress',
    kind: kind.onOff,
    defaultText: '',
    help: 'show progress on standard error; without it only on a terminal',
    commands: ['ingest batch'],
  }),
  service: option({
    flag: 'service',
    env: '',
    key: '',
    kind: kind.text('NAME'),
    defaultText: '',
    help: 'feature service to look up',
    commands: ['lookup'],
  }),
  features: option({
    flag: 'feature',
    env: '',
    key: '',
    kind: kind.references,
    defaultText: '',
    help: 'feature to look up, in place of a service; may be repeated',
    commands: ['lookup'],
  }),
  entities: option({
    flag: 'entity',
    env: '',
    key: '',
    kind: kind.namedValues,
    defaultText: '',
    help: 'value of a join key; a name given again adds a row',
    commands: ['lookup'],
  }),
  table: option({
    flag: 'table',
    env: '',
    key: '',
    kind: kind.text('NAME'),
    defaultText: '',
    help: 'table to drop, as `salver store stats` names it',
    commands: ['store drop'],
    requiredBy: ['store drop'],
  }),
  yes: option({
    flag: 'yes',
    env: '',
    key: '',
    kind: kind.onOff,
    defaultText: 'false',
    help: 'do it; without it the command only says what would be dropped',
    commands: ['store drop'],
  }),
  timeout: option({
    flag: 'timeout',
    env: '',
    key: '',
    kind: kind.duration(HEALTH_TIMEOUT_US_MAX),
    defaultText: '2s',
    help: 'how long to wait for an answer',
    commands: ['health'],
  }),
  json: option({
    flag: 'json',
    env: '',
    key: '',
    kind: kind.onOff,
    defaultText: 'false',
    help: 'print the answer as one JSON object',
    commands: [
      'ingest batch',
      ...LEDGER_COMMANDS,
      ...TABLES_COMMANDS,
      ...CATALOG_COMMANDS,
      'lookup',
      'store stats',
      'store verify',
      'store compact',
    ],
  }),
  config: option({
    flag: 'config',
    env: 'SALVER_CONFIG',
    key: '',
    kind: kind.path('FILE'),
    defaultText: '',
    help: 'YAML file of settings; its relative paths start at its folder',
    commands: [
      'serve',
      'ingest batch',
      ...LEDGER_COMMANDS,
      ...TABLES_COMMANDS,
      ...CATALOG_COMMANDS,
      'lookup',
      ...STORE_COMMANDS,
      'health',
    ],
  }),
}

export type OptionName = keyof typeof OPTIONS
export type OptionValue<Name extends OptionName> =
  (typeof OPTIONS)[Name] extends Option<infer Value> ? Value : never

/** Every option, in the table's order, which is the order of help. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[] // the keys of a literal

export const optionsOf = (command: CommandName): readonly OptionName[] =>
  OPTION_NAMES.filter((name) => OPTIONS[name].commands.includes(command))
