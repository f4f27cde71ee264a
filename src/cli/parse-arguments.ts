/** argv as it was typed: which command, which flags with which texts, and every slip in it. */
import { parseArgs } from 'node:util'
import type { CommandName } from './command-specs.ts'
import type { Given, ParsedGiven } from './given.ts'
import type { OptionName } from './options.ts'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { didYouMean } from './did-you-mean.ts'
import { slipped, taken } from './given.ts'
import { nameCommand } from './name-command.ts'
import { OPTIONS, OPTION_NAMES, optionsOf } from './options.ts'

export type Arguments = {
  /** Undefined where none was named, or none that there is (then `faults` says so). */
  readonly command: CommandName | undefined
  /** `ingest` alone, or '': help then lists the group's commands. */
  readonly group: string
  readonly wantsHelp: boolean
  readonly wantsVersion: boolean
  readonly given: readonly Given[]
  readonly faults: readonly Fault[]
}

type Token = ReturnType<typeof tokensOf>[number]
type OptionToken = Extract<Token, { kind: 'option' }>

const OPTION_OF_FLAG: ReadonlyMap<string, OptionName> = new Map(
  OPTION_NAMES.filter((name) => OPTIONS[name].flag !== '').map((name) => [
    OPTIONS[name].flag,
    name,
  ]),
)

function tokensOf(argv: readonly string[]) {
  const parsers = [...OPTION_OF_FLAG].map(([flag, name]) => {
    const type = OPTIONS[name].kind.isSwitch ? ('boolean' as const) : ('string' as const)
    return [flag, { type }] as const
  })
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(parsers),
    allowNegative: true,
    allowPositionals: true,
    strict: false,
    tokens: true,
  }).tokens
}

/** Asked of any command, and typed alone: in `-host` the h asks for nothing. */
const GLOBALS: ReadonlyMap<string, 'help' | 'version'> = new Map([
  ['-h', 'help'],
  ['--help', 'help'],
  ['-v', 'version'],
  ['--version', 'version'],
])

export function parseArguments(typed: readonly string[]): Arguments {
  const asked = new Set(typed.map((argument) => GLOBALS.get(argument)))
  const argv = typed.filter((argument) => !GLOBALS.has(argument))
  const tokens = tokensOf(argv)
  const named = nameCommand(withoutStrayValues(tokens))
  const flags = parseFlags(tokens, argv, named.command)
  return {
    command: named.command,
    group: named.group,
    wantsHelp: asked.has('help'),
    wantsVersion: asked.has('version'),
    given: flags.given,
    faults: [...named.faults, ...flags.faults],
  }
}

const isOption = (token: Token): token is OptionToken => token.kind === 'option'

/** The words of a command line; what follows a mistyped flag is its value, and no word. */
function withoutStrayValues(tokens: readonly Token[]): readonly string[] {
  const words: string[] = []
  tokens.forEach((token, place) => {
    if (token.kind !== 'positional') return
    const before = tokens[place - 1]
    if (before !== undefined && isOption(before) && mayHaveValueBehind(before)) return
    words.push(token.value)
  })
  return words
}

function mayHaveValueBehind(token: OptionToken): boolean {
  if (token.inlineValue === true) return false
  return !OPTION_OF_FLAG.has(token.name) || isFlagInPlaceOfValue(token)
}

const isFlagInPlaceOfValue = (token: OptionToken): boolean =>
  token.inlineValue === false && /^--[a-z]/.test(token.value)

const usage = (message: string, where: string): Fault => new Fault('usage', message, { where })

