/** A batch through a server's write route: the real bytes both ways, over a real socket. */
import { afterEach, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WriteFormat } from '../../src/ingest/write-body.ts'
import { encodeWriteReply, parseWriteRequest } from '../../src/http/write-request.ts'
import { writeRows } from '../../src/ingest/direct-lane.ts'
import { withRepeats } from '../../src/ingest/dry-run.ts'
import type { Receipt } from '../../src/ingest/receipt.ts'
import { serverSink } from '../../src/ingest/server-sink.ts'
import { openViewTable } from '../../src/ingest/store-sink.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import {
  ingest,
  ingestInto,
  makeSource,
  makeView,
  NOW_US,
  openStore,
  readRows,
  temporaryFolder,
} from './ingest-rig.ts'

const VIEW = makeView({
  keys: { id: 'INT64' },
  features: { n: 'INT64', x: 'FLOAT', s: 'STRING', emb: 'FLOAT_LIST' },
  changes: { batchSource: makeSource({ timestampField: 'at', timestampUnit: 'ms' }) },
})

type Answer = (request: Request) => Promise<Response> | Response

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Serves writes into a store; the first requests are answered by `first` in its order. */
async function serveWrites(first: readonly Answer[] = []) {
  const store = await openStore()
  const answers = [...first]
  const seen: (string | null)[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => {
      seen.push(request.headers.get('authorization'))
      return (answers.shift() ?? ((it: Request) => answerWrite(store, it)))(request)
    },
  })
  closers.push(
    () => server.stop(true),
    () => store.close(),
  )
  return { store, url: `http://127.0.0.1:${server.port}`, seen }
}

async function answerWrite(store: EmbeddedStore, request: Request): Promise<Response> {
  const asked = parseWriteRequest(new URL(request.url).searchParams, request.headers)
  const format: WriteFormat = asked.format
  const { lane, dryRun } = asked
  const reply = await writeRows(
    { lane, dryRun, format, body: await request.bytes() },
    {
      view: VIEW,
      handle: await openViewTable(store, VIEW),
      writer: store,
      futureMarginUs: 600e6,
      nowUs: () => NOW_US,
    },
  )
  return new Response(encodeWriteReply(reply, asked.tellsOutcomes))
}

const sinkTo = (server: string, changes: { token?: string; dryRun?: boolean } = {}) =>
  serverSink({
    server,
    token: '',
    view: VIEW,
    dryRun: false,
    onRetry: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  })

function writeFile(rows = 40_000): string {
  const path = join(temporaryFolder(), 'rows.ndjson')
  const lines = Array.from({ length: rows }, (_, id) =>
    JSON.stringify({
      id: id % (rows / 2),
      n: id % 7 === 0 ? null : id,
      x: id / 3,
      s: `s${id % 11}`,
      emb: [id, 0.5],
      at: 1767225600000 + id,
    }),
  )
  lines.push('{"id":9007199254740993,"n":-9007199254740993,"x":1,"at":1}', '{"id":"x"}')
  writeFileSync(path, lines.join('\n'))
  return path
}

