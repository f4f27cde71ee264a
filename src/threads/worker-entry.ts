/** Where a Worker's file is. scripts/entry-points.ts lists each, or an executable would not hold it. */

/** In an executable the files lie under a root of their own, each entry as its own bundle. */
const BUNDLED = /^(?:\/\$bunfs|[A-Z]:[/\\]~BUN)[/\\]/

export const workerEntry = (name: string): string | URL =>
  BUNDLED.test(import.meta.dir) ? `./threads/${name}.js` : new URL(`./${name}.ts`, import.meta.url)
