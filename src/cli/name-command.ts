/** From the words of a command line to the command that they name. */
import type { CommandName, CommandSpec } from './command-specs.ts'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { COMMAND_GROUPS, COMMAND_SPECS, commandNamed, commandsOfGroup } from './command-specs.ts'
import { didYouMean } from './did-you-mean.ts'

export type NamedCommand = {
  /** Undefined where none was named, or none that there is (then `faults` says so). */
  readonly command: CommandName | undefined
  /** `ingest` of `ingest batch`, `ingest ledger` of `ingest ledger check`, or ''. */
  readonly group: string
  readonly faults: readonly Fault[]
}

export function nameCommand(words: readonly string[]): NamedCommand {
  const group = longestGroup(words)
  const length = group === '' ? 1 : group.split(' ').length + 1
  const command = commandNamed(words.slice(0, length).join(' '))?.name
  if (command === undefined) return { command, group, faults: unknownCommand(words, group) }
  const message = `one word too many: every setting of ${command} is a flag`
  const extra = words.slice(length).map((word) => new Fault('usage', message, { where: word }))
  return { command, group, faults: extra }
}

/** `ingest ledger` of `ingest ledger rebuild`; '' where the first word is no group. */
function longestGroup(words: readonly string[]): string {
  for (let length = words.length; length > 0; length--) {
    const group = words.slice(0, length).join(' ')
    if (COMMAND_GROUPS.has(group)) return group
  }
  return ''
}

function unknownCommand(words: readonly string[], group: string): readonly Fault[] {
  if (words.length === 0) return []
  const specs: readonly CommandSpec[] = group === '' ? COMMAND_SPECS : commandsOfGroup(group)
  const allowed = specs.map((spec) => spec.name).join(', ')
  const groupWords = group === '' ? 0 : group.split(' ').length
  if (group !== '' && words.length === groupWords) {
    return [new Fault('usage', 'needs one more word', { where: group, allowed })]
  }
  const typed = words.slice(0, groupWords + 1).join(' ')
  // `ingset` is near to `ingest`, which is only the first word of a command.
  const known = [...specs.map((spec) => spec.name), ...(group === '' ? COMMAND_GROUPS : [])]
  const hint = didYouMean(closestName(typed, known))
  return [new Fault('usage', `no such command${hint}`, { where: typed, allowed })]
}
