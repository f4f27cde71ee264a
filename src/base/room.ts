/** A bound on how many things are held at once and on their bytes together, and the queue in front of it. */

export type RoomBounds = { readonly countMax: number; readonly bytesMax: number }

type Waiter = { readonly bytes: number; readonly enter: () => void }

export class Room {
  readonly #bounds: RoomBounds
  #count = 0
  #bytes = 0
  /** First come, first served: smaller ones do not pass by a large one for ever. */
  readonly #waiting: Waiter[] = []

  constructor(bounds: RoomBounds) {
    this.#bounds = bounds
  }

  /** False where there is no room now. Whoever entered leaves again, also on failure. */
  enter(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false
    this.#add(bytes)
    return true
  }

  /** Enters as soon as there is room. */
  async waitToEnter(bytes: number): Promise<void> {
    if (this.enter(bytes)) return
    await new Promise<void>((enter) => this.#waiting.push({ bytes, enter }))
  }

  leave(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#fits(next.bytes)) return
      this.#waiting.shift()
      this.#add(next.bytes)
      next.enter()
    }
  }

  #add(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  /** One that is larger than the room alone is let in alone: its own size is bounded elsewhere. */
  #fits(bytes: number): boolean {
    if (this.#count === 0) return true
    return this.#count < this.#bounds.countMax && this.#bytes + bytes <= this.#bounds.bytesMax
  }
}
