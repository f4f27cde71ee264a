/** A Feast repository over the stub's table: what `salver serve` and `feast serve` are both given. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { WireType } from '@bufbuild/protobuf/wire'
import type { FeatureSpec } from '../src/catalog/feast-registry_pb.ts'
import {
  EntitySchema,
  FeatureServiceSchema,
  FeatureSpecSchema,
  FeatureViewSchema,
  ProjectSchema,
  RegistrySchema,
  SourceType,
} from '../src/catalog/feast-registry_pb.ts'
import { valueType } from '../src/catalog/value-type.ts'
import { STUB_FEATURES, STUB_JOIN_KEYS, STUB_VIEW } from './dynamo-stub/stub-items.ts'

export const PROJECT = 'bench'
export const SERVICE = 'ranking'

/** The stub asks for no signature, but a client makes one. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_DEFAULT_REGION: 'us-east-1',
}

/** Writes feature_store.yaml and registry.db; returns the folder. */
export async function makeDynamoRepo(folder: string, endpoint: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  await Bun.write(join(folder, 'feature_store.yaml'), configuration(endpoint))
  await Bun.write(join(folder, 'registry.db'), registry())
  return folder
}

const configuration = (endpoint: string): string => `project: ${PROJECT}
provider: local
registry: registry.db
entity_key_serialization_version: 3
offline_store:
  type: file
online_store:
  type: dynamodb
  region: us-east-1
  endpoint_url: ${endpoint}
`

/** As with the ttl: the meta of a service, a field that serving needs nothing of. */
const EMPTY_META = { no: 2, wireType: WireType.LengthDelimited, data: Uint8Array.of(0) }

function registry(): Uint8Array {
  const features = Array.from({ length: STUB_FEATURES }, (_, at) => column(`f${at}`, 'FLOAT'))
  const [key] = STUB_JOIN_KEYS
  const project = PROJECT
  const entity = { name: 'document', joinKey: key.name, valueType: valueType(key.type).number }
  const view = {
    name: STUB_VIEW,
    project,
    entities: [entity.name],
    features,
    entityColumns: [column(key.name, key.type)],
    online: true,
    // Feast's Go server takes it for granted that there is one; 0 is none.
    ttl: { seconds: 0n, nanos: 0 },
    batchSource: {
      type: SourceType.BATCH_FILE,
      name: 'documents_source',
      timestampField: 'event_timestamp',
      fileOptions: { uri: 'documents.parquet' },
    },
  }
  const service = create(FeatureServiceSchema, {
    spec: {
      name: SERVICE,
      project,
      features: [{ featureViewName: STUB_VIEW, featureColumns: features }],
    },
  })
  service.$unknown = [EMPTY_META]
  return toBinary(
    RegistrySchema,
    create(RegistrySchema, {
      projects: [create(ProjectSchema, { spec: { name: project } })],
      entities: [create(EntitySchema, { spec: { ...entity, project } })],
      featureViews: [create(FeatureViewSchema, { spec: view })],
      featureServices: [service],
    }),
  )
}

const column = (name: string, type: 'FLOAT' | 'INT64'): FeatureSpec =>
  create(FeatureSpecSchema, { name, valueType: valueType(type).number })
