/**
 * A response that is made after its request's own turn, because its answer had to be waited for. Bun
 * 1.4.5 writes the head of such a one piece by piece, fifteen system calls and as many packets for a
 * reply; a direct stream it gathers into one.
 */
type Headed = {
  readonly status?: number
  readonly headers: Headers | Readonly<Record<string, string>>
}

/** A larger body goes out in chunks, and its stream holds no more of it at once. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024

/** The body is given away. Below the mark of its stream it goes out whole, with its length. */
export const laterResponse = (body: Uint8Array, head: Headed): Response =>
  new Response(
    new ReadableStream(
      {
        type: 'direct',
        pull(controller: ReadableStreamDirectController) {
          controller.write(body as Uint8Array<ArrayBuffer>) // whatever memory it is in, it is copied
          controller.end()
        },
      },
      { highWaterMark: Math.min(body.length + 1, WHOLE_BYTES_MAX) },
    ),
    head,
  )
