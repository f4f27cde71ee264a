/**
 * Features from 3 million real US flights (npm package vega-datasets), as a nightly job would compute them.
 *
 *   bun scripts/flights-features.ts by-day OUT.parquet
 *   bun scripts/flights-features.ts features OUT_DIR 2001-06-29T18:00:00Z
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { parquetWriteFile } from 'hyparquet-writer'
import { initSync, readParquet } from 'parquet-wasm/esm/parquet_wasm.js'

const HOUR_MS = 3_600_000
const WINDOWS_HOURS = [1, 6, 24] as const

/** A file of an installed package, whether or not the package exports it by name. */
const asset = (path: string) => Bun.file(new URL(`../node_modules/${path}`, import.meta.url))

export type Flights = {
  readonly count: number
  readonly timesMs: Float64Array
  readonly delays: Int32Array
  readonly distances: Int32Array
  /** Number of the flight's airport (its origin) and route in the lists below. */
  readonly airportOf: Uint16Array
  readonly routeOf: Uint16Array
  readonly airports: readonly string[]
  readonly routes: readonly (readonly [origin: string, destination: string])[]
}

export async function readFlights(): Promise<Flights> {
  initSync({ module: await asset('parquet-wasm/esm/parquet_wasm_bg.wasm').arrayBuffer() })
  const file = await asset('vega-datasets/data/flights-3m.parquet').bytes()
  const table = tableFromIPC(readParquet(file).intoIPCStream(), { useBigInt: true })
  const count = table.numRows
  const airports = new Numbering()
  const routes = new Numbering()
  const [airportOf, routeOf] = [new Uint16Array(count), new Uint16Array(count)]
  const origins = table.getChild('origin').toArray() as string[] // utf8 columns come as texts
  const destinations = table.getChild('destination').toArray() as string[]
  for (let row = 0; row < count; row++) {
    airportOf[row] = airports.numberOf(origins[row]!)
    routeOf[row] = routes.numberOf(`${origins[row]} ${destinations[row]}`)
  }
  return {
    count,
    timesMs: Float64Array.from(table.getChild('date').toArray() as number[]),
    delays: toInt32(table.getChild('delay').toArray() as BigInt64Array),
    distances: toInt32(table.getChild('distance').toArray() as BigInt64Array),
    airportOf,
    routeOf,
    airports: airports.names,
    routes: routes.names.map((name) => name.split(' ') as [string, string]),
  }
}

/** The flights as they are, with the day that the third key needs: the file has only a time. */
export function writeFlightsByDay(flights: Flights, path: string): void {
  const days = new Map<number, string>()
  const dayOf = (timeMs: number): string => {
    const day = Math.floor(timeMs / (24 * HOUR_MS))
    let text = days.get(day)
    if (text === undefined) {
      text = new Date(day * 24 * HOUR_MS).toISOString().slice(0, 10)
      days.set(day, text)
    }
    return text
  }
  const rows = Array.from({ length: flights.count }, (_, row) => row)
  parquetWriteFile({
    filename: path,
    columnData: [
      {
        name: 'origin',
        data: rows.map((row) => flights.routes[flights.routeOf[row]!]![0]),
        type: 'STRING',
      },
      {
        name: 'destination',
        data: rows.map((row) => flights.routes[flights.routeOf[row]!]![1]),
        type: 'STRING',
      },
      { name: 'day', data: rows.map((row) => dayOf(flights.timesMs[row]!)), type: 'STRING' },
      { name: 'date', data: rows.map((row) => new Date(flights.timesMs[row]!)), type: 'TIMESTAMP' },
      { name: 'delay', data: BigInt64Array.from(flights.delays, BigInt), type: 'INT64' },
      { name: 'distance', data: BigInt64Array.from(flights.distances, BigInt), type: 'INT64' },
    ],
  })
}

