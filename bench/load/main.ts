/** A load generator in its own process, so that it can be pinned to its own core. */
import { runClosedLoop } from './closed-loop.ts'
import type { LoadSpec } from './load-spec.ts'
import { runOpenLoop } from './open-loop.ts'

const spec = JSON.parse(await Bun.stdin.text()) as LoadSpec // written by run-load.ts
const report = await (spec.mode === 'closed' ? runClosedLoop(spec) : runOpenLoop(spec))
process.stdout.write(JSON.stringify(report), () => process.exit(0))
