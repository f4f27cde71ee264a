/** What the person at the terminal asked for, wholly checked: past here nothing is looked up again. */

export type Durability = 'sync' | 'process'

export type ServeCommand = {
  readonly kind: 'serve'
  readonly catalogPath: string
  /** '' where --data is not given: then feature_store.yaml's online_store decides. */
  readonly dataDir: string
  readonly host: string
  /** 0 takes a free port and prints it. */
  readonly port: number
  readonly readOnly: boolean
  /** '' where no token is demanded of write routes. */
  readonly token: string
  readonly durability: Durability
  readonly feastTtl: 'ignore' | 'enforce'
  readonly requestsInFlightMax: number
  readonly futureMarginUs: number
  /** Of a read that brings no deadline, where the store is waited for. */
  readonly readMsMax: number
  /** Memory for kept rows of a store that is waited for; 0 keeps none. */
  readonly cacheBytesMax: number
  /** undefined: by each view's ttl. */
  readonly refreshAfterUs: number | undefined
}

export type IngestBatchCommand = {
  readonly kind: 'ingest-batch'
  readonly catalogPath: string
  readonly dataDir: string
  /** 'http://host:port', or ''. At most one of dataDir and server is set; neither: the definitions' own store. */
  readonly server: string
  readonly token: string
  /** '' = every view that declares its own source. */
  readonly view: string
  /** '' = the view's own source. */
  readonly source: string
  /** '' = told by the file's name. */
  readonly format: '' | 'parquet' | 'ndjson' | 'csv'
  readonly dryRun: boolean
  readonly json: boolean
  /** File that rejected rows are written to; '' = `<view>.rejects.ndjson` in the working folder, made when the first is met. */
  readonly rejectsPath: string
  /** The run ends with exit 1 once more rows than this were rejected. */
  readonly rejectsMax: number
  readonly futureMarginUs: number
  readonly durability: Durability
  readonly progress: boolean
  /** undefined: by each view's ttl. */
  readonly refreshAfterUs: number | undefined
  /** '' where changes are found by reading the table. */
  readonly ledgerDir: string
  readonly assumeEmpty: boolean
}

export type LedgerCommand = {
  readonly kind: 'ingest-ledger-rebuild' | 'ingest-ledger-check'
  readonly catalogPath: string
  readonly view: string
  readonly ledgerDir: string
  readonly json: boolean
}

export type TablesCommand = {
  readonly kind: 'tables-create' | 'tables-check'
  readonly catalogPath: string
  readonly json: boolean
}

export type CatalogCommand = {
  readonly kind: 'catalog-check' | 'catalog-show'
  readonly catalogPath: string
  readonly json: boolean
}

export type LookupCommand = {
  readonly kind: 'lookup'
  readonly catalogPath: string
  readonly dataDir: string
  readonly server: string
  readonly service: string
  readonly references: readonly string[]
  /** `name=value`, a repeated name gives several rows. */
  readonly entities: readonly (readonly [name: string, value: string])[]
  readonly json: boolean
}

export type StoreCommand = {
  readonly kind: 'store-stats' | 'store-verify' | 'store-compact'
  readonly dataDir: string
  readonly json: boolean
}

export type StoreDropCommand = {
  readonly kind: 'store-drop'
  readonly dataDir: string
  readonly table: string
  /** Without it the command says what would be dropped and changes nothing. */
  readonly yes: boolean
}

export type HealthCommand = {
  readonly kind: 'health'
  readonly url: string
  readonly timeoutMs: number
}

export type ConfigExplainCommand = {
  readonly kind: 'config-explain'
  /** The command line whose settings are to be explained, such as ['serve', '--port', '1']. */
  readonly argv: readonly string[]
}

export type Command =
  | ServeCommand
  | IngestBatchCommand
  | LedgerCommand
  | TablesCommand
  | CatalogCommand
  | LookupCommand
  | StoreCommand
  | StoreDropCommand
  | HealthCommand
  | ConfigExplainCommand
