/** `bun run check`: is every file formatted, and does every type hold? */
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '..')

/** Folders with files of ours; what lies beside them in the root is named alone. */
const FORMATTED = ['src', 'test', 'bench', 'scripts', 'package.json', 'tsconfig.json']

export type Outcome = { readonly passed: boolean; readonly output: string }

/** Recorded from others: it stays as it was recorded. */
const RECORDED = 'test/fixtures/**'

/** Whether every file stands as the formatter would write it. */
export const checkFormat = (): Promise<Outcome> =>
  runBun(['fmt', '--no-script', '--check', '--ignore-pattern', RECORDED, ...FORMATTED])

export const checkTypes = (): Promise<Outcome> => runBun(['check', '--no-script', '--no-pretty'])

async function runBun(args: readonly string[]): Promise<Outcome> {
  // This very bun: the one on the PATH may be another, or none.
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: ROOT,
    env: { ...process.env, BUN_BE_BUN: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const parts = [new Response(child.stdout).text(), new Response(child.stderr).text()]
  const output = (await Promise.all(parts)).join('')
  return { passed: (await child.exited) === 0, output }
}

if (import.meta.main) {
  for (const { passed, output } of [await checkFormat(), await checkTypes()]) {
    process.stderr.write(output)
    if (!passed) process.exitCode = 1
  }
}
