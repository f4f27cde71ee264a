/** A Feast repository for tests: feature_store.yaml and registry.db, as `feast apply` would leave them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  FeatureViewSchema,
  RegistrySchema,
  SourceType,
} from '../../src/catalog/feast-registry_pb.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'
import { valueType } from '../../src/catalog/value-type.ts'

export type RepoView = {
  readonly name: string
  /** Join key -> type; each has an entity of its own, named after it. None: entityless. */
  readonly keys: Readonly<Record<string, ValueTypeName>>
  readonly features: Readonly<Record<string, ValueTypeName>>
  readonly tags?: Readonly<Record<string, string>>
  /** Seconds; 0 for none. */
  readonly ttl?: number
  /** Above 0 the registry has versioning on. */
  readonly version?: number
  /** Earlier versions, with the features that they had. */
  readonly history?: readonly {
    readonly version: number
    readonly features: RepoView['features']
  }[]
}

export type Repo = {
  readonly project: string
  readonly endpoint: string
  readonly views: readonly RepoView[]
  readonly services?: NonNullable<MessageInitShape<typeof RegistrySchema>['featureServices']>
  /** Further lines of online_store. */
  readonly options?: string
}

/** Writes the folder and returns its path. */
export async function makeFeastRepo(folder: string, repo: Repo): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const versioning = repo.views.some(({ version = 0 }) => version > 0)
  await Bun.write(
    join(folder, 'feature_store.yaml'),
    `project: ${repo.project}
provider: local
registry:
  path: registry.db
  enable_online_feature_view_versioning: ${versioning}
entity_key_serialization_version: 3
online_store:
  type: dynamodb
  region: us-east-1
  endpoint_url: ${repo.endpoint}
${(repo.options ?? '').replace(/^/gm, '  ')}
`,
  )
  await Bun.write(join(folder, 'registry.db'), registry(repo))
  return folder
}

const columns = (types: Readonly<Record<string, ValueTypeName>>) =>
  Object.entries(types).map(([name, type]) => ({ name, valueType: valueType(type).number }))

function viewMessage(project: string, view: RepoView, features = view.features) {
  const isEntityless = Object.keys(view.keys).length === 0
  const keys = isEntityless ? { __dummy_id: 'STRING' as const } : view.keys
  return {
    spec: {
      name: view.name,
      project,
      entities: isEntityless ? ['__dummy'] : Object.keys(keys),
      entityColumns: columns(keys),
      features: columns(features),
      tags: { ...view.tags },
      ttl: { seconds: BigInt(view.ttl ?? 0), nanos: 0 },
      online: true,
      batchSource: {
        type: SourceType.BATCH_FILE,
        name: `${view.name}_source`,
        timestampField: 'event_timestamp',
        fileOptions: { uri: `${view.name}.parquet` },
      },
    },
    meta: { currentVersionNumber: view.version ?? 0 },
  }
}

function registry({ project, views, services }: Repo): Uint8Array {
  const joinKeys = new Map(views.flatMap(({ keys }) => Object.entries(keys)))
  const entities = [...joinKeys].map(([name, type]) => ({
    spec: { name, joinKey: name, project, valueType: valueType(type).number },
  }))
  const records = views.flatMap((view) =>
    (view.history ?? []).map(({ version, features }) => ({
      featureViewName: view.name,
      projectId: project,
      versionNumber: version,
      featureViewType: 'feature_view',
      featureViewProto: toBinary(
        FeatureViewSchema,
        create(FeatureViewSchema, viewMessage(project, view, features)),
      ),
    })),
  )
  return toBinary(
    RegistrySchema,
    create(RegistrySchema, {
      projects: [{ spec: { name: project } }],
      entities,
      featureViews: views.map((view) => viewMessage(project, view)),
      featureServices: services ?? [],
      featureViewVersionHistory: { records },
    }),
  )
}
