/**
 * Who waits for which flight: for each flight a list of links, each to one place of one waiter. All in
 * packed arrays, for there is one link for every key of every request under way.
 */
import { grown } from '../../base/grown.ts'

export const NONE = -1

export class WaitLists {
  /** For each flight its first link, or NONE. */
  heads = new Int32Array(0)
  /** For each link: the waiter's number, the place in its batch, and the flight. */
  waiters = new Int32Array(0)
  places = new Int32Array(0)
  flights = new Int32Array(0)
  #next = new Int32Array(0)
  #before = new Int32Array(0)
  /** First of the unused links, chained by `#next`. */
  #unused = NONE

  /** Room for flights below `count`. */
  growFlights(count: number): void {
    const flights = this.heads.length
    this.heads = grown(this.heads, new Int32Array(count))
    this.heads.fill(NONE, flights)
  }

  add(flight: number, waiter: number, place: number): number {
    if (this.#unused === NONE) this.#growLinks(Math.max(this.#next.length * 2, 1024))
    const link = this.#unused
    this.#unused = this.#next[link]!
    const head = this.heads[flight]!
    this.#next[link] = head
    this.#before[link] = NONE
    if (head !== NONE) this.#before[head] = link
    this.heads[flight] = link
    this.waiters[link] = waiter
    this.places[link] = place
    this.flights[link] = flight
    return link
  }

  remove(link: number): void {
    const next = this.#next[link]!
    const before = this.#before[link]!
    if (next !== NONE) this.#before[next] = before
    if (before !== NONE) this.#next[before] = next
    else this.heads[this.flights[link]!] = next
    this.#next[link] = this.#unused
    this.#unused = link
  }

  /** True where nobody but this waiter waits for the flight. */
  isOnly(flight: number, waiter: number): boolean {
    const head = this.heads[flight]!
    return head !== NONE && this.waiters[head] === waiter && this.#next[head] === NONE
  }

  /** The links of flight `from` are those of flight `to`, which has none yet. */
  move(from: number, to: number): void {
    const head = this.heads[from]!
    this.heads[from] = NONE
    this.heads[to] = head
    for (let link = head; link !== NONE; link = this.#next[link]!) this.flights[link] = to
  }

  #growLinks(count: number): void {
    const links = this.#next.length
    this.waiters = grown(this.waiters, new Int32Array(count))
    this.places = grown(this.places, new Int32Array(count))
    this.flights = grown(this.flights, new Int32Array(count))
    this.#next = grown(this.#next, new Int32Array(count))
    this.#before = grown(this.#before, new Int32Array(count))
    for (let link = links; link < count - 1; link++) this.#next[link] = link + 1
    this.#next[count - 1] = this.#unused
    this.#unused = links
  }
}
