/** Reads a request's body whole, within a bound of bytes and of time. */
import { Fault } from '../base/fault.ts'

export type BodyBounds = { readonly bytesMax: number; readonly msMax: number }

/** Undefined for a body that comes in chunks. Throws where even the declaration is too large. */
export function declaredBytes(request: Request, bytesMax: number): number | undefined {
  const declared = request.headers.get('content-length')
  if (declared === null) return undefined
  const bytes = Number(declared)
  if (bytes > bytesMax) throw tooLarge(bytesMax)
  return bytes
}

/**
 * The bytes are the caller's own. Rejects with a Fault (`too_large`, `too_slow`, `unsupported_type`),
 * or with what the socket threw when the client went away.
 */
export async function readBody(request: Request, bounds: BodyBounds): Promise<Uint8Array> {
  requirePlain(request)
  const declared = declaredBytes(request, bounds.bytesMax)
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const timer = setTimeout(() => reject(tooSlow(bounds.msMax)), bounds.msMax)
  const bytes = declared === undefined ? readChunks(request, bounds.bytesMax) : request.bytes()
  bytes.then(resolve, reject)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

/** A body without a declared length is counted while it arrives. */
async function readChunks(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0)
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(chunks, bytes)
    bytes += value.length
    chunks.push(value)
    if (bytes <= bytesMax) continue
    await reader.cancel()
    throw tooLarge(bytesMax)
  }
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const body = new Uint8Array(bytes)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.length
  }
  return body
}

function requirePlain(request: Request): void {
  const encoding = request.headers.get('content-encoding')
  if (encoding === null || encoding === 'identity') return
  throw new Fault('unsupported_type', `the body is encoded as ${encoding}`, {
    where: 'header content-encoding',
    allowed: 'a body that is not compressed',
  })
}

const tooLarge = (bytesMax: number): Fault =>
  new Fault('too_large', 'the body is too large', {
    where: 'body',
    allowed: `at most ${bytesMax} bytes`,
  })

const tooSlow = (msMax: number): Fault =>
  new Fault('too_slow', 'the body did not arrive in time', {
    where: 'body',
    allowed: `at most ${msMax} ms`,
  })
