/** Requests by the runtime's fetch: it knows the proxies of HTTP_PROXY and HTTPS_PROXY. */
import { STORE_REPLY_BYTES_MAX } from '../../base/limits.ts'
import type { HttpTransport } from './http-transport.ts'

export const fetchTransport = (url: URL): HttpTransport => ({
  post: async (headers, body, signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: body as Uint8Array<ArrayBuffer>, // fetch copies it, whatever memory it is in
      signal,
      redirect: 'manual',
    })
    const announced = Number(response.headers.get('content-length') ?? 0)
    if (announced > STORE_REPLY_BYTES_MAX) throw new Error(`a reply of ${announced} bytes`)
    return { status: response.status, body: await response.bytes() }
  },
})
