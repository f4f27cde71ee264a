/** Which of the numbers that were handed out for tables are one table's: of other layouts, or projections. */
export class TableNames {
  readonly #numbers = new Map<string, number[]>()
  /** For each number those of its table, where there are several. */
  readonly #rivals: (readonly number[] | undefined)[] = []

  note(name: string, table: number): void {
    if (table === 0) return
    const numbers = this.#numbers.get(name)
    if (numbers === undefined) this.#numbers.set(name, [table])
    else if (!numbers.includes(table)) {
      numbers.push(table)
      for (const number of numbers) this.#rivals[number] = numbers
    }
  }

  numbersOf(name: string): readonly number[] {
    return this.#numbers.get(name) ?? []
  }

  /** Numbers of the same table, its own among them; undefined if it is the only one. */
  rivalsOf(table: number): readonly number[] | undefined {
    return this.#rivals[table]
  }
}
