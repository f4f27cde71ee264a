/** `salver config explain`: shows how a command line is understood, also one that is wrong. */
import type { ConfigExplainCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { Environment } from '../cli/settings.ts'
import { Fault } from '../base/fault.ts'
import { explainText } from '../cli/explain-text.ts'
import { faultText } from '../cli/fault-text.ts'
import { explainSettings } from '../cli/resolve-command.ts'

/** Exit code 2 where the command line that is explained would be refused. */
export async function runConfigExplain(
  command: ConfigExplainCommand,
  io: Io,
  environment: Environment,
): Promise<number> {
  const explained = explainSettings(command.argv, environment)
  io.out(explainText(explained))
  for (const warning of explained.settings.warnings) io.err(`salver: ${warning}\n`)
  if (explained.faults.length === 0) return 0
  io.err(
    faultText(new Fault('usage', 'this command line is refused', { faults: explained.faults })),
  )
  return 2
}
