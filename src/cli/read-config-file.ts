/** The config file: one YAML mapping of option keys, each with one plain value. */
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { LineCounter, isMap, isScalar, parseDocument } from 'yaml'
import type { Pair } from 'yaml'
import type { Given, ParsedGiven } from './given.ts'
import type { OptionName } from './options.ts'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { didYouMean } from './did-you-mean.ts'
import { slipped, taken } from './given.ts'
import { OPTIONS, OPTION_NAMES } from './options.ts'

export type ConfigFile = { readonly given: readonly Given[]; readonly faults: readonly Fault[] }

const OPTION_OF_KEY: ReadonlyMap<string, OptionName> = new Map(
  OPTION_NAMES.filter((name) => OPTIONS[name].key !== '').map((name) => [OPTIONS[name].key, name]),
)

export function readConfigFile(path: string): ConfigFile {
  const text = readText(path)
  return text instanceof Fault ? { given: [], faults: [text] } : parseConfigFile(path, text)
}

function readText(path: string): string | Fault {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    return new Fault('usage', `the config file can't be read: ${reasonOf(cause)}`, {
      where: path,
      cause,
    })
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

export function parseConfigFile(path: string, text: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number) => `${basename(path)}:${lines.linePos(offset).line}`
  const faults = document.errors.map(
    (error) => new Fault('usage', `not YAML: ${error.message}`, { where: place(error.pos[0]) }),
  )
  const given: Given[] = []
  const root = document.contents
  if (root === null || faults.length > 0) return { given, faults }
  if (!isMap(root)) {
    const where = place(root.range?.[0] ?? 0)
    return {
      given,
      faults: [new Fault('usage', 'a config file is a mapping of settings', { where })],
    }
  }
  for (const pair of root.items) {
    const parsed = parsePair(pair, path, place)
    if (parsed.given !== undefined) given.push(parsed.given)
    if (parsed.fault !== undefined) faults.push(parsed.fault)
  }
  return { given, faults }
}

function parsePair(pair: Pair, path: string, place: (offset: number) => string): ParsedGiven {
  const key = isScalar(pair.key) ? String(pair.key.value) : ''
  const where = place(isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0)
  const option = OPTION_OF_KEY.get(key)
  if (option === undefined) return unknownKey(key, where)
  const { allowed, isPath } = OPTIONS[option].kind
  const value = pair.value
  if (!isScalar(value) || value.value === null || value.source === undefined) {
    return slipped(
      'file',
      option,
      new Fault('usage', `${key} needs one plain value`, { where, allowed }),
    )
  }
  // The text as it was written: 007 and 1e3 are not what a YAML number makes of them.
  const text = isPath ? resolve(dirname(path), value.source) : value.source
  return taken({ option, texts: [text], source: 'file', place: where })
}

function unknownKey(key: string, where: string): ParsedGiven {
  const meant = closestName(key, OPTION_OF_KEY.keys())
  const fault = new Fault('usage', `'${key}' is no setting${didYouMean(meant)}`, {
    where,
    allowed: [...OPTION_OF_KEY.keys()].join(', '),
  })
  return slipped('file', OPTION_OF_KEY.get(meant ?? ''), fault)
}
