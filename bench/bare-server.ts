/** The ceiling: a bare Bun server that reads the same body and sends a ready reply, the bytes of a file. */
const reply = await Bun.file(process.argv[2] ?? '').bytes()
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    await request.bytes()
    return new Response(reply.slice(), { headers: { 'content-type': 'application/octet-stream' } })
  },
})
console.log(server.port)

export {}
