/** The ceiling: a bare Bun server that reads the same body and sends a ready reply of a given size. */
const bytes = Number(process.argv[2])
const reply = new Uint8Array(bytes).fill(120)
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    await request.bytes()
    return new Response(reply.slice(), { headers: { 'content-type': 'application/octet-stream' } })
  },
})
console.log(server.port)
