/** Runs over all items, a few at a time, and answers in their order. After a failure no further one is begun. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const rest = items.entries()
  let failed = false
  const worker = async (): Promise<void> => {
    for (const [i, item] of rest) {
      if (failed) return
      try {
        results[i] = await run(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}
