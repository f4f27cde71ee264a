/**
 * The parts of README.md that are made from the source: run it to write them anew, and a test tells
 * when that was forgotten. A part stands between `<!-- made: NAME -->` and `<!-- end -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as limits from '../src/base/limits.ts'
import { durationText } from '../src/catalog/parse-duration.ts'
import type { CommandName } from '../src/cli/command-specs.ts'
import { COMMAND_SPECS, commandsOfGroup } from '../src/cli/command-specs.ts'
import { EXAMPLES } from '../src/cli/examples.ts'
import { OPTIONS, OPTION_NAMES, optionsOf } from '../src/cli/options.ts'

const README = join(import.meta.dir, '../README.md')
export const EXAMPLE_CATALOG = 'test/cli/example/features.yaml'
export const EXAMPLE_ROWS = 'test/cli/example/drivers.ndjson'

const PARTS: Readonly<Record<string, () => string>> = {
  'example catalog': () => fenced('yaml', exampleFile(EXAMPLE_CATALOG)),
  'example rows': () => fenced('', exampleFile(EXAMPLE_ROWS)),
  commands: () => fenced('sh', Object.values(EXAMPLES).flat().join('\n')),
  options: optionsTable,
  limits: limitsTable,
}

/** The text with every made part as the source now says it. */
export function withMadeParts(readme: string): string {
  return readme.replace(
    /<!-- made: ([a-z ]+) -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- made: ${name} -->\n\n${partNamed(name)}\n\n<!-- end -->`,
  )
}

function partNamed(name: string): string {
  const make = PARTS[name]
  if (make === undefined) throw new Error(`README.md asks for a part '${name}' that is not made`)
  return make().trimEnd()
}

const exampleFile = (path: string): string =>
  readFileSync(join(import.meta.dir, '..', path), 'utf8')

const fenced = (language: string, text: string): string =>
  `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``

function optionsTable(): string {
  return table(
    ['flag', 'variable', 'config key', 'default', 'commands', ''],
    OPTION_NAMES.map((name) => {
      const { flag, env, key, kind, defaultText, commands, help } = OPTIONS[name]
      const typed = kind.placeholder === '' ? `--${flag}` : `--${flag} ${kind.placeholder}`
      return [
        flag === '' ? '' : code(typed),
        code(env),
        code(key),
        kind.isSwitch ? '' : code(defaultText),
        commandsText(commands),
        help,
      ]
    }),
  )
}

/** A group that takes the option whole is named once. */
function commandsText(commands: readonly CommandName[]): string {
  if (CONFIGURABLE.every((name) => commands.includes(name))) return 'all'
  const texts = commands.map((name) => {
    const group = name.split(' ')[0] ?? ''
    const inGroup = commandsOfGroup(group)
    const whole = inGroup.length > 1 && inGroup.every((spec) => commands.includes(spec.name))
    return whole ? group : name
  })
  return [...new Set(texts)].join(', ')
}

const CONFIGURABLE = COMMAND_SPECS.map(({ name }) => name).filter(
  (name) => optionsOf(name).length > 0,
)

const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

/** What a user can meet, and what it is called in limits.ts, where its reason stands. */
const LIMITS: readonly (readonly [what: string, name: keyof typeof limits])[] = [
  ['entity key', 'KEY_BYTES_MAX'],
  ['row', 'ROW_BYTES_MAX'],
  ['features of a view', 'FEATURES_PER_VIEW_MAX'],
  ['name of a view, feature or entity', 'NAME_BYTES_MAX'],
  ['definitions', 'CATALOG_BYTES_MAX'],
  ['tables of a store', 'TABLES_MAX'],
  ['body of a read', 'READ_BODY_BYTES_MAX'],
  ['body of a write', 'WRITE_BODY_BYTES_MAX'],
  ['time for a body to arrive', 'BODY_MS_MAX'],
  ['rows of a request', 'ENTITIES_PER_REQUEST_MAX'],
  ['features of a request', 'FEATURES_PER_REQUEST_MAX'],
  ['join keys of a request', 'COLUMNS_PER_REQUEST_MAX'],
  ['values of a reply (rows x features)', 'CELLS_PER_REQUEST_MAX'],
  ['reply', 'REPLY_BYTES_MAX'],
  ['requests answered at once', 'REQUESTS_IN_FLIGHT_MAX'],
  ['write requests among them', 'WRITES_IN_FLIGHT_MAX'],
  ['writes waiting in a lane', 'LANE_QUEUE_WRITES_MAX'],
  ['bytes waiting in a lane', 'LANE_QUEUE_BYTES_MAX'],
  ['nesting of JSON, maps and lists', 'NESTING_MAX'],
  ['event time ahead of the clock', 'FUTURE_MARGIN_US'],
  ['how long a delete blocks older rows', 'TOMBSTONE_RETENTION_US'],
  ['requests under way after SIGTERM', 'DRAIN_MS_MAX'],
  ['between two looks at the definitions', 'CATALOG_POLL_MS'],
  ['calls of DynamoDB under way for reads', 'CALLS_IN_FLIGHT_MAX'],
  ['keys that wait for such a call', 'STORE_KEYS_WAITING_MAX'],
  ['one attempt of a call', 'CALL_MS_MAX'],
  ['puts to DynamoDB under way', 'STORE_WRITES_IN_FLIGHT_MAX'],
  ['how long a write is tried again', 'STORE_WRITE_RETRY_MS_MAX'],
  ['rows kept of DynamoDB', 'CACHE_BYTES_MAX'],
]

function limitsTable(): string {
  const store = limits.SEGMENTS_MAX * limits.SEGMENT_BYTES
  return table(
    ['limit', 'value', 'in `src/base/limits.ts`'],
    [
      ...LIMITS.map(([what, name]) => [what, limitText(name, limits[name]), code(name)]),
      ['log of a store', bytesText(store), '`SEGMENTS_MAX` x `SEGMENT_BYTES`'],
    ],
  )
}

function limitText(name: string, value: number): string {
  if (name.includes('_BYTES')) return bytesText(value)
  if (name.endsWith('_US')) return durationText(value)
  if (name.includes('_MS')) return durationText(value * 1000)
  return value.toLocaleString('en-US')
}

function bytesText(bytes: number): string {
  const units = ['GiB', 'MiB', 'KiB'].map((unit, index) => [unit, 1024 ** (3 - index)] as const)
  const fitting = units.find(([, size]) => bytes % size === 0)
  return fitting === undefined
    ? `${bytes.toLocaleString('en-US')} bytes`
    : `${bytes / fitting[1]} ${fitting[0]}`
}

/** As the formatter aligns it. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [heading, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = heading.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  const [head = [], ...body] = cells
  return [line(head), rule, ...body.map(line)].join('\n')
}

if (import.meta.main) writeFileSync(README, withMadeParts(readFileSync(README, 'utf8')))
