/**
 * What a server is told by signals. SIGTERM and SIGINT: the first asks for an orderly end, the second
 * does not wait for it. SIGHUP: look at the definitions.
 */

/** Exit code of a run that was cut off. */
const CUT_OFF = 1

const STOPPING = ['SIGTERM', 'SIGINT'] as const

export type ServerSignals = {
  /** Resolves with the name of the first signal to stop. */
  readonly stop: Promise<string>
  ignore(): void
}

export function serverSignals(reload: () => void): ServerSignals {
  const { promise, resolve } = Promise.withResolvers<string>()
  let stops = 0
  const stop = (signal: string): void => {
    stops++
    if (stops > 1) process.exit(CUT_OFF)
    resolve(signal)
  }
  for (const signal of STOPPING) process.on(signal, stop)
  process.on('SIGHUP', reload)
  return {
    stop: promise,
    ignore: () => {
      for (const signal of STOPPING) process.off(signal, stop)
      process.off('SIGHUP', reload)
    },
  }
}