/** Writes `airport-delays.parquet` and `route-delays.parquet` as of a time. */
export function writeFeatures(flights: Flights, folder: string, asOf: Date): void {
  mkdirSync(folder, { recursive: true })
  const airports = summarise(flights, flights.airportOf, flights.airports.length, asOf.getTime())
  const known = airports.keys
  parquetWriteFile({
    filename: join(folder, 'airport-delays.parquet'),
    columnData: [
      { name: 'airport', data: known.map((key) => flights.airports[key]!), type: 'STRING' },
      ...featureColumns(airports, asOf),
    ],
  })
  const routes = summarise(flights, flights.routeOf, flights.routes.length, asOf.getTime())
  parquetWriteFile({
    filename: join(folder, 'route-delays.parquet'),
    columnData: [
      { name: 'origin', data: routes.keys.map((key) => flights.routes[key]![0]), type: 'STRING' },
      {
        name: 'destination',
        data: routes.keys.map((key) => flights.routes[key]![1]),
        type: 'STRING',
      },
      { name: 'distance', data: Float32Array.from(routes.distances), type: 'FLOAT' },
      ...featureColumns(routes, asOf),
    ],
  })
}

type Summary = {
  /** Numbers of the airports or routes that had a flight up to then. */
  readonly keys: readonly number[]
  readonly distances: readonly number[]
  readonly lastDelays: readonly number[]
  /** For each window of WINDOWS_HOURS, for each key, its delays in ascending order. */
  readonly delays: readonly (readonly (readonly number[])[])[]
}

function summarise(
  flights: Flights,
  keyOf: Uint16Array,
  keyCount: number,
  asOfMs: number,
): Summary {
  const lastMs = new Float64Array(keyCount).fill(-Infinity)
  const lastDelay = new Int32Array(keyCount)
  const distance = new Int32Array(keyCount)
  const windows = WINDOWS_HOURS.map(() => Array.from({ length: keyCount }, (): number[] => []))
  for (let row = 0; row < flights.count; row++) {
    const timeMs = flights.timesMs[row]!
    if (timeMs > asOfMs) continue
    const key = keyOf[row]!
    distance[key] = flights.distances[row]!
    if (timeMs >= lastMs[key]!) {
      lastMs[key] = timeMs
      lastDelay[key] = flights.delays[row]!
    }
    WINDOWS_HOURS.forEach((hours, window) => {
      if (timeMs > asOfMs - hours * HOUR_MS) windows[window]![key]!.push(flights.delays[row]!)
    })
  }
  const keys = Array.from({ length: keyCount }, (_, key) => key).filter(
    (key) => lastMs[key]! > -Infinity,
  )
  return {
    keys,
    distances: keys.map((key) => distance[key]!),
    lastDelays: keys.map((key) => lastDelay[key]!),
    delays: windows.map((delays) => keys.map((key) => delays[key]!.sort((a, b) => a - b))),
  }
}

function featureColumns(summary: Summary, asOf: Date) {
  const perWindow = (
    name: string,
    type: 'INT32' | 'FLOAT',
    of: (delays: readonly number[]) => number | null,
  ) =>
    WINDOWS_HOURS.map((hours, window) => ({
      name: `${name}_${hours}h`,
      data: summary.delays[window]!.map(of),
      type,
      nullable: true,
    }))
  return [
    { name: 'as_of', data: summary.keys.map(() => asOf), type: 'TIMESTAMP' as const },
    ...perWindow('flights', 'INT32', (delays) => delays.length),
    ...perWindow('mean_delay', 'FLOAT', mean),
    ...perWindow('p90_delay', 'FLOAT', ninetieth),
    { name: 'last_delay', data: Float32Array.from(summary.lastDelays), type: 'FLOAT' as const },
  ]
}

const mean = (delays: readonly number[]): number | null =>
  delays.length === 0 ? null : delays.reduce((sum, delay) => sum + delay, 0) / delays.length

/** Nearest rank. */
const ninetieth = (ascending: readonly number[]): number | null =>
  ascending[Math.ceil(ascending.length * 0.9) - 1] ?? null

class Numbering {
  readonly names: string[] = []
  readonly #numbers = new Map<string, number>()

  numberOf(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.names.push(name) - 1
      this.#numbers.set(name, number)
    }
    return number
  }
}

const toInt32 = (values: BigInt64Array): Int32Array => Int32Array.from(values, Number)

if (import.meta.main) {
  const [what, out, asOf] = process.argv.slice(2)
  const isTime = asOf !== undefined && !Number.isNaN(Date.parse(asOf))
  if (what === 'by-day' && out !== undefined) writeFlightsByDay(await readFlights(), out)
  else if (what === 'features' && out !== undefined && isTime) {
    writeFeatures(await readFlights(), out, new Date(asOf))
  } else {
    console.error('usage: flights-features.ts by-day OUT.parquet | features OUT_DIR AS_OF')
    process.exit(2)
  }
}
