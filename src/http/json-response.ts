/** A value as a JSON reply, labelled as Feast labels its own: without a charset. */
export const jsonResponse = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })
