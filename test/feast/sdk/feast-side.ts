/** The real Feast SDK in a process of its own, asked line by line. */
import { copyFileSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../scripts/parts/parts-folder.ts'
import { TEST_CREDENTIALS } from '../../parts/dynamodb.ts'
import { toJson } from './to-json.ts'

/** Columns of rows; bytes as `{bytes: base64}`, times as text in `event_timestamp`. */
export type Columns = Readonly<Record<string, readonly unknown[]>>

export type FeastRead = {
  readonly store: 'applied' | 'remote'
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly full: boolean
  readonly service?: string
  readonly features?: readonly string[]
}

export type FeastOrder =
  | { readonly do: 'write'; readonly view: string; readonly columns: Columns }
  | { readonly do: 'push'; readonly source: string; readonly columns: Columns }
  | { readonly do: 'parquet'; readonly path: string; readonly columns: Columns }
  | { readonly do: 'remote'; readonly url: string }
  | ({ readonly do: 'read' } & FeastRead)

const ENVIRONMENT = { ...process.env, ...TEST_CREDENTIALS, FEAST_USAGE: 'False' }

export type Repository = {
  readonly project: string
  readonly dynamoUrl: string
  /** File of this folder. */
  readonly definitions: 'definitions.py' | 'versions.py'
}

/** A Feast repository on DynamoDB: a folder of its own, to be applied. */
export function makeRepository({ project, dynamoUrl, definitions }: Repository): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'salver-feast-')))
  copyFileSync(join(import.meta.dir, definitions), join(folder, definitions))
  const lines = [
    `project: ${project}`,
    'provider: local',
    'registry:',
    '  path: registry.db',
    `  enable_online_feature_view_versioning: ${definitions === 'versions.py'}`,
    'entity_key_serialization_version: 3',
    'offline_store:',
    '  type: file',
    'online_store:',
    '  type: dynamodb',
    '  region: us-east-1',
    `  endpoint_url: ${dynamoUrl}`,
    '  consistent_reads: true',
  ]
  writeFileSync(join(folder, 'feature_store.yaml'), `${lines.join('\n')}\n`)
  return folder
}

/** `feast apply`. */
export async function apply(
  python: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const command = [python, '-m', 'feast.cli.cli', '-c', folder, 'apply']
  await runProgram(command, { ...ENVIRONMENT, ...environment })
}

export class FeastSide {
  readonly #child: Bun.Subprocess<'pipe', 'pipe', 'inherit'>
  readonly #answers: AsyncIterator<string>

  constructor(python: string, repository: string) {
    this.#child = Bun.spawn([python, join(import.meta.dir, 'feast_side.py'), repository], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
      env: ENVIRONMENT,
    })
    this.#answers = linesOf(this.#child.stdout)
  }

  /** One order at a time. Rejects with Feast's own words. */
  async ask(order: FeastOrder): Promise<unknown> {
    this.#child.stdin.write(`${toJson(order)}\n`)
    this.#child.stdin.flush()
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error("Feast's process ended")
    const answer = JSON.parse(value) as { readonly done?: unknown; readonly failed?: string }
    if (answer.failed !== undefined) throw new Error(answer.failed)
    return answer.done
  }

  /** The reply as Feast's server would send it. */
  async read(read: FeastRead): Promise<string> {
    return String(await this.ask({ do: 'read', ...read }))
  }

  async end(): Promise<void> {
    this.#child.stdin.end()
    await this.#child.exited
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncIterator<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
}
