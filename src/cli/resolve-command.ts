/**
 * The one place where argv, environment and config file become a Command. Whatever can be checked
 * without opening a file of the user's is checked here, and all that is wrong is told at once.
 */
import type { Command } from './command.ts'
import type { Arguments } from './parse-arguments.ts'
import type { Environment, Settings } from './settings.ts'
import { Fault } from '../base/fault.ts'
import { checkTogether, warnTogether } from './check-together.ts'
import { groupHelp, helpText, overviewText } from './help.ts'
import { makeCommand } from './make-command.ts'
import { parseArguments } from './parse-arguments.ts'
import { gatherSettings } from './settings.ts'

export type Surroundings = {
  readonly environment: Environment
  /** Progress is drawn on a terminal unless it was switched off. */
  readonly errIsTerminal: boolean
}

export type Resolved =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly warnings: readonly string[] }

/** Throws a `usage` Fault that lists everything wrong. */
export function resolveCommand(argv: readonly string[], surroundings: Surroundings): Resolved {
  if (argv[0] === 'config' && argv[1] === 'explain') return resolveExplain(argv.slice(2))
  const typed = parseArguments(argv)
  if (typed.wantsVersion) return { kind: 'version' }
  if (typed.wantsHelp) return { kind: 'help', text: helpFor(typed) }
  const { settings, faults } = explain(typed, surroundings.environment)
  if (faults.length > 0) throw asOne(faults)
  const command = makeCommand(settings, surroundings.errIsTerminal)
  return { kind: 'command', command, warnings: [...settings.warnings, ...warnTogether(settings)] }
}

export type Explained = { readonly settings: Settings; readonly faults: readonly Fault[] }

/** The settings of a command line, right or wrong. Throws only where there is no command in it. */
export function explainSettings(argv: readonly string[], environment: Environment): Explained {
  return explain(parseArguments(argv), environment)
}

function explain(typed: Arguments, environment: Environment): Explained {
  if (typed.command === undefined)
    throw asOne(typed.faults.length > 0 ? typed.faults : [NO_COMMAND])
  const settings = gatherSettings(typed.command, typed.given, environment)
  return { settings, faults: [...typed.faults, ...settings.faults, ...checkTogether(settings)] }
}

function helpFor(typed: Arguments): string {
  if (typed.command !== undefined) return helpText(typed.command)
  return typed.group === '' ? overviewText() : groupHelp(typed.group)
}

function resolveExplain(argv: readonly string[]): Resolved {
  const first = argv[0]
  if (first === '--help' || first === '-h')
    return { kind: 'help', text: helpText('config explain') }
  return { kind: 'command', command: { kind: 'config-explain', argv }, warnings: [] }
}

const NO_COMMAND = new Fault('usage', 'no command was given', { allowed: 'see salver --help' })

const asOne = (faults: readonly Fault[]): Fault =>
  faults.length === 1 && faults[0] !== undefined
    ? faults[0]
    : new Fault('usage', `${faults.length} things are wrong`, { faults })
