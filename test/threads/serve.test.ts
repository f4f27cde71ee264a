import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { resolveCommand } from '../../src/cli/resolve-command.ts'
import { runServe } from '../../src/commands/serve.ts'
import { openStoreThread } from '../../src/threads/open-store-thread.ts'
import { DEFINITIONS } from '../http/served.ts'
import { RawSocket } from '../http/raw-socket.ts'
import { cleanUp, makeFolder, ServerProcess, writeDefinitions } from './server-process.ts'

afterAll(cleanUp)

const JSON_TYPE = { 'content-type': 'application/json' }

const post = (url: string, path: string, body: unknown): Promise<Response> =>
  fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers: JSON_TYPE })

const write = (url: string, user: number, count: number): Promise<Response> =>
  post(url, '/v1/write?view=clicks', [
    { user_id: user, event_timestamp: '2026-01-01T00:00:00Z', count, rate: 0.5, label: 'x' },
  ])

async function countOf(url: string, user: number): Promise<unknown> {
  const asked = { features: ['clicks:count'], entities: { user_id: [user] } }
  const reply = await post(url, '/v1/features', asked)
  const { blocks } = (await reply.json()) as { blocks: { features: { count: unknown[] } }[] }
  return blocks[0]!.features.count[0]
}

describe('a stop', () => {
  test('by SIGTERM ends with 0, and what was written is there at the next start', async () => {
    const folder = makeFolder(DEFINITIONS)
    const first = await ServerProcess.start({ folder })
    expect((await write(first.url, 1, 41)).status).toBe(200)
    first.signal('SIGTERM')
    expect(await first.ended()).toBe(0)
    const second = await ServerProcess.start({ folder })
    expect(await countOf(second.url, 1)).toBe(41)
    second.signal('SIGINT')
    expect(await second.ended()).toBe(0)
  })

  test('lets a request under way finish, and takes no new connection', async () => {
    const server = await ServerProcess.start({ folder: makeFolder(DEFINITIONS) })
    const body = JSON.stringify({ features: ['clicks:count'], entities: { user_id: [1] } })
    const socket = await RawSocket.open(server.url)
    const head = `POST /v1/features HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
    socket.send(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`)
    await untilInFlight(server.url)
    server.signal('SIGTERM')
    await server.untilLogged('SIGTERM')
    expect(await isRefused(server.url)).toBe(true)
    socket.send(body.slice(9))
    expect((await socket.receive()).status).toBe(200)
    expect(await server.ended()).toBe(0)
  })

  test('is not waited for when it is asked for twice', async () => {
    const server = await ServerProcess.start({ folder: makeFolder(DEFINITIONS) })
    const socket = await RawSocket.open(server.url)
    socket.send('POST /v1/features HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n')
    await untilInFlight(server.url)
    server.signal('SIGTERM')
    await server.untilLogged('SIGTERM')
    server.signal('SIGTERM')
    expect(await server.ended()).toBe(1)
    socket.close()
  })

  /** The request that asks is under way itself. */
  async function untilInFlight(url: string): Promise<void> {
    const inFlight = /^salver_requests_in_flight 2$/m
    while (!inFlight.test(await (await fetch(`${url}/metrics`)).text())) await Bun.sleep(2)
  }

  async function isRefused(url: string): Promise<boolean> {
    try {
      await fetch(`${url}/health`)
      return false
    } catch {
      return true
    }
  }
})

