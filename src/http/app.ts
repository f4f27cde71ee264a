/** The routes of Salver. */
import { Hono } from 'hono'
import { catalogToJson } from '../catalog/describe-catalog.ts'
import { makeFeastAnswering } from './answer-feast.ts'
import { makeReadAnswering } from './answer-read.ts'
import { makeWriteAnswering } from './answer-write.ts'
import type { AppParts } from './app-parts.ts'
import { methodResponse, notFoundResponse, redirectResponse } from './fault-response.ts'
import { jsonResponse } from './json-response.ts'
import { METRICS_TYPE } from './metrics-text.ts'
import { targetOf } from './request-target.ts'
import { probeRoute, workRoute } from './route.ts'
import type { Answering } from './route.ts'

/** Which methods a path knows: asked when none of the routes took a request. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['/get-online-features', 'POST'],
  ['/v1/features', 'POST'],
  ['/v1/write', 'POST'],
  ['/v1/catalog', 'GET'],
  ['/health', 'GET'],
  ['/ready', 'GET'],
  ['/metrics', 'GET'],
])

/** A HEAD is answered as its GET, without the body. */
export function makeApp(parts: AppParts): Hono {
  const app = new Hono({ getPath: (request) => targetOf(request).path })
  app.post(
    '/get-online-features',
    workRoute(parts, '/get-online-features', makeFeastAnswering(parts)),
  )
  app.post('/v1/features', workRoute(parts, '/v1/features', makeReadAnswering(parts)))
  app.post('/v1/write', workRoute(parts, '/v1/write', makeWriteAnswering(parts)))
  app.get('/v1/catalog', workRoute(parts, '/v1/catalog', makeCatalogAnswering(parts)))
  app.get(
    '/health',
    probeRoute(parts, '/health', () => new Response()),
  )
  app.get('/ready', probeRoute(parts, '/ready', makeReadyAnswering(parts)))
  app.get('/metrics', probeRoute(parts, '/metrics', makeMetricsAnswering(parts)))
  app.notFound(probeRoute(parts, 'other', answerOther))
  return app
}

function makeCatalogAnswering(parts: AppParts): Answering {
  return () => jsonResponse(catalogToJson(parts.served().catalog))
}

function makeReadyAnswering(parts: AppParts): Answering {
  return () => {
    const { isReady, reasons, warnings } = parts.readiness
    return jsonResponse({ ready: isReady, reasons, warnings }, isReady ? 200 : 503)
  }
}

function makeMetricsAnswering(parts: AppParts): Answering {
  const headers = new Headers({ 'content-type': METRICS_TYPE })
  return async () => new Response(await parts.metrics(), { headers })
}

function answerOther(request: Request): Response {
  const { path, query } = targetOf(request)
  const methods = METHODS.get(path)
  if (methods !== undefined) return methodResponse(path, methods)
  const bare = path.replace(/\/+$/, '')
  return METHODS.has(bare) ? redirectResponse(bare + query) : notFoundResponse(path)
}
