/** What only several settings together can say: stores, features and addresses that fit each other. */
import type { Settings } from './settings.ts'
import { Fault } from '../base/fault.ts'
import { isGiven, valueOf } from './settings.ts'

export function checkTogether(settings: Settings): Fault[] {
  switch (settings.command) {
    case 'serve':
      return openToOthers(settings)
    case 'ingest batch':
      return [...needsStore(settings), ...sourceWithoutView(settings)]
    case 'lookup':
      return [...needsStore(settings), ...lookupFaults(settings)]
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

/** Where the definitions name a store, serve looks there; these two can't yet. */
function needsStore(settings: Settings): Fault[] {
  const given = (['data', 'server'] as const).filter((option) => isGiven(settings, option))
  if (given.length === 1) return []
  const message =
    given.length === 0
      ? `${settings.command} needs a store`
      : `${settings.command} takes one store, not two`
  const detail = { where: '--data, --server', allowed: '--data DIR or --server URL' }
  return [new Fault('usage', message, detail)]
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
  if (isGiven(settings, 'data') && !isGiven(settings, 'catalog')) {
    faults.push(
      new Fault('usage', 'lookup in a data directory needs --catalog PATH', {
        where: '--catalog',
        allowed: '--catalog, SALVER_CATALOG or the config file',
      }),
    )
  }
  return faults
}
