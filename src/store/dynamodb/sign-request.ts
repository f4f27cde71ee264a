/** AWS Signature Version 4 for DynamoDB's one kind of request: POST / with a JSON body. */
import type { Credentials } from './credentials.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const SERVICE = 'dynamodb'
const CONTENT_TYPE = 'application/x-amz-json-1.0'

export type SignedHeaders = { readonly [name: string]: string }

/** Signs for one endpoint and region; the signing key is made once a day for each credentials. */
export class RequestSigner {
  readonly #host: string
  readonly #region: string
  #credentials: Credentials | undefined
  #day = ''
  #signing: Bun.CryptoHasher | undefined

  /** `host` as the Host header will say it: with the port where it is not the scheme's own. */
  constructor(host: string, region: string) {
    this.#host = host
    this.#region = region
  }

  /** `target` such as `DynamoDB_20120810.BatchGetItem`. */
  sign(target: string, body: Uint8Array, credentials: Credentials, nowMs: number): SignedHeaders {
    const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const day = time.slice(0, 8)
    const { sessionToken: token, accessKeyId } = credentials
    const names = `content-type;host;x-amz-date;${token === '' ? '' : 'x-amz-security-token;'}x-amz-target`
    const tokenLine = token === '' ? '' : `x-amz-security-token:${token}\n`
    const canonical =
      `POST\n/\n\ncontent-type:${CONTENT_TYPE}\nhost:${this.#host}\nx-amz-date:${time}\n${tokenLine}` +
      `x-amz-target:${target}\n\n${names}\n${Bun.SHA256.hash(body, 'hex')}`
    const scope = `${day}/${this.#region}/${SERVICE}/aws4_request`
    const text = `${ALGORITHM}\n${time}\n${scope}\n${Bun.SHA256.hash(canonical, 'hex')}`
    const signature = this.#signingKey(credentials, day).copy().update(text).digest('hex')
    const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
    const headers = {
      'content-type': CONTENT_TYPE,
      'x-amz-date': time,
      'x-amz-target': target,
      // A compressed reply would have to be inflated: 123 KB take longer than they take to arrive.
      'accept-encoding': 'identity',
      authorization,
    }
    return token === '' ? headers : { ...headers, 'x-amz-security-token': token }
  }

  #signingKey(credentials: Credentials, day: string): Bun.CryptoHasher {
    if (this.#signing !== undefined && this.#credentials === credentials && this.#day === day) {
      return this.#signing
    }
    const steps = [day, this.#region, SERVICE, 'aws4_request']
    const first = new TextEncoder().encode(`AWS4${credentials.secretAccessKey}`)
    const key = steps.reduce<Uint8Array>(
      (secret, step) => hmac(secret).update(step).digest(),
      first,
    )
    this.#credentials = credentials
    this.#day = day
    this.#signing = hmac(key)
    return this.#signing
  }
}

const hmac = (key: Uint8Array): Bun.CryptoHasher => new Bun.CryptoHasher('sha256', key)
