/** Starts a server process on the server's core and waits until it answers. */
import { existsSync } from 'node:fs'
import { CREDENTIALS } from './dynamo-repo.ts'
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
/** Feast's server takes longest: it loads pandas first. */
const START_MS_MAX = 60_000

/** The compiled executable: figures are of what a user runs. */
export function salverCommand(args: readonly string[]): string[] {
  if (!existsSync(EXECUTABLE)) throw new Error('dist/salver is missing: run `bun run build` first')
  return [EXECUTABLE, ...args]
}

/** A store's folder and the definitions that it is served under. */
export type ServedStore = { readonly catalogPath: string; readonly dataDir: string }

export function serveStore(store: ServedStore, port: number): Promise<Served> {
  const args = ['serve', '--catalog', store.catalogPath, '--data', store.dataDir]
  const command = salverCommand([...args, '--host', '127.0.0.1', '--port', `${port}`])
  return serve({ command, environment: {}, port, readyPath: '/ready' })
}

/** A Feast repository whose features are in DynamoDB, or what stands for it. */
export function serveRepo(repo: string, port: number): Promise<Served> {
  const args = ['serve', '--catalog', repo, '--host', '127.0.0.1', '--port', `${port}`]
  const environment = CREDENTIALS
  return serve({ command: salverCommand(args), environment, port, readyPath: '/ready' })
}

/** Feast's own server over the same repository: one worker, as it is by default. */
export function serveFeast(python: string, repo: string, port: number): Promise<Served> {
  const feast = [python, '-m', 'feast.cli.cli', '-c', repo]
  const address = ['--host', '127.0.0.1', '--port', `${port}`]
  const command = [...feast, 'serve', ...address, '--workers', '1', '--no-access-log']
  const environment = { ...CREDENTIALS, FEAST_USAGE: 'False' }
  return serve({ command, environment, port, readyPath: '/health' })
}

export type GoServer = {
  readonly executable: string
  readonly repo: string
  /** Where DynamoDB is: this server does not read it from the repository. */
  readonly endpoint: string
}

/** Feast's server in Go, with one thread that runs Go code, as it has one core. */
export function serveFeastGo({ executable, repo, endpoint }: GoServer, port: number) {
  const address = ['-host', '127.0.0.1', '-port', `${port}`, '-metrics-port', `${freePort()}`]
  const command = [executable, '-type', 'http', '-chdir', repo, ...address]
  const environment = {
    ...CREDENTIALS,
    AWS_REGION: CREDENTIALS.AWS_DEFAULT_REGION,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    GOMAXPROCS: '1',
  }
  return serve({ command, environment, port, readyPath: '/health' })
}

type ServerProgram = {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly port: number
  /** Answers 2xx when requests are answered. */
  readonly readyPath: string
}

async function serve({ command, environment, port, readyPath }: ServerProgram): Promise<Served> {
  const child = Bun.spawn(pinned('server', command), {
    stdout: 'ignore',
    stderr: 'pipe',
    env: { ...process.env, ...environment },
  })
  const url = `http://127.0.0.1:${port}`
  await untilReady(url + readyPath, child)
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
    const ready = await fetch(url).then(
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
