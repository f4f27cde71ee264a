/** The socket of a serving thread, and its end: no new connections, those under way finish. */
import { Fault } from '../base/fault.ts'
import { IDLE_SECONDS_MAX } from '../base/limits.ts'
import { within } from '../base/within.ts'
import type { Connections } from './app-parts.ts'

export type Listener = Connections & {
  readonly url: string
  /** Resolves when every request was answered, or at the bound, when the rest is cut off. */
  drain(msMax: number): Promise<{ readonly cutOff: number }>
}

export type Fetch = (request: Request) => Response | Promise<Response>

/** Throws a Fault where the address can't be had. `fetch` may be called before this returns. */
export function listen(host: string, port: number, fetch: Fetch): Listener {
  const server = startServer(host, port, fetch)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`,
    requestsInFlight: () => server.pendingRequests,
    keepOpen: (request) => server.timeout(request, 0),
    drain: async (msMax) => {
      await within(server.stop(false), msMax)
      const cutOff = server.pendingRequests
      await server.stop(true)
      return { cutOff }
    },
  }
}

function startServer(host: string, port: number, fetch: Fetch): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      fetch,
      development: false,
      idleTimeout: IDLE_SECONDS_MAX,
      // Left out, Bun shares the port with whoever else listens there, and nobody is told.
      reusePort: false,
      // Bodies are bounded route by route, with an answer that says so (read-body.ts).
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    })
  } catch (cause) {
    throw new Fault('usage', `can't listen on ${host}:${port}: ${reasonOf(cause)}`, {
      where: '--host, --port',
      allowed: 'an address of this machine that is free; port 0 takes any free port',
      cause,
    })
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)
