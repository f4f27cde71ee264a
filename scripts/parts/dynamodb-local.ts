/** DynamoDB Local as a real part of tests: fetched from Maven Central once, then started in seconds. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PartMissing, partFolder, partsFolder, programPath, runProgram } from './parts-folder.ts'

const FILES = join(import.meta.dir, 'dynamodb-local')
const LAUNCHER = join(FILES, 'LoopbackDynamo.java')
const POM = join(FILES, 'pom.xml')
/** Java's property that says where the native library lies. */
const NATIVE_FOLDER = ['sqlite4java', 'library', 'path'].join('.')

export type DynamoDbLocal = {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it, and resolves when its port is free. */
  stop(): Promise<void>
  /** The same without giving it time: as a machine that is lost. */
  kill(): Promise<void>
}

/**
 * Starts one in memory, on loopback, on a free port unless one is given, and resolves when it answers.
 * It ends with this process. Rejects with PartMissing where there is no Java, no Maven or no network.
 */
export async function startDynamoDbLocal(
  { port }: { readonly port: number } = { port: 0 },
): Promise<DynamoDbLocal> {
  const java = programPath('java')
  const folder = await fetched()
  const child = Bun.spawn(
    [
      java,
      ...['-Xms64m', '-Xmx1g', '-XX:+UseSerialGC'],
      `-D${NATIVE_FOLDER}=${readFileSync(join(folder, 'native'), 'utf8')}`,
      '-Dlog4j2.level=WARN',
      `@${join(folder, 'class-path')}`,
      'LoopbackDynamo',
      `${port}`,
    ],
    // Its input stays open as long as this process lives.
    { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
  )
  child.unref()
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await child.exited
  }
  const log = new Response(child.stderr).text()
  const taken = await portPrinted(child.stdout)
  if (taken === 0) {
    await end('SIGKILL')
    throw new Error(`DynamoDB Local did not start:\n${await log}`)
  }
  const url = `http://127.0.0.1:${taken}`
  await answered(url)
  return {
    ...{ url, port: taken, pid: child.pid },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** The folder with its class path; a change of the pom or of the launcher makes another. */
async function fetched(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PartMissing('DynamoDB Local: its native library is fetched for Linux on x86-64 only')
  }
  const digest = Bun.hash(readFileSync(POM, 'utf8') + readFileSync(LAUNCHER, 'utf8')).toString(16)
  const name = `dynamodb-local-${digest}`
  return partFolder(name, (draft) => fetch(draft, join(partsFolder(), name)))
}

/** `final` is where the draft will lie: the class path names it. */
async function fetch(draft: string, final: string): Promise<void> {
  const list = join(draft, 'files')
  await runProgram([
    ...[programPath('mvn'), '-B', '-q', '-f', POM],
    `-Dmaven.repo.local=${join(partsFolder(), 'maven')}`,
    ...['dependency:build-classpath', `-Dmdep.outputFile=${list}`],
  ])
  const files = readFileSync(list, 'utf8').trim().split(':')
  const native = files.find((file) => file.endsWith('.so') && file.includes('linux-amd64'))
  if (native === undefined) throw new Error(`${list} names no native library for this machine`)
  const jars = files.filter((file) => file.endsWith('.jar'))
  await runProgram([programPath('javac'), '-cp', jars.join(':'), '-d', draft, LAUNCHER])
  await Bun.write(join(draft, 'native'), dirname(native))
  await Bun.write(join(draft, 'class-path'), `-cp\n"${[final, ...jars].join(':')}"\n`)
}

/** The port that it says it listens on; 0 if it ended without. */
function portPrinted(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  void (async () => {
    const decoder = new TextDecoder()
    let text = ''
    // Read to its end, whatever was found: a full pipe would stop it.
    for await (const chunk of stdout) {
      text += decoder.decode(chunk, { stream: true })
      const found = /^listening (\d+)\n/m.exec(text)
      if (found !== null) resolve(Number(found[1]))
    }
    resolve(0)
  })()
  return promise
}

/** The first call loads the database; whoever comes after finds it quick. */
async function answered(url: string): Promise<void> {
  const { status } = await globalThis.fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization: FAKE_SIGNATURE,
    },
    body: '{}',
  })
  if (status !== 200) throw new Error(`DynamoDB Local answers its first call with ${status}`)
}

/** DynamoDB Local wants to see one, and checks none. */
export const FAKE_SIGNATURE =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, ' +
  'SignedHeaders=host, Signature=0'

if (import.meta.main) {
  const { url } = await startDynamoDbLocal()
  console.log(url)
  // It ends with this process: stay until a signal comes.
  setInterval(() => {}, 2 ** 30)
}
