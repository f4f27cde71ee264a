/**
 * Raw sockets. Closed (`raw`): each connection asks again when it was answered. Open loop: requests are due at a fixed rate whether or not earlier ones were answered, and latency
 * counts from the time a request was due. Raw sockets, one request at a time on each; a request that
 * finds no idle connection waits, and its waiting counts.
 */
import { Histogram } from '../histogram.ts'
import type { LoadReport, LoadSpec } from './load-spec.ts'
import { ReplyReader } from './reply-reader.ts'

/** Due but unsent requests; more than this means the server is far past its capacity. */
const WAITING_MAX = 1_000_000
/** After the last request was due, how long to wait for what is under way. */
const TAIL_MS = 5_000

type Connection = {
  socket: Bun.Socket<Connection> | undefined
  busy: boolean
  dueUs: number
  sentUs: number
  readonly reply: ReplyReader
}

const nowUs = (): number => Bun.nanoseconds() / 1000

export async function runOpenLoop(spec: LoadSpec): Promise<LoadReport> {
  const url = new URL(spec.url)
  const requests = await Promise.all(spec.bodies.map((path) => makeRequest(url, spec, path)))
  const latencies = new Histogram()
  const lateness = new Histogram()
  const readLate = new Histogram()
  const pastDeadline = new Histogram()
  const deadlineUs = (spec.deadlineMs ?? 0) * 1000
  let turnUs = nowUs()
  const nextTurn = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    turnUs = nowUs()
  }
  const idle: Connection[] = []
  const waiting: number[] = []
  let [sent, answered, not2xx, errors, replyBytes, waitingAt] = [0, 0, 0, 0, 0, 0]
  let endUs = 0
  let past = 0

  const send = (connection: Connection, dueUs: number): void => {
    connection.busy = true
    connection.dueUs = dueUs
    connection.sentUs = nowUs()
    connection.reply.begin()
    lateness.record(connection.sentUs - dueUs)
    connection.socket?.write(requests[sent++ % requests.length]!)
  }
  const finish = (connection: Connection): void => {
    const atUs = nowUs()
    latencies.record(atUs - connection.dueUs)
    readLate.record(atUs - turnUs)
    if (deadlineUs > 0) {
      const pastUs = atUs - connection.sentUs - deadlineUs
      pastDeadline.record(Math.max(0, pastUs))
      if (pastUs > 0) past++
    }
    answered++
    connection.busy = false
    const due = waiting[waitingAt]
    if (due === undefined && spec.mode === 'raw' && nowUs() < endUs) send(connection, nowUs())
    else if (due === undefined) idle.push(connection)
    else {
      waitingAt++
      send(connection, due)
    }
  }
  const receive = (connection: Connection, chunk: Uint8Array): void => {
    const { reply } = connection
    if (!reply.read(chunk)) return
    if (reply.status < 200 || reply.status > 299) not2xx++
    replyBytes += reply.bodyBytes
    finish(connection)
  }

  const connections = await Promise.all(
    Array.from({ length: spec.connections }, () =>
      connect(url, receive, () => {
        errors++
      }),
    ),
  )
  idle.push(...connections)

  const started = nowUs()
  endUs = started + spec.seconds * 1e6
  if (spec.mode === 'raw') {
    for (const connection of idle.splice(0)) send(connection, nowUs())
    while (idle.length < connections.length && errors === 0) {
      await nextTurn()
    }
  }
  const total = Math.floor(spec.rate * spec.seconds)
  const intervalUs = spec.rate === 0 ? 0 : 1e6 / spec.rate
  let due = 0
  while (due < total && waiting.length - waitingAt < WAITING_MAX) {
    const now = nowUs()
    while (due < total && started + due * intervalUs <= now) {
      const dueUs = started + due * intervalUs
      due++
      const connection = idle.pop()
      if (connection === undefined) waiting.push(dueUs)
      else send(connection, dueUs)
    }
    await nextTurn()
  }
  const giveUp = performance.now() + TAIL_MS
  while (answered < due && performance.now() < giveUp && errors < spec.connections) {
    await nextTurn()
  }
  const seconds = (nowUs() - started) / 1e6
  for (const connection of connections) connection.socket?.end()
  return {
    ...latencies.percentiles(),
    requests: answered,
    seconds,
    requestsPerSecond: answered / seconds,
    errors: errors + (spec.mode === 'raw' ? 0 : due - answered),
    not2xx,
    replyBytes: replyBytes / Math.max(1, answered),
    sentLateP99Us: lateness.percentiles().p99Us,
    readLate: readLate.percentiles(),
    pastDeadline: pastDeadline.percentiles(),
    pastDeadlineShare: past / Math.max(1, answered),
  }
}

async function makeRequest(url: URL, spec: LoadSpec, bodyPath: string): Promise<Uint8Array> {
  const body = await Bun.file(bodyPath).bytes()
  const headers = Object.entries({
    host: url.host,
    'content-length': `${body.length}`,
    ...spec.headers,
  })
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`POST ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n`),
    body,
  ])
}

async function connect(
  url: URL,
  receive: (connection: Connection, chunk: Uint8Array) => void,
  closed: () => void,
): Promise<Connection> {
  const connection: Connection = {
    socket: undefined,
    busy: false,
    dueUs: 0,
    sentUs: 0,
    reply: new ReplyReader(),
  }
  connection.socket = await Bun.connect<Connection>({
    hostname: url.hostname,
    port: Number(url.port),
    data: connection,
    socket: {
      data: (socket, chunk) => receive(socket.data, chunk),
      close: (socket) => {
        if (socket.data.busy) closed()
      },
      error: closed,
    },
  })
  return connection
}
