import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateProto } from '../../scripts/generate-proto.ts'

test('the generated code is what the schema gives', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'salver-proto-'))
  try {
    const made = await Bun.file(generateProto(folder)).text()
    expect(made).toBe(await Bun.file('src/catalog/feast-registry_pb.ts').text())
  } finally {
    await rm(folder, { recursive: true })
  }
}, 60_000)
