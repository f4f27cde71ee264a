/** Routes of Feast's server that are not served here: each is answered by what takes its place. */

const INGEST = '`salver ingest batch` loads a batch source'
const WRITE = 'rows are written by POST /v1/write and by `salver ingest batch`'
const VECTORS = 'there is no vector search here'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['/push', WRITE],
  ['/write-to-online-store', WRITE],
  ['/materialize', INGEST],
  ['/materialize-incremental', INGEST],
  ['/search', VECTORS],
  ['/retrieve-online-documents', VECTORS],
  ['/v1/vector_stores', VECTORS],
  ['/chat', 'there is no chat here'],
  ['/mcp', 'there is no MCP here'],
  ['/openapi.json', 'there is no description of this API to fetch'],
  ['/docs', 'there is no description of this API to fetch'],
  ['/redoc', 'there is no description of this API to fetch'],
])

/** undefined for a path that Feast does not know either. */
export function feastNotServed(path: string): string | undefined {
  const [, first = '', second = ''] = path.split('/')
  const reason = REASONS.get(`/${first}`) ?? REASONS.get(`/${first}/${second}`)
  return reason === undefined ? undefined : `${path} is not served: ${reason}`
}
