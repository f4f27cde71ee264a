/** What a promise gives, or undefined where it has not settled by the bound: it goes on unwatched. */
export async function within<T>(promise: Promise<T>, msMax: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(late.resolve, msMax)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
