/** Starts a server process on the server's core and waits until it answers. */
import { existsSync } from 'node:fs'
import { pinned } from './machine.ts'

export type Served = {
  readonly url: string
  readonly pid: number
  /** A clean stop. */
  stop(): Promise<void>
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>
}

const EXECUTABLE = new URL('../dist/salver', import.meta.url).pathname
const BARE_SERVER = new URL('./bare-server.ts', import.meta.url).pathname
const START_MS_MAX = 30_000

/** The compiled executable: figures are of what a user runs. */
export function salverCommand(args: readonly string[]): string[] {
  if (!existsSync(EXECUTABLE)) throw new Error('dist/salver is missing: run `bun run build` first')
  return [EXECUTABLE, ...args]
}

/** A store's folder and the definitions that it is served under. */
export type ServedStore = { readonly catalogPath: string; readonly dataDir: string }

export async function serveStore(store: ServedStore, port: number): Promise<Served> {
  const args = ['serve', '--catalog', store.catalogPath, '--data', store.dataDir]
  const command = salverCommand([...args, '--host', '127.0.0.1', '--port', `${port}`])
  const child = Bun.spawn(pinned('server', command), { stdout: 'ignore', stderr: 'pipe' })
  const url = `http://127.0.0.1:${port}`
  await untilReady(url, child)
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM')
      await child.exited
    },
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** The ceiling: reads the body, sends the file's bytes as a ready reply. */
export async function serveBare(replyPath: string): Promise<Served> {
  const child = Bun.spawn(pinned('server', [process.execPath, BARE_SERVER, replyPath]), {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const reader = child.stdout.getReader()
  const port = new TextDecoder().decode((await reader.read()).value).trim()
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    stop,
    kill: stop,
  }
}

async function untilReady(
  url: string,
  child: Bun.Subprocess<'ignore', 'ignore', 'pipe'>,
): Promise<void> {
  const giveUp = performance.now() + START_MS_MAX
  while (performance.now() < giveUp && child.exitCode === null) {
    const ready = await fetch(`${url}/ready`).then(
      (reply) => reply.ok,
      () => false, // not listening yet: asked again
    )
    if (ready) return
    await Bun.sleep(5)
  }
  throw new Error(`the server did not start: ${await new Response(child.stderr).text()}`)
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port } = probe
  probe.stop(true)
  if (port === undefined) throw new Error('no free port')
  return port
}
