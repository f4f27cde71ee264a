/** `salver health`: does the server live, and is it ready? For people and for container probes. */
import type { HealthCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'

type Probe = { readonly path: string; readonly ok: boolean; readonly told: string }

/** Exit code 0 where both answer with success, else 1. */
export async function runHealth(command: HealthCommand, io: Io): Promise<number> {
  const signal = AbortSignal.timeout(command.timeoutMs)
  const probes = await Promise.all(
    ['/health', '/ready'].map((path) => probe(command.url, path, signal)),
  )
  for (const { path, told } of probes) io.out(`${command.url}${path}  ${told}\n`)
  return probes.every(({ ok }) => ok) ? 0 : 1
}

/** A server that can't be reached is an answer here, not an error. */
async function probe(url: string, path: string, signal: AbortSignal): Promise<Probe> {
  try {
    const response = await fetch(url + path, { signal })
    const body = (await response.text()).trim().slice(0, 200)
    return { path, ok: response.ok, told: `${response.status} ${body}`.trimEnd() }
  } catch (error) {
    return { path, ok: false, told: error instanceof Error ? error.message : String(error) }
  }
}
