/** Where DynamoDB is and who signs: found by the AWS SDK's own rules, which are then out of the way. */
import { Fault } from '../../base/fault.ts'
import type { Credentials, CredentialSource } from './credentials.ts'
import type { DynamoOptions } from './dynamo-options.ts'
import { fetchTransport } from './fetch-transport.ts'
import { DynamoHttpClient } from './http-client.ts'
import { SocketTransport } from './socket-transport.ts'

/** Loads the SDK; what it finds is told as a Fault where there is nothing to sign with. */
export async function openDynamoClient(options: DynamoOptions): Promise<DynamoHttpClient> {
  const { config } = await openSdkClient(options)
  const credentials = sourceOf(config.credentials)
  await credentials(false).catch(refuseWithoutCredentials)
  const endpoint = config.endpointProvider({
    Region: options.region,
    UseFIPS: await config.useFipsEndpoint(),
    UseDualStack: await config.useDualstackEndpoint(),
    ...(options.endpointUrl === '' ? {} : { Endpoint: options.endpointUrl }),
  })
  const { url } = endpoint
  const transport = isProxied(url) ? fetchTransport(url) : new SocketTransport(url)
  return new DynamoHttpClient({
    endpoint: url.href,
    region: options.region,
    credentials,
    transport,
  })
}

/** A proxy that the environment names: NO_PROXY and the rest of its rules are left to fetch. */
function isProxied({ protocol }: URL): boolean {
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  return Boolean(process.env[name] ?? process.env[name.toLowerCase()])
}

/** The SDK's own client, for the rare calls: tables and their tags. */
export async function openSdkClient({ region, endpointUrl }: DynamoOptions) {
  // Loaded where it is needed alone: it takes longer to load than all the rest.
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  return new DynamoDBClient(endpointUrl === '' ? { region } : { region, endpoint: endpointUrl })
}

type SdkCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

const sourceOf =
  (provider: (how?: { forceRefresh: boolean }) => Promise<SdkCredentials>): CredentialSource =>
  async (mustBeNew): Promise<Credentials> => {
    const found = await provider({ forceRefresh: mustBeNew })
    return {
      accessKeyId: found.accessKeyId,
      secretAccessKey: found.secretAccessKey,
      sessionToken: found.sessionToken ?? '',
      expiresMs: found.expiration?.getTime() ?? Infinity,
    }
  }

function refuseWithoutCredentials(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new Fault('usage', `no AWS credentials were found: ${why}`, {
    where: 'AWS_ACCESS_KEY_ID, ~/.aws, the container or the instance',
    allowed: "credentials that the AWS SDK's default chain finds",
    cause,
  })
}
