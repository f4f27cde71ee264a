/** A server in a process of its own, as a user starts it: the executable, or the source. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildExecutable } from '../../scripts/build.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')

const started = new Set<ServerProcess>()
const folders = new Set<string>()

/** Call it after all tests of a file: nothing outlives a test that failed. */
export async function cleanUp(): Promise<void> {
  for (const server of started) await server.kill()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A folder with a features.yaml of this content. */
export function makeFolder(definitions: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'salver-test-'))
  folders.add(folder)
  writeDefinitions(folder, definitions)
  return folder
}

export const writeDefinitions = (folder: string, definitions: string): void =>
  writeFileSync(join(folder, 'features.yaml'), definitions)

export type ServerOptions = {
  readonly folder: string
  /** In place of the folder's features.yaml. */
  readonly catalog?: string
  /** false: without --data, on the store that the definitions name. */
  readonly embedded?: boolean
  readonly flags?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly compiled?: boolean
  /** Run in place of main.ts. */
  readonly program?: string
  /** 0, unless a certain one is asked for. */
  readonly port?: number
}

export class ServerProcess {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  readonly #stderr: Promise<void>
  #log = ''
  /** '' until it listens. */
  url = ''

  /** Resolves when it listens. Rejects with its log if it ends before. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(await commandOf(options), options.environment ?? {})
    started.add(server)
    await server.#untilListening()
    return server
  }

  /** Resolves when it ended, which is what is expected of it. */
  static async runToEnd(options: ServerOptions): Promise<{ code: number; log: string }> {
    const server = new ServerProcess(await commandOf(options), options.environment ?? {})
    started.add(server)
    const code = await server.ended()
    return { code, log: server.log }
  }

  private constructor(command: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = Bun.spawn([...command], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, ...environment },
    })
    this.#stderr = this.#readLog()
  }

  /** What it wrote to standard error so far. */
  get log(): string {
    return this.#log
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async ended(): Promise<number> {
    const code = await this.#child.exited
    await this.#stderr
    started.delete(this)
    return code
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }

  /** Resolves when its log holds the text. */
  async untilLogged(text: string): Promise<void> {
    while (!this.#log.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended before:\n${this.#log}`)
      await Bun.sleep(5)
    }
  }

  async #untilListening(): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of this.#child.stdout) {
      text += decoder.decode(chunk, { stream: true })
      const found = /^listening on (\S+)\n/m.exec(text)
      if (found === null) continue
      this.url = found[1]!
      return
    }
    throw new Error(`it ended with ${await this.ended()} before it listened:\n${this.#log}`)
  }

  async #readLog(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of this.#child.stderr) {
      this.#log += decoder.decode(chunk, { stream: true })
    }
  }
}

async function commandOf(options: ServerOptions): Promise<string[]> {
  const { folder, flags = [], compiled = false, port = 0, program = MAIN } = options
  const catalog = options.catalog ?? join(folder, 'features.yaml')
  const salver = compiled ? [await buildExecutable()] : [process.execPath, program]
  const data = options.embedded === false ? [] : ['--data', join(folder, 'data')]
  return [...salver, 'serve', '--catalog', catalog, ...data, '--port', `${port}`, ...flags]
}