describe('a batch to a server', () => {
  test('that can’t be reached ends on the signal, within its pause, and says what it waited for', async () => {
    const away = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const url = `http://127.0.0.1:${away.port}`
    await away.stop(true)
    const stop = new AbortController()
    const tries: string[] = []
    const sink = serverSink({
      server: url,
      token: '',
      view: VIEW,
      dryRun: false,
      onRetry: (why) => void (tries.push(why), stop.abort()),
      signal: stop.signal,
    })
    const receipts: Receipt[] = []
    const onCutOff = (receipt: Receipt): void => void receipts.push(receipt)
    await expect(
      ingestInto(sink, VIEW, writeFile(10), { onCutOff, signal: stop.signal }),
    ).rejects.toThrow('interrupted; the last try: can')
    expect(tries).toHaveLength(1)
    expect(receipts).toMatchObject([{ read: 12, rejected: 1, unsettled: 11, written: 0 }])
    expect(receipts[0]!.stopped).toStartWith(`${url}: interrupted`)
  })

  test('ends as one into a data directory: the same rows, the same receipt', async () => {
    const path = writeFile()
    const { store, url } = await serveWrites()
    const local = await openStore()
    closers.push(() => local.close())
    for (let round = 0; round < 2; round++) {
      const dry = await ingestInto(withRepeats(sinkTo(url, { dryRun: true })), VIEW, path)
      const far = await ingestInto(sinkTo(url), VIEW, path)
      const near = await ingest(local, VIEW, path)
      for (const receipt of [dry, far]) {
        const { read, rejected, older, unchanged, touched, changed } = receipt
        expect({ read, rejected, older, unchanged, touched, changed, new: receipt.new }).toEqual({
          read: near.read,
          rejected: near.rejected,
          older: near.older,
          unchanged: near.unchanged,
          touched: near.touched,
          changed: near.changed,
          new: near.new,
        })
      }
    }
    expect(readRows(store, VIEW)).toEqual(readRows(local, VIEW))
    expect(readRows(store, VIEW).get('9007199254740993')).toMatchObject({ n: -9007199254740993n })
  })

  test('goes on where the server was full, or restarted', async () => {
    const path = writeFile(2000)
    const full = () =>
      new Response('{"error":{"code":"overloaded","message":"full"}}', {
        status: 503,
        headers: { 'retry-after': '0' },
      })
    const restarting = () => new Response('bad gateway', { status: 503 })
    const served = await serveWrites([full, restarting])
    const retries: string[] = []
    const sink = serverSink({
      server: served.url,
      token: '',
      view: VIEW,
      dryRun: false,
      onRetry: (why) => retries.push(why),
      signal: new AbortController().signal,
    })
    const receipt = await ingestInto(sink, VIEW, path)
    expect(receipt).toMatchObject({ new: 1001, rejected: 1 })
    expect(retries).toEqual([`${served.url} refuses: full`, 'answered 503'])
    expect(served.seen).toHaveLength(3)
  })

  test('whose answer was lost is sent again, and nothing is written twice', async () => {
    const path = writeFile(2000)
    const served = await serveWrites([
      async (request) => {
        await answerWrite(served.store, request)
        return new Response('gone', { status: 503 })
      },
    ])
    const receipt = await ingestInto(sinkTo(served.url), VIEW, path)
    // Both versions of each key are judged again: by what is stored, which is the later one.
    expect(receipt).toMatchObject({ new: 0, changed: 0, older: 1000, unchanged: 1001, rejected: 1 })
    const local = await openStore()
    closers.push(() => local.close())
    await ingest(local, VIEW, path)
    expect(readRows(served.store, VIEW)).toEqual(readRows(local, VIEW))
  })

  test('carries the token, and says so where it is refused', async () => {
    const deny = () => new Response('{"error":{"message":"no"}}', { status: 401 })
    const { url, seen } = await serveWrites([deny, deny])
    const path = writeFile(10)
    await expect(ingestInto(sinkTo(url, { token: 'secret' }), VIEW, path)).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'refuses the token',
    })
    expect(seen).toEqual(['Bearer secret'])
    await expect(ingestInto(sinkTo(url), VIEW, path)).rejects.toThrow('asks for a token')
  })

  test('stops with the server’s words where trying again would not help', async () => {
    const refuse = () =>
      new Response('{"error":{"message":"there is no feature view","where":"parameter view"}}', {
        status: 404,
      })
    const { url, seen } = await serveWrites([refuse])
    await expect(ingestInto(sinkTo(url), VIEW, writeFile(10))).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${url} refuses: there is no feature view`,
      where: 'parameter view',
    })
    expect(seen).toHaveLength(1)
  })

  test('stops where what answers is no Salver server', async () => {
    const { url } = await serveWrites([() => new Response('<html>')])
    await expect(ingestInto(sinkTo(url), VIEW, writeFile(10))).rejects.toThrow('no Salver server')
  })

  test('tells which rows the server refused, by their place in the file', async () => {
    const path = writeFile(10)
    const refuse: Answer = () =>
      Response.json({
        bytes_written: 8,
        rejected: [{ index: 2, column: 's', reason: 'too long' }],
        outcomes: Array.from({ length: 11 }, (_, place) => (place === 2 ? 'rejected' : 'new')),
      })
    const { url } = await serveWrites([refuse])
    const receipt = await ingestInto(sinkTo(url), VIEW, path)
    expect(receipt).toMatchObject({ new: 10, rejected: 2 })
    const lines = (await Bun.file(receipt.rejectsPath).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toContainEqual({
      view: 'view',
      file: path,
      row: 3,
      column: 's',
      reason: 'too long',
    })
  })
})
