/**
 * The whole way on real data: 3 million flights into a store, features as of two times, served in
 * three formats, measured, killed and opened again. Uses the compiled executable as a user would.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runLoad } from '../bench/load/run-load.ts'
import { freePort, serveStore } from '../bench/served.ts'
import { unpack } from 'msgpackr'
import { SalverClient } from '../src/client/salver-client.ts'
import { buildExecutable } from './build.ts'
import { type Flights, readFlights, writeFeatures, writeFlightsByDay } from './flights-features.ts'

const ROOT = new URL('..', import.meta.url).pathname
const FOLDER = join(ROOT, 'dist/demo')
const DATA = join(FOLDER, 'data')
const CATALOG = join(FOLDER, 'features.yaml')
const AS_OF = new Date('2001-06-29T18:00:00Z')
const LATER = new Date(AS_OF.getTime() + 15 * 60_000)
const CANDIDATES = 200
const LOAD_SECONDS = 3
/** Rounds that must be acknowledged before the server is killed. */
const ROUNDS_MIN = 20
const FORMATS = [
  ['binary', 'application/vnd.salver'],
  ['msgpack', 'application/msgpack'],
  ['json', 'application/json'],
] as const

const IN_TERMINAL = process.stdout.isTTY
const say = (text: string): void =>
  console.log(IN_TERMINAL ? `\n\x1b[1m${text}\x1b[0m` : `\n${text}`)

const executable = await buildExecutable()
rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })
cpSync(join(ROOT, 'scripts/flights/features.yaml'), CATALOG)

say('Reading 3 million US flights, adding the day column, computing features as of two times')
const flights = await readFlights()
const byDay = join(FOLDER, 'flights-by-day.parquet')
writeFlightsByDay(flights, byDay)
writeFeatures(flights, join(FOLDER, 'as-of-18-00'), AS_OF)
writeFeatures(flights, join(FOLDER, 'as-of-18-15'), LATER)

say('1. Ingest the flights: the last one of each route and day')
await ingest('flights_by_day', byDay)
say(`2. Ingest the features as of ${AS_OF.toISOString()}`)
await ingestFeatures('as-of-18-00')
say('3. The same again: nothing has changed')
await ingestFeatures('as-of-18-00')
say('4. A quarter of an hour later: only what changed is written')
await ingestFeatures('as-of-18-15')

say('5. Serve it, and ask for one airport and 200 candidate routes in three formats')
const store = { catalogPath: CATALOG, dataDir: DATA }
const server = await serveStore(store, freePort())
try {
  const question = makeQuestion(flights)
  await compareFormats(server.url, question)
  say('6. Measure it: autocannon, 16 connections, server and generator on a core each')
  await measure(server.url, question)
  say('7. SIGKILL during an ingest; start again; look for every acknowledged row')
  await killAndRecover()
} finally {
  await server.kill()
}

say('What to try next')
console.log(`  ./dist/salver serve --catalog dist/demo/features.yaml --data dist/demo/data --host 127.0.0.1 --port 6566
  curl -s localhost:6566/v1/features -H 'content-type: application/json' -d \\
    '{"feature_service":"ranking","entities":{"airport":"ATL","origin":["ATL","ATL"],"destination":["DFW","LAX"]}}'
  ./dist/salver lookup --catalog dist/demo/features.yaml --data dist/demo/data --service ranking \\
    --entity airport=ATL --entity origin=ATL --entity destination=DFW
  ./dist/salver store stats --data dist/demo/data
  npx -y bun@1.4.5 run bench smoke`)

async function ingest(view: string, source: string): Promise<void> {
  const args = ['ingest', 'batch', '--catalog', CATALOG, '--data', DATA, '--view', view]
  const child = Bun.spawn([executable, ...args, '--source', source], {
    stdout: 'inherit',
    stderr: 'inherit',
  })
  if ((await child.exited) !== 0) throw new Error(`the ingest of ${view} failed`)
}

async function ingestFeatures(asOf: string): Promise<void> {
  await ingest('airport_delays', join(FOLDER, asOf, 'airport-delays.parquet'))
  await ingest('route_delays', join(FOLDER, asOf, 'route-delays.parquet'))
}

type Question = {
  readonly feature_service: string
  readonly entities: {
    readonly airport: string
    readonly origin: readonly string[]
    readonly destination: readonly string[]
  }
}

/** The airport that someone leaves from, and routes that a ranker would have to choose among. */
function makeQuestion({ airports, routes }: Flights): Question {
  const candidates = routes.slice(0, CANDIDATES)
  return {
    feature_service: 'ranking',
    entities: {
      airport: airports[0]!,
      origin: candidates.map(([origin]) => origin),
      destination: candidates.map(([, destination]) => destination),
    },
  }
}

function ask(url: string, question: Question, accept: string): Promise<Response> {
  return fetch(`${url}/v1/features`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(question),
  })
}