describe('a start', () => {
  test('of a second server on the same data is refused with who has it', async () => {
    const folder = makeFolder(DEFINITIONS)
    const first = await ServerProcess.start({ folder })
    const { code, log } = await ServerProcess.runToEnd({ folder })
    expect(code).toBe(1)
    expect(log).toContain('the store is in use by pid')
    expect(await (await fetch(`${first.url}/health`)).text()).toBe('')
    await first.kill()
  })

  test('with faulty definitions tells every fault, and listens to nobody', async () => {
    const folder = makeFolder('project: shop\nfeature_views: [{ name: 1 }]\n')
    const { code, log } = await ServerProcess.runToEnd({ folder })
    expect(code).toBe(1)
    expect(log).toContain('features.yaml:2')
  })

  test('on a port that is taken is refused', async () => {
    const first = await ServerProcess.start({ folder: makeFolder(DEFINITIONS) })
    const port = Number(new URL(first.url).port)
    const { code, log } = await ServerProcess.runToEnd({ folder: makeFolder(DEFINITIONS), port })
    expect(code).toBe(2)
    expect(log).toContain("can't listen")
    await first.kill()
  })

  test('without a data directory, and with definitions that name another store, says what is read', async () => {
    const folder = makeFolder(DEFINITIONS)
    const store = 'project: rideshare\nregistry: registry.db\nprovider: local\n'
    const online = 'online_store: { type: redis, connection_string: "localhost:6379" }\n'
    await Bun.write(join(folder, 'feast/feature_store.yaml'), store + online)
    await Bun.write(join(folder, 'feast/registry.db'), Bun.file('test/fixtures/feast/registry.db'))
    const argv = ['serve', '--catalog', join(folder, 'feast'), '--port', '0']
    const resolved = resolveCommand(argv, { environment: {}, errIsTerminal: false })
    if (resolved.kind !== 'command' || resolved.command.kind !== 'serve')
      throw new Error('not serve')
    const io = { out: () => {}, err: () => {}, errIsTerminal: false }
    await expect(runServe(resolved.command, io, openStoreThread)).rejects.toMatchObject({
      code: 'usage',
      message: 'the online store of the definitions is redis, which is not read',
      where: '--data',
    })
  })

  test('beside another read-only server is allowed where both are read-only', async () => {
    const folder = makeFolder(DEFINITIONS)
    const writing = await ServerProcess.start({ folder })
    await write(writing.url, 1, 5)
    writing.signal('SIGTERM')
    await writing.ended()
    const flags = ['--read-only']
    const both = await Promise.all([1, 2].map(() => ServerProcess.start({ folder, flags })))
    for (const { url } of both) {
      expect(await countOf(url, 1)).toBe(5)
      expect((await write(url, 1, 6)).status).toBe(403)
    }
    for (const server of both) await server.kill()
  })
})

async function warningsOf(url: string): Promise<string[]> {
  const { warnings } = (await (await fetch(`${url}/ready`)).json()) as { warnings: string[] }
  return warnings
}

describe('a reload', () => {
  const WIDER = DEFINITIONS.replace(
    '      - { name: label, type: String }',
    '      - { name: label, type: String }\n      - { name: extra, type: Int64, default: 9 }',
  )

  test('by SIGHUP serves the new definitions, and rows of the old ones are still there', async () => {
    const folder = makeFolder(DEFINITIONS)
    const server = await ServerProcess.start({ folder })
    await write(server.url, 1, 5)
    writeDefinitions(folder, WIDER)
    server.signal('SIGHUP')
    await server.untilLogged('read anew')
    const asked = { features: ['clicks:count', 'clicks:extra'], entities: { user_id: [1] } }
    const reply = await post(server.url, '/v1/features', { ...asked, fill: 'default' })
    const { blocks } = (await reply.json()) as { blocks: { features: object }[] }
    expect(blocks[0]!.features).toEqual({ count: [5], extra: [9] })
    const row = { user_id: 2, event_timestamp: '2026-01-01T00:00:00Z', count: 1, rate: 1 }
    const rows = [{ ...row, label: '', extra: 77 }]
    expect((await post(server.url, '/v1/write?view=clicks', rows)).status).toBe(200)
    const again = await post(server.url, '/v1/features', { ...asked, entities: { user_id: [2] } })
    expect(await again.json()).toMatchObject({ blocks: [{ features: { extra: [77] } }] })
    await server.kill()
  })

  test('of faulty definitions is refused, told and counted; the old ones stay in force', async () => {
    const folder = makeFolder(DEFINITIONS)
    const server = await ServerProcess.start({ folder })
    writeDefinitions(folder, `${DEFINITIONS}\nsurprise: 1\n`)
    server.signal('SIGHUP')
    await server.untilLogged('surprise')
    expect((await write(server.url, 1, 5)).status).toBe(200)
    expect(await countOf(server.url, 1)).toBe(5)
    expect((await warningsOf(server.url))[0]).toContain('definitions were refused')
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toContain('\nsalver_catalog_faults_total 1\n')
    expect(metrics).toContain('\nsalver_catalog_generation 1\n')
    writeDefinitions(folder, DEFINITIONS)
    server.signal('SIGHUP')
    while ((await warningsOf(server.url)).length > 0) await Bun.sleep(2)
    await server.kill()
  })
})
