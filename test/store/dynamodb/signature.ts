/** Checks a received request's Signature Version 4 by the published recipe, from the headers it names. */
import { createHash, createHmac } from 'node:crypto'

const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex')

const hmac = (key: Uint8Array | string, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: Uint8Array
}

/** True where the signature is what the secret gives. */
export function isSignedBy(secret: string, { method, path, headers, body }: Received): boolean {
  const authorization = headers.get('authorization') ?? ''
  const [, scope = '', names = '', signature = ''] =
    /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? []
  const lines = names.split(';').map((name) => `${name}:${(headers.get(name) ?? '').trim()}\n`)
  const canonical = [method, path, '', lines.join(''), names, sha256(body)].join('\n')
  const date = headers.get('x-amz-date') ?? ''
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<Uint8Array | string>((last, part) => hmac(last, part), `AWS4${secret}`)
  return hmac(key, text).toString('hex') === signature
}