function parseFlags(
  tokens: readonly Token[],
  argv: readonly string[],
  command: CommandName | undefined,
): { given: Given[]; faults: Fault[] } {
  const given = new Map<OptionName, Given>()
  const faults: Fault[] = []
  const argumentsSeen = new Set<number>()
  for (const token of tokens) {
    // `-port` comes as one token for each letter.
    if (!isOption(token) || argumentsSeen.has(token.index)) continue
    argumentsSeen.add(token.index)
    const parsed = parseFlag(token, argv[token.index] ?? token.rawName, command)
    const repeated = parsed.given === undefined ? undefined : addGiven(given, parsed.given)
    faults.push(...[parsed.fault, repeated].filter((fault) => fault !== undefined))
  }
  return { given: [...given.values()], faults }
}

function parseFlag(
  token: OptionToken,
  typed: string,
  command: CommandName | undefined,
): ParsedGiven {
  const name = token.rawName.startsWith('--') ? OPTION_OF_FLAG.get(token.name) : undefined
  if (name === undefined) return unknownFlag(typed, command)
  const option = OPTIONS[name]
  const place = `--${option.flag}`
  if (command !== undefined && !option.commands.includes(command)) {
    const others = option.commands.join(', ')
    const fault = usage(`no flag of ${command}; it belongs to ${others}`, place)
    return slipped('flag', undefined, fault)
  }
  return option.kind.isSwitch ? parseSwitch(token, name) : parseValue(token, name, place)
}

const made = (option: OptionName, text: string, place: string): ParsedGiven =>
  taken({ option, texts: [text], source: 'flag', place })

function parseSwitch(token: OptionToken, option: OptionName): ParsedGiven {
  const negated = token.rawName.startsWith('--no-')
  if (token.inlineValue !== true) return made(option, String(!negated), token.rawName)
  return negated
    ? slipped('flag', option, usage('takes no value', token.rawName))
    : made(option, token.value, token.rawName)
}

function parseValue(token: OptionToken, option: OptionName, place: string): ParsedGiven {
  const { allowed } = OPTIONS[option].kind
  const negated = token.rawName.startsWith('--no-')
  if (negated) return slipped('flag', option, usage('only a switch can be negated', token.rawName))
  if (token.value === undefined || token.value === '') {
    return slipped('flag', option, new Fault('usage', 'needs a value', { where: place, allowed }))
  }
  if (isFlagInPlaceOfValue(token)) {
    const message = `'${token.value}' stands where its value should`
    return slipped('flag', option, new Fault('usage', message, { where: place, allowed }))
  }
  return made(option, token.value, place)
}

function unknownFlag(typed: string, command: CommandName | undefined): ParsedGiven {
  const where = typed.replace(/=.*$/s, '')
  const bare = where.replace(/^-+/, '')
  const hidden = OPTION_NAMES.find(
    (name) => OPTIONS[name].flag === '' && OPTIONS[name].key === bare,
  )
  if (hidden !== undefined) {
    const why = 'never a flag, for other users can read a command line'
    return slipped('flag', hidden, usage(`${why}: set ${OPTIONS[hidden].env}`, where))
  }
  const options = command === undefined ? OPTION_NAMES : optionsOf(command)
  const flags = options
    .filter((name) => OPTIONS[name].flag !== '')
    .map((name) => `--${OPTIONS[name].flag}`)
  const meant = closestName(where, [...flags, ...GLOBALS.keys()])
  const owner = command === undefined ? 'no such flag' : `no flag of ${command}`
  const fault = new Fault('usage', `${owner}${didYouMean(meant)}`, {
    where,
    allowed: flags.join(', '),
  })
  return slipped('flag', OPTION_OF_FLAG.get(meant?.slice(2) ?? ''), fault)
}

/** Keeps what was given; a second text for what takes one is a fault. */
function addGiven(given: Map<OptionName, Given>, more: Given): Fault | undefined {
  const before = given.get(more.option)
  if (before !== undefined && !OPTIONS[more.option].kind.repeats) {
    return more.texts.length === 0 ? undefined : usage('given twice', more.place)
  }
  given.set(more.option, { ...more, texts: [...(before?.texts ?? []), ...more.texts] })
  return undefined
}
