/** Requests by the runtime's fetch: it knows the proxies of HTTP_PROXY and HTTPS_PROXY. */
import { STORE_REPLY_BYTES_MAX } from '../../base/limits.ts'
import type { HttpTransport } from './http-transport.ts'

/** What a timer can be set to. */
const TIMER_MS_MAX = 2 ** 31 - 1

export const fetchTransport = (url: URL): HttpTransport => ({
  post: async (headers, body, msMax, signal) => {
    const late = AbortSignal.timeout(Math.min(msMax, TIMER_MS_MAX))
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: body as Uint8Array<ArrayBuffer>, // fetch copies it, whatever memory it is in
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
      redirect: 'manual',
    })
    const announced = Number(response.headers.get('content-length') ?? 0)
    if (announced > STORE_REPLY_BYTES_MAX) throw new Error(`a reply of ${announced} bytes`)
    return { status: response.status, body: await response.bytes() }
  },
})
