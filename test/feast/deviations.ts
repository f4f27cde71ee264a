/**
 * What we answer where Feast's recorded answer is a defect (`known-defect`), or where only its status
 * is binding (`lenient`), and why. `recorded` means: Feast's very words.
 */

export type Deviation = {
  /** Line of the transcript. */
  readonly n: number
  readonly status: number
  readonly body: 'recorded' | { readonly text: string } | { readonly columns: number }
  readonly why: string
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    n: 29,
    status: 200,
    body: {
      text:
        '{"results":[{"values":[1001],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},' +
        '{"values":[1001],"statuses":["PRESENT"],"event_timestamps":["2026-08-20T10:00:00Z"]},' +
        '{"values":[36.6],"statuses":["PRESENT"],"event_timestamps":["2026-08-20T10:00:00Z"]}],' +
        '"metadata":{"feature_names":["driver_id","driver_id","heat"]}}',
    },
    why: 'the same columns; features stand in the asked order, which is random in Feast',
  },
  {
    n: 30,
    status: 422,
    body: { text: `"Feature view 'driver_offline_only' is not served online (online=False)."` },
    why: 'says what is wrong in place of the text of a missing table; the request is at fault',
  },
  {
    n: 34,
    status: 200,
    body: 'recorded',
    why: 'of entity name and join key the later column counts',
  },
  { n: 49, status: 500, body: 'recorded', why: 'names in the asked order, one of the random ones' },
  {
    n: 50,
    status: 200,
    body: {
      text:
        '{"results":[{"values":[1],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},' +
        ['20.5', 'false', '"zone 1"', '20.5', '"zone 1"']
          .map(
            (value) =>
              `{"values":[${value}],"statuses":["PRESENT"],"event_timestamps":["2026-08-20T10:00:00Z"]}`,
          )
          .join(',') +
        '],"metadata":{"feature_names":["zone_no","origin__temp","origin__rain","origin__label","dest__temp","dest__label"]}}',
    },
    why: 'the original name of a renamed key is read as the type that the view declares, and so found',
  },
  { n: 53, status: 200, body: 'recorded', why: 'the same rule, by which Feast finds an INT64 too' },
  { n: 97, status: 500, body: 'recorded', why: "Python's words are as clear as any" },
  { n: 98, status: 500, body: 'recorded', why: "Python's words are as clear as any" },
  { n: 99, status: 500, body: 'recorded', why: 'a list is no key; clients know the text' },
  { n: 100, status: 500, body: 'recorded', why: 'an object is no key; clients know the text' },
  { n: 104, status: 500, body: 'recorded', why: 'null is no key; clients know the text' },
  { n: 105, status: 500, body: 'recorded', why: 'a list is no key; clients know the text' },
  { n: 115, status: 200, body: { columns: 263 }, why: 'our store has no bound of 261 features' },
  { n: 116, status: 200, body: { columns: 271 }, why: 'our store has no bound of 261 features' },
  { n: 213, status: 422, body: 'recorded', why: "the place and words of Python's decoder" },
  { n: 214, status: 422, body: 'recorded', why: "the place and words of Python's decoder" },
  { n: 232, status: 422, body: 'recorded', why: 'what the recorded release of FastAPI answers' },
  { n: 233, status: 422, body: 'recorded', why: 'what the recorded release of FastAPI answers' },
]

/** A reply of one row whose item has its time but none of the features. */
function notFound(driver: number, features: readonly string[]): string {
  const cell =
    '{"values":[null],"statuses":["NOT_FOUND"],"event_timestamps":["2026-08-20T10:00:00Z"]}'
  return oneRow(driver, features, cell)
}

const oneRow = (driver: number, features: readonly string[], cell: string): string =>
  `{"results":[{"values":[${driver}],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},` +
  `${features.map(() => cell).join(',')}],"metadata":{"feature_names":${JSON.stringify(['driver_id', ...features])}}}`

/** Of the items that no row of ours stands for: they are only in DynamoDB. */
export const FOREIGN_DEVIATIONS: readonly Deviation[] = [
  {
    n: 107,
    status: 200,
    body: { text: notFound(2001, ['cnt']) },
    why: 'an item without the asked feature is no fault of the request',
  },
  {
    n: 108,
    status: 200,
    body: {
      text: notFound(2002, [
        ...['conv_rate', 'acc_rate', 'trips', 'cnt'],
        ...['nickname', 'active', 'last_seen', 'blob'],
      ]),
    },
    why: 'an item without values has none of the features',
  },
  {
    n: 112,
    status: 200,
    body: {
      text: oneRow(
        2005,
        ['trips'],
        '{"values":[7],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]}',
      ),
    },
    why: 'an item whose time is NaT keeps its values, and the request its other rows',
  },
  {
    n: 113,
    status: 200,
    body: { text: notFound(2006, ['trips']) },
    why: 'an item of features that the view no longer has is without the asked ones',
  },
]

/** A line that is answered otherwise: its status, and words of the text that says why. */
export type NotServed = { readonly n: number; readonly status: number; readonly says: string }

const ON_DEMAND = "'trip_score' is not served"

/** Lines of the areas misc, materialize, on-demand and on-demand-error. */
export const NOT_SERVED: readonly NotServed[] = [
  { n: 58, status: 422, says: ON_DEMAND },
  { n: 59, status: 422, says: ON_DEMAND },
  { n: 60, status: 422, says: "'svc_ondemand' is not served" },
  { n: 61, status: 422, says: ON_DEMAND },
  { n: 62, status: 422, says: ON_DEMAND },
  { n: 63, status: 422, says: ON_DEMAND },
  // A probe by HEAD is as good as one by GET.
  { n: 191, status: 200, says: '' },
  { n: 194, status: 404, says: '/push is not served' },
  { n: 195, status: 404, says: '/write-to-online-store is not served' },
  { n: 202, status: 404, says: '/openapi.json is not served' },
  { n: 203, status: 404, says: '/docs is not served' },
  { n: 204, status: 404, says: '/redoc is not served' },
  { n: 205, status: 404, says: '/chat is not served' },
  { n: 206, status: 404, says: '/chat is not served' },
  { n: 207, status: 404, says: '/v1/vector_stores is not served' },
  { n: 208, status: 404, says: '/v1/vector_stores/vs_000000000000000000000000 is not served' },
  { n: 209, status: 404, says: 'there is no vector search here' },
  // Feast has its metrics on a port of their own.
  { n: 210, status: 200, says: 'salver_requests_total' },
  { n: 211, status: 404, says: '/search is not served' },
  { n: 212, status: 404, says: '/retrieve-online-documents is not served' },
  { n: 241, status: 404, says: '/materialize is not served' },
  { n: 242, status: 404, says: '/materialize is not served' },
  { n: 243, status: 404, says: '/materialize is not served' },
  { n: 244, status: 404, says: '/materialize-incremental is not served' },
]
