/**
 * Command lines that work, shown by help and in the README. They are one story told in order: a test
 * runs every one of them, as typed, beside the files that it names. `feature_repo` is Feast's folder,
 * whose online store is DynamoDB.
 */
import type { CommandName } from './command-specs.ts'

export const EXAMPLES: Readonly<Record<CommandName, readonly string[]>> = {
  'catalog check': ['salver catalog check --catalog features.yaml'],
  'catalog show': ['salver catalog show --catalog features.yaml'],
  'ingest batch': [
    'salver ingest batch --catalog features.yaml --data ./data --view driver_stats --source drivers.ndjson --dry-run',
    'salver ingest batch --catalog features.yaml --data ./data --view driver_stats --source drivers.ndjson',
  ],
  lookup: [
    'salver lookup --catalog features.yaml --data ./data --feature driver_stats:trips --entity driver_id=1001',
  ],
  'store stats': ['salver store stats --data ./data'],
  'store verify': ['salver store verify --data ./data'],
  'store compact': ['salver store compact --data ./data'],
  'store drop': ['salver store drop --data ./data --table driver_stats'],
  serve: ['salver serve --catalog features.yaml --data ./data --host 127.0.0.1 --port 6566'],
  health: ['salver health --server http://127.0.0.1:6566'],
  'config explain': [
    'salver config explain serve --catalog features.yaml --data ./data --port 7000',
  ],
  'tables create': ['salver tables create --catalog feature_repo'],
  'tables check': ['salver tables check --catalog feature_repo'],
  'ingest ledger rebuild': [
    'salver ingest ledger rebuild --catalog feature_repo --view driver_stats --ledger ./ledger',
  ],
  'ingest ledger check': [
    'salver ingest ledger check --catalog feature_repo --view driver_stats --ledger ./ledger',
  ],
}
