/** The commands as they are typed, with the line that help shows for each. */

export const COMMAND_SPECS = [
  { name: 'serve', summary: 'Answer feature requests over HTTP.' },
  { name: 'ingest batch', summary: 'Write the rows of Parquet, NDJSON or CSV files to a store.' },
  {
    name: 'ingest ledger rebuild',
    summary: 'Make the ledger of a DynamoDB table anew from what the table holds.',
  },
  {
    name: 'ingest ledger check',
    summary: 'Compare the ledger of a DynamoDB table with the whole table.',
  },
  { name: 'tables create', summary: 'Make the DynamoDB tables that the definitions need.' },
  { name: 'tables check', summary: 'Tell which DynamoDB tables are missing or wrong.' },
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

/** Words that stand for nothing alone: `salver store` and `salver ingest ledger` need one more. */
export const COMMAND_GROUPS: ReadonlySet<string> = new Set(
  COMMAND_SPECS.flatMap(({ name }) => wordsBefore(name)),
)

export const commandsOfGroup = (group: string): readonly CommandSpec[] =>
  COMMAND_SPECS.filter((spec) => spec.name.startsWith(`${group} `))

export const commandNamed = (name: string): CommandSpec | undefined =>
  COMMAND_SPECS.find((spec) => spec.name === name)

function wordsBefore(name: string): string[] {
  const words = name.split(' ')
  return words.slice(1).map((_, index) => words.slice(0, index + 1).join(' '))
}
