import { afterAll, describe, expect, test } from 'bun:test'
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import type { Credentials } from '../../../src/store/dynamodb/credentials.ts'
import { DynamoFailure } from '../../../src/store/dynamodb/dynamo-failure.ts'
import { DynamoHttpClient } from '../../../src/store/dynamodb/http-client.ts'
import type { Received } from './signature.ts'
import { isSignedBy } from './signature.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const credentials = (given: Partial<Credentials> = {}): Credentials => ({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: SECRET,
  sessionToken: '',
  expiresMs: Infinity,
  ...given,
})

type Answering = (received: Received) => Response | Promise<Response>

/** A server that keeps what it was sent, and answers as the test says. */
const received: Received[] = []
let answer: Answering = () => Response.json({})
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const { method, headers } = request
    const path = new URL(request.url).pathname
    const one = { method, path, headers, body: await request.bytes() }
    received.push(one)
    return answer(one)
  },
})
const endpoint = `http://127.0.0.1:${server.port}`
afterAll(() => server.stop(true))

const clientOf = (source = async (): Promise<Credentials> => credentials()): DynamoHttpClient =>
  new DynamoHttpClient({ endpoint, region: 'eu-west-1', credentials: source })

const BODY = new TextEncoder().encode('{"RequestItems":{}}')

async function failureOf(call: Promise<unknown>): Promise<DynamoFailure> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof DynamoFailure) return thrown
  throw new Error(`no DynamoFailure but ${Bun.inspect(thrown)}`)
}

const refuse = (status: number, type: string): Answering => {
  return () =>
    Response.json({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'm' }, { status })
}

describe('signing', () => {
  test("the AWS SDK's own request passes the check, and fails it with another secret", async () => {
    answer = () => Response.json({ TableNames: [] })
    const sdk = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials: credentials() })
    await sdk.send(new ListTablesCommand({}))
    const request = received.at(-1)!
    expect(isSignedBy(SECRET, request)).toBe(true)
    expect(isSignedBy('another', request)).toBe(false)
  })

  test('a call is signed, with and without a session token, and names its operation', async () => {
    answer = () => Response.json({ Responses: {} })
    for (const sessionToken of ['', 'FwoGZXIvYXdzE+/=']) {
      const client = clientOf(async () => credentials({ sessionToken }))
      const reply = await client.call('BatchGetItem', BODY, 1000)
      expect(JSON.parse(new TextDecoder().decode(reply))).toEqual({ Responses: {} })
      const request = received.at(-1)!
      expect(isSignedBy(SECRET, request)).toBe(true)
      expect(request.headers.get('x-amz-target')).toBe('DynamoDB_20120810.BatchGetItem')
      expect(request.headers.get('x-amz-security-token')).toBe(sessionToken || null)
      expect(request.body).toEqual(BODY)
    }
  })

  test('credentials are renewed before their end while the old ones sign', async () => {
    answer = () => Response.json({})
    const ends = [Date.now() + 60_000, Infinity]
    let asked = 0
    const client = clientOf(async () => {
      const expiresMs = ends[asked] ?? Infinity
      return credentials({ accessKeyId: `K${asked++}`, expiresMs })
    })
    const keyOf = () =>
      /Credential=(\w+)/.exec(received.at(-1)!.headers.get('authorization') ?? '')?.[1]
    await client.call('BatchGetItem', BODY, 1000)
    expect(keyOf()).toBe('K0')
    await client.call('BatchGetItem', BODY, 1000)
    await client.call('BatchGetItem', BODY, 1000)
    expect(keyOf()).toBe('K1')
    expect(asked).toBe(2)
  })

  test('credentials that were taken back are asked for anew by the next call', async () => {
    let asked = 0
    const client = clientOf(async () => credentials({ accessKeyId: `K${asked++}` }))
    answer = refuse(400, 'ExpiredTokenException')
    expect((await failureOf(client.call('BatchGetItem', BODY, 1000))).kind).toBe('unavailable')
    answer = () => Response.json({})
    await client.call('BatchGetItem', BODY, 1000)
    expect(asked).toBe(2)
  })

  test('no credentials: the call says so', async () => {
    const client = clientOf(() => Promise.reject(new Error('nothing in ~/.aws')))
    const failure = await failureOf(client.call('BatchGetItem', BODY, 1000))
    expect(failure.message).toContain('no credentials to sign with: nothing in ~/.aws')
  })
})

describe('a call without an answer says what kind of failure it is', () => {
  test.each([
    [400, 'ProvisionedThroughputExceededException', 'throttled'],
    [400, 'ThrottlingException', 'throttled'],
    [400, 'ConditionalCheckFailedException', 'condition'],
    [400, 'ResourceNotFoundException', 'refused'],
    [400, 'ValidationException', 'refused'],
    [400, 'AccessDeniedException', 'refused'],
    [500, 'InternalServerError', 'unavailable'],
    [503, 'ServiceUnavailable', 'unavailable'],
  ] as const)('%d %s is %s', async (status, exception, kind) => {
    answer = refuse(status, exception)
    const failure = await failureOf(clientOf().call('PutItem', BODY, 1000))
    expect(failure).toMatchObject({ kind, exception })
    expect(failure.body.length).toBeGreaterThan(0)
  })

  test("a proxy's page, a redirect and a closed port are unavailable or refused, never an answer", async () => {
    answer = () => new Response('<html>bad gateway</html>', { status: 502 })
    const client = clientOf()
    expect(await failureOf(client.call('PutItem', BODY, 1000))).toMatchObject({
      kind: 'unavailable',
      message: 'status 502',
    })
    answer = () => Response.redirect('http://127.0.0.1:1/', 302)
    expect((await failureOf(client.call('PutItem', BODY, 1000))).kind).toBe('unavailable')
    const nowhere = new DynamoHttpClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-west-1',
      credentials: async () => credentials(),
    })
    expect((await failureOf(nowhere.call('PutItem', BODY, 1000))).kind).toBe('unavailable')
    expect(nowhere.tally).toMatchObject({ unavailable: 1, answered: 0 })
    expect(nowhere.lastFailure).not.toBe('')
  })

  test('a call past its time, and one that its caller gives up, end at once', async () => {
    const never = Promise.withResolvers<Response>()
    answer = () => never.promise
    const client = clientOf()
    expect(await failureOf(client.call('BatchGetItem', BODY, 30))).toMatchObject({
      kind: 'unavailable',
      message: 'no answer in time',
    })
    const caller = new AbortController()
    const call = failureOf(client.call('BatchGetItem', BODY, Infinity, caller.signal))
    caller.abort()
    expect((await call).kind).toBe('unavailable')
    const gone = AbortSignal.abort()
    await failureOf(client.call('BatchGetItem', BODY, Infinity, gone))
    expect(client.tally).toEqual({
      answered: 0,
      refused: 0,
      throttled: 0,
      unavailable: 1,
      abandoned: 2,
    })
    never.resolve(new Response())
  })
})
