/** The commands as they are typed, with the line that help shows for each. */

export const COMMAND_SPECS = [
  { name: 'serve', summary: 'Answer feature requests over HTTP.' },
  { name: 'ingest batch', summary: 'Write the rows of Parquet, NDJSON or CSV files to a store.' },
  { name: 'catalog check', summary: 'Read the definitions and tell every fault in them.' },
  { name: 'catalog show', summary: 'Print what the definitions say is served.' },
  { name: 'lookup', summary: 'Look up the features of some entities.' },
  { name: 'store stats', summary: 'Print what a data directory holds.' },
  { name: 'store verify', summary: 'Check every byte of a data directory, changing nothing.' },
  { name: 'store compact', summary: 'Rewrite segments until old row versions take no room.' },
  { name: 'store drop', summary: 'Forget one table of a data directory, and its rows.' },
  { name: 'health', summary: 'Ask a server whether it lives and is ready.' },
  {
    name: 'config explain',
    summary: 'Print each setting of a command line, where it came from and what it shadowed.',
  },
] as const

export type CommandName = (typeof COMMAND_SPECS)[number]['name']
export type CommandSpec = { readonly name: CommandName; readonly summary: string }

/** First words that stand for nothing alone: `salver store` needs one more word. */
export const COMMAND_GROUPS: ReadonlySet<string> = new Set(
  COMMAND_SPECS.filter((spec) => spec.name.includes(' ')).map((spec) => firstWord(spec.name)),
)

export const commandsOfGroup = (group: string): readonly CommandSpec[] =>
  COMMAND_SPECS.filter((spec) => spec.name.startsWith(`${group} `))

export const commandNamed = (name: string): CommandSpec | undefined =>
  COMMAND_SPECS.find((spec) => spec.name === name)

function firstWord(name: string): string {
  return name.slice(0, name.indexOf(' '))
}
