/** A server on DynamoDB of three views, kept in different ways, with what a prober and a ranker see of it. */
import { expect } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { entityId } from '../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../src/row/entity-key.ts'
import { createFeastTable, rawCall, TEST_CREDENTIALS, uniqueName } from '../parts/dynamodb.ts'
import { makeFeastRepo } from '../parts/feast-repo.ts'
import { ServerProcess } from '../threads/server-process.ts'

const KEY = [{ name: 'user_id', type: 'INT64' }] as const

/** None is kept; kept for an hour; asked each time, and kept for when DynamoDB fails. */
export const VIEWS = ['plain', 'kept', 'lasting'] as const
type View = (typeof VIEWS)[number]

const TAGS: Readonly<Record<View, Readonly<Record<string, string>>>> = {
  plain: {},
  kept: { 'salver.cache_max_staleness': '1h' },
  lasting: { 'salver.cache_max_staleness': '1ms', 'salver.stale_if_error': 'true' },
}

export type Read = {
  readonly status: number
  /** Cells without an answer, and rows that are older than their view allows. */
  readonly late: number
  readonly stale: number
  /** By view, for each key in order. */
  readonly values: Readonly<Record<string, readonly unknown[]>>
  readonly statuses: Readonly<Record<string, readonly string[]>>
  readonly ms: number
}

type Block = {
  readonly view: string
  readonly features: { readonly n: readonly unknown[] }
  readonly statuses: { readonly n: readonly string[] }
}

export class WatchedServer {
  readonly #server: ServerProcess
  readonly #project: string

  static async start(dynamoUrl: string): Promise<WatchedServer> {
    const project = uniqueName('away')
    const folder = mkdtempSync(join(tmpdir(), 'salver-away-'))
    const views = VIEWS.map((name) => ({
      ...{ name, tags: TAGS[name] },
      keys: { user_id: 'INT64' as const },
      features: { n: 'INT64' as const },
    }))
    await makeFeastRepo(folder, { project, endpoint: dynamoUrl, views })
    const server = await ServerProcess.start({
      ...{ folder, catalog: folder, embedded: false, compiled: true },
      environment: TEST_CREDENTIALS,
    })
    return new WatchedServer(server, project)
  }

  private constructor(server: ServerProcess, project: string) {
    this.#server = server
    this.#project = project
  }

  kill(): Promise<void> {
    return this.#server.kill()
  }

  /** Its name in DynamoDB. */
  tableOf(view: View): string {
    return `${this.#project}.${view}`
  }

  /** Makes the tables where there are none, and puts a row of each key, whose value is the key. */
  async load(dynamoUrl: string, keys: readonly number[]): Promise<void> {
    for (const view of VIEWS) await this.loadTable(dynamoUrl, view, keys)
  }

  async loadTable(dynamoUrl: string, view: View, keys: readonly number[]): Promise<void> {
    const table = this.tableOf(view)
    await createFeastTable(dynamoUrl, table)
    const puts = keys.map((key) => ({ PutRequest: { Item: itemOf(key) } }))
    await rawCall(dynamoUrl, 'BatchWriteItem', { RequestItems: { [table]: puts } })
  }

  async dropTable(dynamoUrl: string, view: View): Promise<void> {
    await rawCall(dynamoUrl, 'DeleteTable', { TableName: this.tableOf(view) })
  }

  async read(keys: readonly number[], views: readonly View[], deadlineMs: number): Promise<Read> {
    const startMs = performance.now()
    const reply = await fetch(`${this.#server.url}/v1/features`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        features: views.map((view) => `${view}:n`),
        entities: { user_id: keys },
        statuses: true,
        deadline_ms: deadlineMs,
      }),
    })
    const { late, blocks } = (await reply.json()) as {
      readonly late: number
      readonly blocks: readonly Block[]
    }
    return {
      status: reply.status,
      late,
      stale: Number(reply.headers.get('x-salver-stale') ?? 0),
      values: Object.fromEntries(blocks.map(({ view, features }) => [view, features.n])),
      statuses: Object.fromEntries(blocks.map(({ view, statuses }) => [view, statuses.n])),
      ms: performance.now() - startMs,
    }
  }

  /** Feast's route: how many cells were not there in time, by its header. */
  async lateForFeast(keys: readonly number[], deadlineMs: number): Promise<[number, unknown]> {
    const reply = await fetch(`${this.#server.url}/get-online-features`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-salver-deadline-ms': `${deadlineMs}` },
      body: JSON.stringify({ features: ['plain:n'], entities: { user_id: keys } }),
    })
    const { results } = (await reply.json()) as { results: { statuses: string[] }[] }
    expect(reply.status).toBe(200)
    return [Number(reply.headers.get('x-salver-late') ?? 0), results[1]?.statuses]
  }

  /** What /ready warns of; it is ready all the same. */
  async warnings(): Promise<readonly string[]> {
    const reply = await fetch(`${this.#server.url}/ready`)
    expect(reply.status).toBe(200)
    return ((await reply.json()) as { warnings: string[] }).warnings
  }

  /** Resolves when the warnings are as asked. */
  async untilWarned(isWarned: boolean): Promise<readonly string[]> {
    for (;;) {
      const warnings = await this.warnings()
      if (warnings.length > 0 === isWarned) return warnings
      await Bun.sleep(5)
    }
  }

  /** Of /metrics: how often this happened to the store's calls. */
  async counted(event: string): Promise<number> {
    const text = await (await fetch(`${this.#server.url}/metrics`)).text()
    const line = new RegExp(`^salver_remote_events_total\\{event="${event}"\\} (\\d+)$`, 'm')
    return Number(line.exec(text)?.[1] ?? NaN)
  }
}

/** As Feast writes it. */
function itemOf(key: number): object {
  const bytes = new Uint8Array(64)
  const length = makeKeyWriter(KEY).write([key], bytes, 0)
  return {
    entity_id: { S: entityId(keyPrefix(KEY), bytes.subarray(0, length)) },
    event_ts: { S: '2026-01-01 00:00:00+00:00' },
    // A Value with its field 4, int64, of one byte.
    values: { M: { n: { B: Uint8Array.of(0x20, key).toBase64() } } },
  }
}
