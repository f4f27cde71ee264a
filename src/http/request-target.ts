/**
 * Path and query of a request, cut by hand: without a usable Host header (HTTP/1.0 probes send none)
 * Bun's request.url is the target alone, which `new URL` and Hono's own cut do not take.
 */

export type RequestTarget = {
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
}

export function targetOf(request: Request): RequestTarget {
  const { url } = request
  const start = pathStart(url)
  const hash = url.indexOf('#', start)
  const end = hash === -1 ? url.length : hash
  const mark = url.indexOf('?', start)
  const pathEnd = mark === -1 || mark > end ? end : mark
  return { path: url.slice(start, pathEnd) || '/', query: url.slice(pathEnd, end) }
}

function pathStart(url: string): number {
  if (url.startsWith('/')) return 0
  const authority = url.indexOf('://')
  const start = authority === -1 ? -1 : url.indexOf('/', authority + 3)
  return start === -1 ? url.length : start
}
