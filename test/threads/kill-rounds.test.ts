/**
 * A server is killed in the middle of writes, again and again, on the same data: no row that it ever
 * acknowledged is lost, and none is older than it was. ROUNDS= for more, SEED= to repeat the moments.
 * (The page cache survives a killed process; what survives a power cut is another test's.)
 */
import { afterAll, expect, test } from 'bun:test'
import { SeededRandom } from '../base/seeded-random.ts'
import { DEFINITIONS } from '../http/served.ts'
import { cleanUp, makeFolder, ServerProcess } from './server-process.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 5)
const WRITERS = 8
const KEYS_OF_WRITER = 50
const KILL_MS_MAX = 300
/** A round takes its time to write and two starts of the server. */
const ROUND_MS_MAX = 10_000

afterAll(cleanUp)

/** What one writer knows of its keys: versions that it sent, and of these the acknowledged ones. */
class WriterOfRows {
  readonly sent = new Array<number>(KEYS_OF_WRITER).fill(0)
  readonly acknowledged = new Array<number>(KEYS_OF_WRITER).fill(0)
  readonly #firstKey: number
  readonly #lane: string

  constructor(number: number) {
    this.#firstKey = number * KEYS_OF_WRITER
    this.#lane = number % 2 === 0 ? 'direct' : 'batch'
  }

  get keys(): number[] {
    return this.sent.map((_, place) => this.#firstKey + place)
  }

  /** Writes rows of new versions until the server is gone. */
  async run(url: string, random: SeededRandom, onAcknowledged: () => void): Promise<void> {
    for (;;) {
      const first = random.below(KEYS_OF_WRITER)
      const places = this.sent.keys().filter((place) => place >= first && place < first + 10)
      if (!(await this.#write(url, [...places]))) return
      onAcknowledged()
    }
  }

  async #write(url: string, places: readonly number[]): Promise<boolean> {
    const body = places.map((place) => this.#row(place, ++this.sent[place]!)).join('\n')
    const reply = await fetch(`${url}/v1/write?view=clicks&outcomes=counts&lane=${this.#lane}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson' },
    }).catch(() => undefined) // the server was killed: what was under way counts as not acknowledged
    if (reply === undefined) return false
    expect(reply.status).toBe(200)
    // Killed between its head and its body, a reply is no acknowledgement.
    const isWhole = await reply.json().then(
      () => true,
      () => false,
    )
    if (!isWhole) return false
    for (const place of places) this.acknowledged[place] = this.sent[place]!
    return true
  }

  #row(place: number, version: number): string {
    return JSON.stringify({
      user_id: this.#firstKey + place,
      event_timestamp: new Date(1_700_000_000_000 + version * 1000).toISOString(),
      count: version,
      rate: version / 8,
      label: `version ${version}`,
    })
  }

  /** Everything acknowledged is there, and every row is one that was sent, whole. */
  check(found: readonly (readonly [count: number | null, label: string | null])[]): void {
    found.forEach(([count, label], place) => {
      const version = count ?? 0
      expect(version).toBeGreaterThanOrEqual(this.acknowledged[place]!)
      expect(version).toBeLessThanOrEqual(this.sent[place]!)
      if (version > 0) expect(label).toBe(`version ${version}`)
      // What survived is what counts from now on.
      this.acknowledged[place] = version
    })
  }
}

async function readRows(url: string, keys: readonly number[]) {
  const asked = { features: ['clicks:count', 'clicks:label'], entities: { user_id: keys } }
  const reply = await fetch(`${url}/v1/features`, {
    method: 'POST',
    body: JSON.stringify(asked),
    headers: { 'content-type': 'application/json' },
  })
  const { blocks } = (await reply.json()) as {
    blocks: [{ features: { count: (number | null)[]; label: (string | null)[] } }]
  }
  const { count, label } = blocks[0].features
  return count.map((one, row) => [one, label[row] ?? null] as const)
}

test(
  `${ROUNDS} servers killed while they write lose no acknowledged row`,
  async () => {
    const random = new SeededRandom('kill rounds')
    const folder = makeFolder(DEFINITIONS)
    const writers = Array.from({ length: WRITERS }, (_, number) => new WriterOfRows(number))
    let acknowledged = 0
    for (let round = 0; round < ROUNDS; round++) {
      const server = await ServerProcess.start({ folder, compiled: true })
      for (const writer of writers) writer.check(await readRows(server.url, writer.keys))
      const first = Promise.withResolvers<void>()
      const running = writers.map((writer) =>
        writer.run(server.url, random, () => {
          acknowledged++
          first.resolve()
        }),
      )
      await first.promise
      await Bun.sleep(random.below(KILL_MS_MAX))
      await server.kill()
      await Promise.all(running)
    }
    const last = await ServerProcess.start({ folder, compiled: true })
    for (const writer of writers) writer.check(await readRows(last.url, writer.keys))
    last.signal('SIGTERM')
    expect(await last.ended()).toBe(0)
    expect(acknowledged).toBeGreaterThan(ROUNDS)
  },
  ROUNDS * ROUND_MS_MAX,
)
