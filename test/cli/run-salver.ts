/** The compiled executable as a user runs it: in a folder of its own, with an environment of its own. */
import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildExecutable } from '../../scripts/build.ts'

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

const EXAMPLE = join(import.meta.dir, 'example')

/** A fresh folder with the files that the examples name. */
export function exampleFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'salver-example-'))
  cpSync(EXAMPLE, folder, { recursive: true })
  return folder
}

export type Place = { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }

export async function startSalver(argv: readonly string[], { cwd, env = {} }: Place) {
  const executable = await buildExecutable()
  return Bun.spawn([executable, ...argv], { cwd, env, stdout: 'pipe', stderr: 'pipe' })
}

export async function runSalver(argv: readonly string[], place: Place): Promise<Ran> {
  const child = await startSalver(argv, place)
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}

/** The address that a server prints when it is ready to answer. */
export async function addressOf(child: Awaited<ReturnType<typeof startSalver>>): Promise<string> {
  let told = ''
  for await (const bytes of child.stdout) {
    told += new TextDecoder().decode(bytes)
    const address = /^listening on (\S+)\n/m.exec(told)?.[1]
    if (address !== undefined) return address
  }
  throw new Error(`the server ended: ${told}${await new Response(child.stderr).text()}`)
}

/** `salver serve --port 1` as argv. No argument of ours holds a space. */
export const argvOf = (line: string): readonly string[] => line.split(' ').slice(1)
