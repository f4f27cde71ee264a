/** Requests by the runtime's fetch: it knows the proxies of HTTP_PROXY and HTTPS_PROXY. */
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
    return { status: response.status, body: await response.bytes() }
  },
})