/** The JSON and msgpack replies, as far as they are compared. */
type Blocks = {
  readonly blocks: readonly {
    readonly view: string
    readonly features: Readonly<Record<string, readonly (number | null)[]>>
  }[]
}

async function compareFormats(url: string, question: Question): Promise<void> {
  const json = (await (await ask(url, question, 'application/json')).json()) as Blocks
  const packed = await (await ask(url, question, 'application/msgpack')).arrayBuffer()
  const msgpack = unpack(new Uint8Array(packed)) as Blocks
  const { feature_service: featureService, entities } = question
  const binary = await new SalverClient({ url }).features({ featureService, entities })
  let cells = 0
  let present = 0
  for (const [index, block] of json.blocks.entries()) {
    for (const [feature, column] of Object.entries(block.features)) {
      const viewed = binary.block(block.view).column(feature)
      column.forEach((value, row) => {
        const texts = [value, msgpack.blocks[index]!.features[feature]![row], viewed[row]].map(
          cellText,
        )
        if (new Set(texts).size > 1) throw new Error(`${block.view}:${feature}[${row}]: ${texts}`)
        cells++
        if (value !== null) present++
      })
    }
  }
  if (present === 0) throw new Error('not one of the cells has a value')
  console.log(`${cells} cells, ${present} of them with a value: JSON, msgpack and binary agree`)
  const [airport] = json.blocks
  const shown = Object.entries(airport!.features).map(([name, [value]]) => `${name} ${value}`)
  console.log(`${question.entities.airport}: ${shown.join(', ')}`)
}

/** A Float32 is printed short in JSON and arrives widened in the others: compare what it holds. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return `${Math.fround(Number(value))}`
}

async function measure(url: string, question: Question): Promise<void> {
  const body = join(FOLDER, 'question.json')
  await Bun.write(body, JSON.stringify(question))
  console.log('format     requests/s   p50 ms   p95 ms   p99 ms   bytes a reply')
  for (const [name, accept] of FORMATS) {
    const report = await runLoad({
      mode: 'closed',
      url: `${url}/v1/features`,
      bodies: [body],
      headers: { 'content-type': 'application/json', accept },
      connections: 16,
      seconds: LOAD_SECONDS,
      rate: 0,
    })
    if (report.errors + report.not2xx > 0) throw new Error(`${name}: some requests failed`)
    const rate = Math.round(report.requestsPerSecond).toLocaleString('en-US').padStart(10)
    const times = [report.p50Us, report.p95Us, report.p99Us].map((us) =>
      (us / 1000).toFixed(2).padStart(6),
    )
    const bytes = Math.round(report.replyBytes).toLocaleString('en-US')
    console.log(`${name.padEnd(10)} ${rate}   ${times.join('   ')}   ${bytes.padStart(13)}`)
  }
}

/** Every route's count of searches, written again and again: round r writes the number r. */
async function killAndRecover(): Promise<void> {
  let acknowledged = 0
  let killed = false
  const writing = (async () => {
    for (let round = 1; !killed; round++) {
      const accepted = await writeRound(server.url, round).catch(() => false)
      if (accepted) acknowledged = round
    }
  })()
  const deadline = performance.now() + 10_000
  while (acknowledged < ROUNDS_MIN && performance.now() < deadline) await Bun.sleep(5)
  if (acknowledged < ROUNDS_MIN) throw new Error(`only ${acknowledged} rounds were acknowledged`)
  await server.kill()
  killed = true
  await writing
  console.log(
    `killed with ${acknowledged} rounds of ${flights.routes.length.toLocaleString('en-US')} rows acknowledged`,
  )

  const again = await serveStore(store, freePort())
  try {
    const [origin, destination] = [0, 1].map((part) => flights.routes.map((route) => route[part]!))
    const reply = await new SalverClient({ url: again.url }).features({
      features: ['route_searches:searches'],
      entities: { origin: origin!, destination: destination! },
    })
    const found = reply.block('route_searches').column('searches')
    const lost = found.filter(
      (searches) => searches === null || !(Number(searches) >= acknowledged),
    ).length
    console.log(
      `opened again: ${found.length - lost} of ${found.length} rows hold their last acknowledged value or a later one`,
    )
    if (lost > 0) throw new Error(`${lost} acknowledged rows were lost`)
  } finally {
    await again.stop()
  }
}

async function writeRound(url: string, round: number): Promise<boolean> {
  const time = new Date(Date.now() - 3_600_000 + round).toISOString()
  const rows = flights.routes.map(([origin, destination]) =>
    JSON.stringify({ origin, destination, searches: round, event_timestamp: time }),
  )
  const reply = await fetch(`${url}/v1/write?view=route_searches&lane=batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: rows.join('\n'),
  })
  await reply.arrayBuffer()
  return reply.ok
}
