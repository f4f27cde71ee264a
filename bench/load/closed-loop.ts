/** Closed loop by autocannon; percentiles from its response events, for it has no p95 and rounds to ms. */
import autocannon from 'autocannon'
import { Histogram } from '../histogram.ts'
import type { LoadReport, LoadSpec } from './load-spec.ts'

const NOT_MEASURED = new Histogram().percentiles()

export async function runClosedLoop(spec: LoadSpec): Promise<LoadReport> {
  const histogram = new Histogram()
  const bodies = await Promise.all(
    spec.bodies.map(async (path) => Buffer.from(await Bun.file(path).bytes())),
  )
  let not2xx = 0
  let replyBytes = 0
  const started = performance.now()
  const outcome = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: spec.url,
        method: 'POST',
        headers: { ...spec.headers },
        connections: spec.connections,
        duration: spec.seconds,
        requests: bodies.map((body) => ({ method: 'POST' as const, body })),
      },
      (error: Error | null, result) => (error ? reject(error) : resolve(result)),
    )
    instance.on('response', (_client, status, bytes, milliseconds) => {
      histogram.record(milliseconds * 1000)
      replyBytes += bytes
      if (status < 200 || status > 299) not2xx++
    })
  })
  const seconds = (performance.now() - started) / 1000
  const percentiles = histogram.percentiles()
  return {
    ...percentiles,
    requests: percentiles.count,
    seconds,
    requestsPerSecond: percentiles.count / seconds,
    errors: outcome.errors + outcome.timeouts,
    not2xx,
    replyBytes: replyBytes / Math.max(1, percentiles.count),
    sentLateP99Us: 0,
    readLate: NOT_MEASURED,
    pastDeadline: NOT_MEASURED,
    pastDeadlineShare: 0,
  }
}
