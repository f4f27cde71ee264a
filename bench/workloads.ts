/** Every named workload. */
import type { Workload } from './workload.ts'
import { dynamoCall } from './workloads/dynamo-call.ts'
import { dynamoDeadline } from './workloads/dynamo-deadline.ts'
import { dynamoFeastJson } from './workloads/dynamo-feast-json.ts'
import { dynamoServe } from './workloads/dynamo-serve.ts'
import { dynamoTail } from './workloads/dynamo-tail.ts'
import { dynamoZipf } from './workloads/dynamo-zipf.ts'
import { ingest } from './workloads/ingest.ts'
import { open } from './workloads/open.ts'
import { profile } from './workloads/profile.ts'
import { reply } from './workloads/reply.ts'
import { tail } from './workloads/tail.ts'

export const WORKLOADS: readonly Workload[] = [
  ...[reply, profile, tail, ingest, open],
  ...[dynamoCall, dynamoServe, dynamoFeastJson, dynamoTail, dynamoZipf, dynamoDeadline],
]
