/** 100 entities x 50 Float32 at random: each reply format beside a bare server of the same reply size. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeFloatStore, SEED } from '../float-store.ts'
import { runLoad } from '../load/run-load.ts'
import { cpuUs } from '../machine.ts'
import { makeRandom } from '../random.ts'
import { freePort, serveBare, type Served, serveStore } from '../served.ts'
import { type Figure, figure, type Size, type Workload } from '../workload.ts'

const SIZES = {
  smoke: {
    rows: 2_000,
    entities: 10,
    features: 50,
    seconds: 0.3,
    warmup: 0,
    repeats: 1,
    bodies: 8,
  },
  full: {
    rows: 1_000_000,
    entities: 100,
    features: 50,
    seconds: 1,
    warmup: 0.4,
    repeats: 5,
    bodies: 256,
  },
} as const

const FORMATS = [
  ['binary', 'application/vnd.salver', { block: 'matrix', schema: 'omit' }],
  ['binary rows', 'application/vnd.salver', { block: 'rows', schema: 'omit' }],
  ['msgpack', 'application/msgpack', {}],
  ['json', 'application/json', {}],
  ['feast json', 'application/json', undefined],
] as const

const CONNECTIONS = { smoke: [4], full: [1, 16] } as const

type Contender = {
  readonly name: string
  readonly path: string
  readonly accept: string
  readonly bodies: string[]
  readonly replyBytes: number
  readonly replyPath: string
}

export const reply: Workload = {
  name: 'reply',
  about: 'replies of 100 x 50 Float32 in each format beside a bare server of the same size',
  async run(size, workDir) {
    const shape = SIZES[size]
    const store = await makeFloatStore(join(workDir, 'reply'), shape.rows, shape.features)
    const served = await serveStore(store, freePort())
    try {
      const contenders = await makeContenders(served, size, workDir)
      return await measureAll(served, contenders, size)
    } finally {
      await served.stop()
    }
  },
}

async function makeContenders(served: Served, size: Size, workDir: string): Promise<Contender[]> {
  const shape = SIZES[size]
  const contenders: Contender[] = []
  for (const [name, accept, options] of FORMATS) {
    const random = makeRandom(SEED + 1)
    const folder = join(workDir, 'bodies', name.replace(' ', '-'))
    mkdirSync(folder, { recursive: true })
    const bodies: string[] = []
    for (let index = 0; index < shape.bodies; index++) {
      const ids = Array.from({ length: shape.entities }, () => Math.floor(random() * shape.rows))
      const body = { feature_service: 'ranking', entities: { document_id: ids }, ...options }
      const path = join(folder, `${index}.json`)
      await Bun.write(path, JSON.stringify(body))
      bodies.push(path)
    }
    const path = options === undefined ? '/get-online-features' : '/v1/features'
    const ready = await askOnce(served, path, accept, bodies[0]!)
    const replyPath = join(folder, 'reply')
    await Bun.write(replyPath, ready)
    contenders.push({ name, path, accept, bodies, replyBytes: ready.length, replyPath })
  }
  return contenders
}

async function askOnce(
  served: Served,
  path: string,
  accept: string,
  bodyPath: string,
): Promise<Uint8Array> {
  const answer = await fetch(served.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: Bun.file(bodyPath),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.bytes()
}

async function measureAll(
  served: Served,
  contenders: readonly Contender[],
  size: Size,
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const contender of contenders) {
    const bare = await serveBare(contender.replyPath)
    try {
      for (const connections of CONNECTIONS[size]) {
        figures.push(...(await measurePair(served, bare, contender, connections, size)))
      }
    } finally {
      await bare.stop()
    }
  }
  return figures
}

async function measurePair(
  served: Served,
  bare: Served,
  contender: Contender,
  connections: number,
  size: Size,
): Promise<Figure[]> {
  const { repeats } = SIZES[size]
  const label = `${contender.name}, ${connections} connection${connections === 1 ? '' : 's'}`
  const ours: Sample[] = []
  const theirs: Sample[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    ours.push(await sample(served, contender, connections, size))
    theirs.push(await sample(bare, contender, connections, size))
  }
  const figures = [figure(`${label}: reply size`, 'bytes', [contender.replyBytes])]
  for (const [who, samples] of [
    ['salver', ours],
    ['bare server', theirs],
  ] as const) {
    figures.push(
      figure(
        `${label}: ${who} requests/s`,
        '1/s',
        samples.map((one) => one.requestsPerSecond),
      ),
      figure(
        `${label}: ${who} CPU a request`,
        'us',
        samples.map((one) => one.cpuUs),
      ),
      figure(
        `${label}: ${who} p50`,
        'us',
        samples.map((one) => one.p50Us),
      ),
      figure(
        `${label}: ${who} p95`,
        'us',
        samples.map((one) => one.p95Us),
      ),
      figure(
        `${label}: ${who} p99`,
        'us',
        samples.map((one) => one.p99Us),
      ),
    )
  }
  figures.push(
    figure(
      `${label}: requests/s, share of the bare server's`,
      'ratio',
      ours.map((one, index) => one.requestsPerSecond / theirs[index]!.requestsPerSecond),
    ),
    figure(
      `${label}: CPU a request over the bare server's`,
      'us',
      ours.map((one, index) => one.cpuUs - theirs[index]!.cpuUs),
    ),
  )
  return figures
}

type Sample = {
  readonly requestsPerSecond: number
  readonly cpuUs: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
}

async function sample(
  served: Served,
  contender: Contender,
  connections: number,
  size: Size,
): Promise<Sample> {
  const { seconds, warmup } = SIZES[size]
  const spec = {
    mode: 'raw' as const,
    url: served.url + contender.path,
    bodies: contender.bodies,
    headers: { 'content-type': 'application/json', accept: contender.accept },
    connections,
    rate: 0,
  }
  if (warmup > 0) await runLoad({ ...spec, seconds: warmup })
  const before = cpuUs(served.pid)
  const report = await runLoad({ ...spec, seconds })
  const used = cpuUs(served.pid) - before
  if (report.errors + report.not2xx > 0) {
    throw new Error(`${contender.name}: ${report.errors} errors, ${report.not2xx} replies not 2xx`)
  }
  return {
    requestsPerSecond: report.requestsPerSecond,
    cpuUs: used / report.requests,
    p50Us: report.p50Us,
    p95Us: report.p95Us,
    p99Us: report.p99Us,
  }
}
