/** What only several settings together can say: stores, features and addresses that fit each other. */
import type { Settings } from './settings.ts'
import { Fault } from '../base/fault.ts'
import { isGiven, valueOf } from './settings.ts'

export function checkTogether(settings: Settings): Fault[] {
  switch (settings.command) {
    case 'serve':
      return openToOthers(settings)
    case 'ingest batch':
      return [...oneStore(settings), ...sourceWithoutView(settings), ...withoutReading(settings)]
    case 'lookup':
      return [...oneStore(settings), ...lookupFaults(settings)]
    default:
      return []
  }
}

/** What was written for nothing, though nothing about it is wrong. */
export function warnTogether(settings: Settings): string[] {
  const durability = settings.all.find(({ option }) => option === 'durability')
  // A variable or a config file speaks to several commands; a flag was meant for this one.
  const isMeant = durability?.given[0]?.source === 'flag'
  if (settings.command !== 'ingest batch' || !isMeant || !isGiven(settings, 'server')) return []
  return ['--durability has no effect with --server: the server was started with its own']
}

/** Without either the definitions must name a store: that is seen when they are read. */
function oneStore(settings: Settings): Fault[] {
  if (!isGiven(settings, 'data') || !isGiven(settings, 'server')) return []
  return [
    new Fault('usage', `${settings.command} takes one store, not two`, {
      where: '--data, --server',
      allowed: "--data DIR, --server URL, or neither: the definitions' own store",
    }),
  ]
}

/** Two ways to know what a DynamoDB table holds without reading it: not both, and of no use elsewhere. */
function withoutReading(settings: Settings): Fault[] {
  const isEmpty = valueOf(settings, 'assumeEmpty') === true
  const hasLedger = isGiven(settings, 'ledger')
  const elsewhere = (['data', 'server'] as const).find((option) => isGiven(settings, option))
  const faults: Fault[] = []
  if (isEmpty && hasLedger) {
    const message = 'a ledger knows what the table holds: nothing needs to be assumed'
    faults.push(new Fault('usage', message, { where: '--ledger, --assume-empty' }))
  }
  if (isEmpty && elsewhere !== undefined) {
    const message = `--assume-empty is for DynamoDB tables, and has no use with --${elsewhere}`
    faults.push(new Fault('usage', message, { where: '--assume-empty' }))
  }
  return faults
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/

function openToOthers(settings: Settings): Fault[] {
  const host = valueOf(settings, 'host')
  // Unreadable settings have their own fault: what they would have said is not guessed at.
  const guarded = isGiven(settings, 'token') || valueOf(settings, 'readOnly') !== false
  if (guarded || host === undefined || LOOPBACK.test(host)) return []
  return [
    new Fault(
      'usage',
      `on ${host} other machines could write: set SALVER_TOKEN or give --read-only`,
      {
        where: '--host',
        allowed: 'a loopback address, unless a token is set or the server is read-only',
      },
    ),
  ]
}

function sourceWithoutView(settings: Settings): Fault[] {
  if (!isGiven(settings, 'source') || isGiven(settings, 'view')) return []
  return [
    new Fault('usage', '--source needs --view: whose rows are they?', {
      where: '--source',
      allowed: '--view NAME --source PATH_OR_GLOB, or neither',
    }),
  ]
}

function lookupFaults(settings: Settings): Fault[] {
  const faults: Fault[] = []
  const asked = (['service', 'features'] as const).filter((name) => isGiven(settings, name))
  if (asked.length !== 1) {
    faults.push(
      new Fault('usage', 'lookup needs to know which features: a service, or features one by one', {
        where: '--service, --feature',
        allowed: '--service NAME, or --feature VIEW:FEATURE once or more',
      }),
    )
  }
  if (!isGiven(settings, 'server') && !isGiven(settings, 'catalog')) {
    faults.push(
      new Fault('usage', 'lookup needs --catalog PATH, unless a server answers it', {
        where: '--catalog',
        allowed: '--catalog, SALVER_CATALOG or the config file',
      }),
    )
  }
  return faults
}
