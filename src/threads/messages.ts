/**
 * What a serving thread and the writer thread say to each other, over one port for each serving
 * thread. A port keeps order: an update that was posted before an answer is applied before it.
 */
import type { FaultCode } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { WriteCall, WriteReply } from '../http/write-lane.ts'
import type { StoreStats } from '../store/store.ts'

/** What a serving thread asks, and what it is answered. */
export type Asks = {
  write: { readonly ask: WriteCall; readonly answer: WriteReply }
  stats: { readonly ask: null; readonly answer: StoreStats }
  /** Makes the tables and layouts of a catalog durable; it is not yet used for writing. */
  prepare: { readonly ask: PreparedCatalog; readonly answer: null }
  /** This thread answers by the prepared catalog; answered when all do, and the writer with them. */
  adopt: { readonly ask: number; readonly answer: null }
  close: { readonly ask: null; readonly answer: null }
}
export type AskKind = keyof Asks

export type PreparedCatalog = { readonly generation: number; readonly catalog: Catalog }

export type ToWriter =
  | {
      [K in AskKind]: { readonly kind: K; readonly id: number; readonly ask: Asks[K]['ask'] }
    }[AskKind]
  | { readonly kind: 'acknowledge'; readonly update: number }

/** `Update` is what this store's readers have to know before a write is answered. */
export type FromWriter<Update> =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Asks[AskKind]['answer'] }
  | { readonly kind: 'fault'; readonly id: number; readonly fault: FaultMessage }
  /** Not a fault: an error of ours, as text. */
  | { readonly kind: 'failure'; readonly id: number; readonly text: string }
  | { readonly kind: 'update'; readonly update: Update }

/** The first message to the writer thread, with one port for each serving thread. */
export type OpenWriter<Spec> = Spec & { readonly ports: readonly MessagePort[] }

/** The writer thread's answer to it. */
export type WriterOpened<Start> =
  | {
      readonly kind: 'opened'
      /** What the reader of each port starts from. */
      readonly starts: readonly Start[]
      readonly notes: readonly string[]
    }
  | { readonly kind: 'fault'; readonly fault: FaultMessage }

/** A Fault as structured cloning keeps it. */
export type FaultMessage = {
  readonly code: FaultCode
  readonly message: string
  readonly where: string | undefined
  readonly allowed: string | undefined
  readonly faults: readonly FaultMessage[]
}

export const faultToMessage = (fault: Fault): FaultMessage => ({
  code: fault.code,
  message: fault.message,
  where: fault.where,
  allowed: fault.allowed,
  faults: fault.faults.map(faultToMessage),
})

export const faultFromMessage = (told: FaultMessage): Fault =>
  new Fault(told.code, told.message, {
    where: told.where,
    allowed: told.allowed,
    faults: told.faults.map(faultFromMessage),
  })
