/** Starts a load generator, on the generator's core unless told, and returns what it measured. */
import { pinned } from '../machine.ts'
import type { LoadReport, LoadSpec } from './load-spec.ts'

const ENTRY = new URL('./main.ts', import.meta.url).pathname

export async function runLoad(
  spec: LoadSpec,
  core: 'server' | 'generator' = 'generator',
): Promise<LoadReport> {
  const child = Bun.spawn(pinned(core, [process.execPath, ENTRY]), {
    stdin: new TextEncoder().encode(JSON.stringify(spec)),
    stdout: 'pipe',
    stderr: 'inherit',
    env: { ...process.env, BUN_BE_BUN: '1' },
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`the load generator failed: ${text}`)
  return JSON.parse(text) as LoadReport // written by main.ts
}
