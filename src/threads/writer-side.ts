/** The writer thread's work: it owns the store's writer, turns bodies into rows and answers its ports. */
import { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { WriteCall, WriteReply } from '../http/write-lane.ts'
import { writeRows } from '../ingest/direct-lane.ts'
import type { JudgingWriter } from '../ingest/store-sink.ts'
import type { StoreStats } from '../store/store.ts'
import type { Asks, AskKind, FromWriter, PreparedCatalog, ToWriter } from './messages.ts'
import { faultToMessage } from './messages.ts'
import { receivedCatalog } from './received-catalog.ts'
import { WriteTables } from './write-tables.ts'

/** The writer of a store whose readers in other threads are kept up to date by messages. */
export interface ServedWriter<Update, Start> extends JudgingWriter {
  /** A reader that starts from what is returned, and is then told of every update, in order. */
  attachReader(post: (update: Update) => void): { readonly reader: number; readonly index: Start }
  acknowledge(reader: number, update: number): void
  stats(): StoreStats
  close(): Promise<void>
}

/** A serving thread, seen from here. */
type Served = { readonly port: MessagePort; readonly reader: number; generation: number }

type Adopting = {
  readonly generation: number
  readonly tables: WriteTables
  readonly done: PromiseWithResolvers<null>
}

type Ask = Exclude<ToWriter, { kind: 'acknowledge' }>
type Answer = Asks[AskKind]['answer']

export class WriterSide<Update, Start> {
  readonly #writer: ServedWriter<Update, Start>
  readonly #futureMarginUs: number
  readonly #served: Served[] = []
  /** What rows are written by. */
  #tables: WriteTables
  #adopting: Adopting | undefined

  static async open<Update, Start>(parts: {
    readonly writer: ServedWriter<Update, Start>
    readonly futureMarginUs: number
    readonly catalog: Catalog
  }): Promise<WriterSide<Update, Start>> {
    const { writer, futureMarginUs, catalog } = parts
    const tables = await WriteTables.open(receivedCatalog(catalog), writer)
    return new WriterSide(writer, futureMarginUs, tables)
  }

  private constructor(
    writer: ServedWriter<Update, Start>,
    futureMarginUs: number,
    tables: WriteTables,
  ) {
    this.#writer = writer
    this.#futureMarginUs = futureMarginUs
    this.#tables = tables
  }

  /** Answers a serving thread from now on. Its reader starts from the index that is returned. */
  serve(port: MessagePort): Start {
    const post = (message: FromWriter<Update>): void => port.postMessage(message)
    const { reader, index } = this.#writer.attachReader((update) =>
      post({ kind: 'update', update }),
    )
    const served: Served = { port, reader, generation: 0 }
    this.#served.push(served)
    port.onmessage = ({ data }: { readonly data: ToWriter }) => this.#receive(served, data)
    return index
  }

  #receive(served: Served, message: ToWriter): void {
    if (message.kind === 'acknowledge') this.#writer.acknowledge(served.reader, message.update)
    else void this.#answer(served, message)
  }

  async #answer(served: Served, message: Ask): Promise<void> {
    const { id } = message
    const post = (told: FromWriter<Update>): void => served.port.postMessage(told)
    try {
      post({ kind: 'answer', id, answer: await this.#do(served, message) })
    } catch (thrown) {
      post(failureOf(id, thrown))
    }
  }

  async #do(served: Served, message: Ask): Promise<Answer> {
    switch (message.kind) {
      case 'write':
        return this.#write(message.ask)
      case 'stats':
        return this.#writer.stats()
      case 'prepare':
        return this.#prepare(message.ask)
      case 'adopt':
        return this.#adopt(served, message.ask)
      case 'close':
        await this.#writer.close()
        return null
    }
  }

  #write(call: WriteCall): Promise<WriteReply> {
    return writeRows(call, {
      ...this.#tables.target(call.view),
      writer: this.#writer,
      futureMarginUs: this.#futureMarginUs,
      nowUs: () => Date.now() * 1000,
    })
  }

  async #prepare({ generation, catalog }: PreparedCatalog): Promise<null> {
    const tables = await WriteTables.open(receivedCatalog(catalog), this.#writer)
    this.#adopting = { generation, tables, done: Promise.withResolvers() }
    return null
  }

  /** The last serving thread to adopt a catalog takes the writer with it. */
  #adopt(served: Served, generation: number): Promise<null> {
    const adopting = this.#adopting
    if (adopting?.generation !== generation) {
      throw new Error(`catalog ${generation} was not prepared`)
    }
    served.generation = generation
    if (this.#served.every((one) => one.generation === generation)) {
      this.#tables = adopting.tables
      adopting.done.resolve(null)
    }
    return adopting.done.promise
  }
}

function failureOf(id: number, thrown: unknown): FromWriter<never> {
  if (thrown instanceof Fault) return { kind: 'fault', id, fault: faultToMessage(thrown) }
  const text = thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown)
  return { kind: 'failure', id, text }
}
