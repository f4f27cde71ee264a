/**
 * The readers that look at this store's index and segments, here or in other threads, and how far each
 * has come with the updates. What readers may still look at is kept until all have passed the update
 * that takes it away.
 */
import type { ReaderUpdate } from './shared-index.ts'

type Attached = {
  readonly post: (update: ReaderUpdate) => void
  acknowledged: number
}

/** An update before it has its number. */
export type Change = ReaderUpdate extends infer Update
  ? Update extends { readonly number: number }
    ? Omit<Update, 'number'>
    : never
  : never

export class AttachedReaders {
  readonly #readers = new Map<number, Attached>()
  #lastReader = 0
  #lastUpdate = 0
  #waiting: { readonly number: number; readonly resolve: () => void }[] = []

  /** The reader starts from the state of this moment; `post` gets every update after it, in order. */
  attach(post: (update: ReaderUpdate) => void): number {
    const reader = ++this.#lastReader
    this.#readers.set(reader, { post, acknowledged: this.#lastUpdate })
    return reader
  }

  detach(reader: number): void {
    this.#readers.delete(reader)
    this.#release()
  }

  /** The reader has applied every update up to this one. */
  acknowledge(reader: number, number: number): void {
    const attached = this.#readers.get(reader)
    if (attached !== undefined) attached.acknowledged = Math.max(attached.acknowledged, number)
    this.#release()
  }

  /** Tells every reader; returns the update's number. */
  tell(change: Change): number {
    const number = ++this.#lastUpdate
    for (const { post } of this.#readers.values()) post({ ...change, number })
    return number
  }

  haveAllPassed(number: number): boolean {
    for (const { acknowledged } of this.#readers.values()) if (acknowledged < number) return false
    return true
  }

  /** Resolves when every reader that is still attached has passed the update. */
  async allPassed(number: number): Promise<void> {
    if (this.haveAllPassed(number)) return
    await new Promise<void>((resolve) => this.#waiting.push({ number, resolve }))
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ number }) => !this.haveAllPassed(number))
    for (const { number, resolve } of waiting) if (this.haveAllPassed(number)) resolve()
  }
}
