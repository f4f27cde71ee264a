/** argv as it was typed: which command, which flags with which texts, and every slip in it. */
import { parseArgs } from 'node:util'
import type { CommandName } from './command-specs.ts'
import type { Given } from './given.ts'
import type { OptionName } from './options.ts'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { COMMAND_GROUPS, COMMAND_SPECS, commandNamed, commandsOfGroup } from './command-specs.ts'
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
    options: {
      ...Object.fromEntries(parsers),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
    allowNegative: true,
    allowPositionals: true,
    strict: false,
    tokens: true,
  }).tokens
}

export function parseArguments(argv: readonly string[]): Arguments {
  const tokens = tokensOf(argv)
  const named = nameCommand(withoutStrayValues(tokens))
  const flags = parseFlags(tokens, argv, named.command)
  const asked = (name: string) => tokens.some((token) => isOption(token) && token.name === name)
  return {
    command: named.command,
    group: named.group,
    wantsHelp: asked('help'),
    wantsVersion: asked('version'),
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
  if (token.inlineValue === true || isGlobal(token.name)) return false
  return !OPTION_OF_FLAG.has(token.name) || isFlagInPlaceOfValue(token)
}

const isGlobal = (flag: string): boolean => flag === 'help' || flag === 'version'

const isFlagInPlaceOfValue = (token: OptionToken): boolean =>
  token.inlineValue === false && /^--[a-z]/.test(token.value)

function nameCommand(words: readonly string[]): {
  command: CommandName | undefined
  group: string
  faults: Fault[]
} {
  const first = words[0] ?? ''
  const group = COMMAND_GROUPS.has(first) ? first : ''
  const length = group === '' ? 1 : 2
  const command = commandNamed(words.slice(0, length).join(' '))?.name
  if (command === undefined) return { command, group, faults: unknownCommand(words, group) }
  const faults = words
    .slice(length)
    .map((word) => usage(`one word too many: every setting of ${command} is a flag`, word))
  return { command, group, faults }
}

function unknownCommand(words: readonly string[], group: string): Fault[] {
  if (words.length === 0) return []
  const inGroup = commandsOfGroup(group)
  const specs = group === '' ? COMMAND_SPECS : inGroup
  const allowed = specs.map((spec) => spec.name).join(', ')
  if (group !== '' && words.length === 1) {
    return [new Fault('usage', 'needs one more word', { where: group, allowed })]
  }
  const typed = words.slice(0, group === '' ? 1 : 2).join(' ')
  const meant = closestName(typed, commandsAsTyped(specs, typed))
  return [new Fault('usage', `no such command${hint(meant)}`, { where: typed, allowed })]
}

/** `ingset` is near to `ingest`, which is only the first word of a command. */
const commandsAsTyped = (
  specs: typeof COMMAND_SPECS | ReturnType<typeof commandsOfGroup>,
  typed: string,
) =>
  typed.includes(' ')
    ? specs.map((spec) => spec.name)
    : specs.flatMap((spec) => [spec.name, spec.name.split(' ')[0] ?? ''])

const hint = (meant: string | undefined): string =>
  meant === undefined ? '' : `; did you mean '${meant}'?`

const usage = (message: string, where: string): Fault => new Fault('usage', message, { where })

type Parsed = { readonly given: Given | undefined; readonly fault: Fault | undefined }

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
    if (!isOption(token) || isGlobal(token.name) || argumentsSeen.has(token.index)) continue
    argumentsSeen.add(token.index)
    const parsed = parseFlag(token, argv[token.index] ?? token.rawName, command)
    const repeated = parsed.given === undefined ? undefined : addGiven(given, parsed.given)
    faults.push(...[parsed.fault, repeated].filter((fault) => fault !== undefined))
  }
  return { given: [...given.values()], faults }
}

function parseFlag(token: OptionToken, typed: string, command: CommandName | undefined): Parsed {
  const name = token.rawName.startsWith('--') ? OPTION_OF_FLAG.get(token.name) : undefined
  if (name === undefined) return unknownFlag(typed, command)
  const option = OPTIONS[name]
  const place = `--${option.flag}`
  if (command !== undefined && !option.commands.includes(command)) {
    const others = option.commands.join(', ')
    return {
      given: undefined,
      fault: usage(`no flag of ${command}; it belongs to ${others}`, place),
    }
  }
  return option.kind.isSwitch ? parseSwitch(token, name) : parseValue(token, name, place)
}

const made = (option: OptionName, text: string, place: string): Parsed => ({
  given: { option, texts: [text], source: 'flag', place },
  fault: undefined,
})

const slipped = (option: OptionName, fault: Fault): Parsed => ({
  given: { option, texts: [], source: 'flag', place: fault.where ?? '' },
  fault,
})

function parseSwitch(token: OptionToken, option: OptionName): Parsed {
  const negated = token.rawName.startsWith('--no-')
  if (token.inlineValue !== true) return made(option, String(!negated), token.rawName)
  return negated
    ? slipped(option, usage('takes no value', token.rawName))
    : made(option, token.value, token.rawName)
}

function parseValue(token: OptionToken, option: OptionName, place: string): Parsed {
  const { allowed } = OPTIONS[option].kind
  const negated = token.rawName.startsWith('--no-')
  if (negated) return slipped(option, usage('only a switch can be negated', token.rawName))
  if (token.value === undefined || token.value === '') {
    return slipped(option, new Fault('usage', 'needs a value', { where: place, allowed }))
  }
  if (isFlagInPlaceOfValue(token)) {
    const message = `'${token.value}' stands where its value should`
    return slipped(option, new Fault('usage', message, { where: place, allowed }))
  }
  return made(option, token.value, place)
}

function unknownFlag(typed: string, command: CommandName | undefined): Parsed {
  const where = typed.replace(/=.*$/s, '')
  const bare = where.replace(/^-+/, '')
  const hidden = OPTION_NAMES.find(
    (name) => OPTIONS[name].flag === '' && OPTIONS[name].key === bare,
  )
  if (hidden !== undefined) {
    const why = 'never a flag, for other users can read a command line'
    return slipped(hidden, usage(`${why}: set ${OPTIONS[hidden].env}`, where))
  }
  const options = command === undefined ? OPTION_NAMES : optionsOf(command)
  const flags = options.map((name) => OPTIONS[name].flag).filter((flag) => flag !== '')
  const meant = closestName(bare, [...flags, 'help', 'version'])
  const owner = command === undefined ? 'no such flag' : `no flag of ${command}`
  const fault = new Fault('usage', `${owner}${hint(meant === undefined ? meant : `--${meant}`)}`, {
    where,
    allowed: flags.map((flag) => `--${flag}`).join(', '),
  })
  const option = OPTION_OF_FLAG.get(meant ?? '')
  return option === undefined ? { given: undefined, fault } : slipped(option, fault)
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
