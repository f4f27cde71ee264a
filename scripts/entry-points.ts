/** Where the program begins. A Worker that is not listed starts in an executable and does nothing. */

/** The executable's own entry. */
export const MAIN = 'src/main.ts'

/** Files that run in a Worker, each named by `workerEntry(…)` somewhere in src. */
export const WORKERS: readonly string[] = [
  'src/threads/writer-worker.ts',
  'src/threads/dynamo-writer-worker.ts',
]

/** What others import: it is no part of the executable. */
export const CLIENT = 'src/client/salver-client.ts'
