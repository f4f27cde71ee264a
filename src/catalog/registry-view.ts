/** Feast has three kinds of views whose rows are stored: their messages, in one shape. */
import { fromBinary } from '@bufbuild/protobuf'
import type { Duration } from '@bufbuild/protobuf/wkt'
import type { FeatureView as View } from './catalog.ts'
import type {
  DataSource,
  FeatureSpec,
  FeatureView,
  FeatureViewVersionRecord,
  LabelView,
  Registry,
  StreamFeatureView,
} from './feast-registry_pb.ts'
import {
  FeatureViewSchema,
  LabelViewSchema,
  SourceType,
  StreamFeatureViewSchema,
  ViewState,
} from './feast-registry_pb.ts'

export type RegistryView = {
  readonly kind: View['kind']
  readonly name: string
  readonly project: string
  readonly entities: readonly string[]
  readonly features: readonly FeatureSpec[]
  readonly entityColumns: readonly FeatureSpec[]
  readonly tags: { readonly [key: string]: string }
  readonly ttl: Duration | undefined
  readonly batchSource: DataSource | undefined
  readonly streamSource: DataSource | undefined
  /** Of the view itself: stream views name it beside their source. */
  readonly timestampField: string
  readonly online: boolean
  readonly disabled: boolean
  readonly version: number
  readonly state: ViewState
}

/** In the order in which Feast looks a name up. */
export const storedViews = (registry: Registry): readonly RegistryView[] =>
  [
    ...registry.featureViews.map(fromFeatureView),
    ...registry.streamFeatureViews.map(fromStreamFeatureView),
    ...registry.labelViews.map(fromLabelView),
  ].filter((view) => view !== undefined)

/** Undefined for a kind whose rows are not stored. Throws what the decoder throws. */
export function recordedView(record: FeatureViewVersionRecord): RegistryView | undefined {
  const bytes = record.featureViewProto
  switch (record.featureViewType) {
    case 'feature_view':
      return fromFeatureView(fromBinary(FeatureViewSchema, bytes))
    case 'stream_feature_view':
      return fromStreamFeatureView(fromBinary(StreamFeatureViewSchema, bytes))
    case 'label_view':
      return fromLabelView(fromBinary(LabelViewSchema, bytes))
    default:
      return undefined
  }
}

function fromFeatureView({ spec, meta }: FeatureView): RegistryView | undefined {
  if (spec === undefined) return undefined
  return {
    ...spec,
    kind: 'feature_view',
    ttl: spec.ttl,
    batchSource: spec.batchSource,
    streamSource: spec.streamSource,
    timestampField: '',
    version: meta?.currentVersionNumber ?? 0,
    state: meta?.state ?? ViewState.UNSPECIFIED,
  }
}

function fromStreamFeatureView({ spec, meta }: StreamFeatureView): RegistryView | undefined {
  if (spec === undefined) return undefined
  return {
    ...spec,
    kind: 'stream_feature_view',
    ttl: spec.ttl,
    batchSource: spec.batchSource,
    streamSource: spec.streamSource,
    version: meta?.currentVersionNumber ?? 0,
    state: meta?.state ?? ViewState.UNSPECIFIED,
  }
}

/** A label view has one source, which may be one that is pushed to or read as a stream. */
function fromLabelView({ spec }: LabelView): RegistryView | undefined {
  if (spec === undefined) return undefined
  const isStream = spec.source !== undefined && STREAMS.has(spec.source.type)
  return {
    ...spec,
    kind: 'label_view',
    ttl: spec.ttl,
    batchSource: isStream ? spec.source?.batchSource : spec.source,
    streamSource: isStream ? spec.source : undefined,
    timestampField: '',
    disabled: false,
    version: 0,
    state: ViewState.UNSPECIFIED,
  }
}

const STREAMS: ReadonlySet<SourceType> = new Set([
  SourceType.PUSH_SOURCE,
  SourceType.STREAM_KAFKA,
  SourceType.STREAM_KINESIS,
])
