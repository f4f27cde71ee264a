/** Every option of a command with the value that holds, where it came from and what it shadowed. */
import { resolve } from 'node:path'
import type { CommandName } from './command-specs.ts'
import type { Given } from './given.ts'
import type { OptionName, OptionValue } from './options.ts'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { didYouMean } from './did-you-mean.ts'
import { SOURCES } from './given.ts'
import { OPTIONS, OPTION_NAMES, optionsOf } from './options.ts'
import { readConfigFile } from './read-config-file.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Setting = {
  readonly option: OptionName
  /** What was written, the one that holds first. Empty where the default holds. */
  readonly given: readonly Given[]
  /** Place of a rival setting that was written closer to the command; then nothing of this holds. */
  readonly outdoneBy: string
}

export type Settings = {
  readonly command: CommandName
  readonly all: readonly Setting[]
  readonly faults: readonly Fault[]
  /** What is likely a slip and yet can't be called wrong. */
  readonly warnings: readonly string[]
}

/** Two ways to say one thing: a flag for one of them beats a variable for the other. */
const RIVALS: readonly (readonly [OptionName, OptionName])[] = [
  ['data', 'server'],
  ['server', 'port'],
]

export function gatherSettings(
  command: CommandName,
  flags: readonly Given[],
  environment: Environment,
): Settings {
  const variables = givenByEnvironment(environment)
  const config = [...flags, ...variables].find((given) => given.option === 'config')
  const file =
    config === undefined
      ? { given: [], faults: [] }
      : readConfigFile(resolve(config.texts[0] ?? ''))
  const given = [...flags, ...variables, ...file.given]
  const all = optionsOf(command).map((option) => ({
    option,
    given: given.filter((one) => one.option === option),
    outdoneBy: '',
  }))
  return {
    command,
    all: all.map((setting) => ({ ...setting, outdoneBy: outdoneBy(setting, all) })),
    faults: [...file.faults, ...all.flatMap(checkSetting), ...all.flatMap(missing(command))],
    warnings: unknownVariables(environment),
  }
}

/** An empty variable counts as unset: that is how compose files and unit files leave one out. */
function givenByEnvironment(environment: Environment): Given[] {
  return OPTION_NAMES.flatMap((option) => {
    const { env } = OPTIONS[option]
    const text = env === '' ? '' : (environment[env] ?? '')
    return text === ''
      ? []
      : [{ option, texts: [text], source: 'environment' as const, place: env }]
  })
}

function outdoneBy(setting: Setting, all: readonly Setting[]): string {
  for (const pair of RIVALS.filter((rivals) => rivals.includes(setting.option))) {
    const rival = all.find(
      (other) => other.option !== setting.option && pair.includes(other.option),
    )
    const holds = rival?.given[0]
    if (holds !== undefined && rankOf(rival) < rankOf(setting)) return holds.place
  }
  return ''
}

function rankOf(setting: Setting | undefined): number {
  const holds = setting?.given[0]
  return holds === undefined ? SOURCES.length : SOURCES.indexOf(holds.source)
}

/** Shadowed texts are checked too: they hold as soon as what shadows them is gone. */
function checkSetting(setting: Setting): Fault[] {
  const { kind, secret } = OPTIONS[setting.option]
  return setting.given.flatMap((given) => {
    if (given.texts.length === 0 || kind.parse(given.texts) !== undefined) return []
    const shown = secret ? 'what was given' : given.texts.map((text) => `'${text}'`).join(', ')
    const { place: where } = given
    return [
      new Fault('usage', `${shown} is no value for it`, { where, allowed: allowedFor(given) }),
    ]
  })
}

function allowedFor(given: Given): string {
  const { allowed } = OPTIONS[given.option].kind
  if (given.source !== 'environment' || !/^tcp:/.test(given.texts[0] ?? '')) return allowed
  return `${allowed}; Kubernetes sets ${given.place} where a Service has the name salver, unless the pod says enableServiceLinks: false`
}

const missing =
  (command: CommandName) =>
  (setting: Setting): Fault[] => {
    const option = OPTIONS[setting.option]
    if (setting.given.length > 0 || !option.requiredBy.includes(command)) return []
    const elsewhere = option.env === '' ? '' : `, ${option.env} or the config file's ${option.key}`
    return [
      new Fault('usage', `${command} needs it: ${option.help}`, {
        where: `--${option.flag}`,
        allowed: `--${option.flag}${elsewhere}`,
      }),
    ]
  }

/** Kubernetes and Docker make variables such as SALVER_SERVICE_HOST for a service of that name. */
const MADE_BY_SERVICE_LINKS = /^SALVER_(SERVICE_|PORT_|ENV_|NAME$)/

function unknownVariables(environment: Environment): string[] {
  const known: ReadonlySet<string> = new Set(OPTION_NAMES.map((name) => OPTIONS[name].env))
  return Object.keys(environment)
    .filter((name) => name.startsWith('SALVER_') && !known.has(name))
    .filter((name) => !MADE_BY_SERVICE_LINKS.test(name))
    .map((name) => `${name} is set and is no setting${didYouMean(closestName(name, known))}`)
}

/** The value that holds, or undefined where nothing was given and there is no default. */
export function valueOf<Name extends OptionName>(
  settings: Settings,
  name: Name,
): OptionValue<Name> | undefined {
  const { kind, defaultText } = OPTIONS[name]
  const setting = settings.all.find((one) => one.option === name)
  const given = setting?.outdoneBy === '' ? setting.given[0] : undefined
  if (given === undefined && defaultText === '') return undefined
  const value = kind.parse(given?.texts ?? [defaultText])
  // The compiler can't see that OPTIONS[name] and OptionValue<Name> speak of the same row.
  return value as OptionValue<Name> | undefined
}

/** Something was written for it, right or wrong, and nothing outdoes it. */
export function isGiven(settings: Settings, name: OptionName): boolean {
  const setting = settings.all.find((one) => one.option === name)
  return setting !== undefined && setting.given.length > 0 && setting.outdoneBy === ''
}
