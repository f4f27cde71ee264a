/** `salver lookup`: the features of some entities, from a data directory or a running server. */
import type { LookupCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import { lookupTable } from './lookup-reply.ts'
import { lookupOnServer } from './lookup-server.ts'
import { lookupInStore } from './lookup-store.ts'

export async function runLookup(command: LookupCommand, io: Io): Promise<number> {
  const found = command.server === '' ? await lookupInStore(command) : await lookupOnServer(command)
  io.out(command.json ? `${found.json}\n` : lookupTable(found))
  for (const problem of found.problems) io.err(`salver: DynamoDB: ${problem}\n`)
  return found.problems.length === 0 ? 0 : 1
}
