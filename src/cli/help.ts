/** Help, made from the tables of commands, options and examples. */
import type { CommandName, CommandSpec } from './command-specs.ts'
import type { OptionName } from './options.ts'
import { COMMAND_SPECS, commandNamed, commandsOfGroup } from './command-specs.ts'
import { EXAMPLES } from './examples.ts'
import { OPTIONS, optionsOf } from './options.ts'

/** Wide enough for the longest flag with its placeholder. */
const FLAG_COLUMN = 32

export function overviewText(): string {
  return [
    'salver: an online feature store in one executable',
    '',
    'Usage: salver COMMAND [FLAGS]',
    '',
    ...commandLines(COMMAND_SPECS),
    '',
    'salver COMMAND --help tells the flags of a command, with an example.',
    'salver --version prints the version.',
    '',
  ].join('\n')
}

export function groupHelp(group: string): string {
  return [
    `Usage: salver ${group} COMMAND [FLAGS]`,
    '',
    ...commandLines(commandsOfGroup(group)),
    '',
  ].join('\n')
}

const commandLines = (specs: readonly CommandSpec[]): string[] =>
  specs.map((spec) => `  ${spec.name.padEnd(FLAG_COLUMN / 2)} ${spec.summary}`)

export function helpText(command: CommandName): string {
  const options = optionsOf(command)
  const takes = command === 'config explain' ? 'COMMAND [FLAGS]' : '[FLAGS]'
  return [
    `Usage: salver ${command} ${takes}`,
    '',
    commandNamed(command)?.summary ?? '',
    ...section(
      'Flags',
      options.filter((name) => OPTIONS[name].flag !== '').map((name) => flagLine(name, command)),
    ),
    ...section('Environment', options.filter((name) => OPTIONS[name].env !== '').map(variableLine)),
    ...section(
      'Example',
      EXAMPLES[command].map((line) => `  ${line}`),
    ),
    '',
  ].join('\n')
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines]

function flagLine(name: OptionName, command: CommandName): string {
  const { flag, kind, help, defaultText, requiredBy } = OPTIONS[name]
  const typed = `  --${flag}${kind.placeholder === '' ? '' : ` ${kind.placeholder}`}`
  const notes = [
    requiredBy.includes(command) ? 'required' : '',
    defaultText === '' || kind.isSwitch ? '' : `default ${defaultText}`,
  ].filter((note) => note !== '')
  return `${typed.padEnd(FLAG_COLUMN)} ${help}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`
}

function variableLine(name: OptionName): string {
  const { env, flag, help } = OPTIONS[name]
  return `  ${env.padEnd(FLAG_COLUMN - 2)} ${flag === '' ? help : `--${flag}`}`
}
