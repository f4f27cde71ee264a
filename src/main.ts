/** The executable: argv becomes a Command, the Command is run, its outcome is the exit code. */
import type { Command } from './cli/command.ts'
import type { Io } from './cli/io.ts'
import { Fault } from './base/fault.ts'
import { faultText } from './cli/fault-text.ts'
import { resolveCommand } from './cli/resolve-command.ts'
import { VERSION } from './cli/version.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  errIsTerminal: process.stderr.isTTY,
}

// `salver … | head` closes the pipe early: whoever reads has seen enough.
process.stdout.on('error', () => process.exit(EXIT_FAILED))

process.exit(await flushed(await main(process.argv.slice(2))))

async function main(argv: readonly string[]): Promise<number> {
  try {
    const surroundings = { environment: process.env, errIsTerminal: io.errIsTerminal }
    const resolved = resolveCommand(argv, surroundings)
    if (resolved.kind === 'help') return told(resolved.text)
    if (resolved.kind === 'version') return told(`salver ${VERSION}\n`)
    for (const warning of resolved.warnings) io.err(`salver: ${warning}\n`)
    return await run(resolved.command)
  } catch (error) {
    return failed(error)
  }
}

/** Each command is loaded when it is asked for, so that none pays for another's start. */
async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'serve': {
      const [{ runServe }, { openStoreThread }] = await Promise.all([
        import('./commands/serve.ts'),
        import('./threads/open-store-thread.ts'),
      ])
      return runServe(command, io, openStoreThread)
    }
    case 'ingest-batch':
      return (await import('./commands/ingest-batch.ts')).runIngestBatch(command, io)
    case 'ingest-ledger-rebuild':
    case 'ingest-ledger-check':
      return (await import('./commands/ingest-ledger.ts')).runIngestLedger(command, io)
    case 'tables-create':
    case 'tables-check':
      return (await import('./commands/tables.ts')).runTables(command, io)
    case 'catalog-check':
    case 'catalog-show':
      return (await import('./commands/catalog.ts')).runCatalog(command, io)
    case 'lookup':
      return (await import('./commands/lookup.ts')).runLookup(command, io)
    case 'store-stats':
      return (await import('./commands/store-stats.ts')).runStoreStats(command, io)
    case 'store-verify':
      return (await import('./commands/store-verify.ts')).runStoreVerify(command, io)
    case 'store-compact':
      return (await import('./commands/store-compact.ts')).runStoreCompact(command, io)
    case 'store-drop':
      return (await import('./commands/store-drop.ts')).runStoreDrop(command, io)
    case 'health':
      return (await import('./commands/health.ts')).runHealth(command, io)
    case 'config-explain':
      return (await import('./commands/config-explain.ts')).runConfigExplain(
        command,
        io,
        process.env,
      )
  }
}

function told(text: string): number {
  io.out(text)
  return 0
}

function failed(error: unknown): number {
  if (!(error instanceof Fault)) {
    io.err(`salver: unexpected error\n${Bun.inspect(error)}\n`)
    return EXIT_FAILED
  }
  io.err(faultText(error))
  return error.code === 'usage' ? EXIT_USAGE : EXIT_FAILED
}

/** A pipe may take what was written later than `write` returned. */
async function flushed(code: number): Promise<number> {
  await new Promise((resolve) => process.stdout.write('', resolve))
  await new Promise((resolve) => process.stderr.write('', resolve))
  return code
}
