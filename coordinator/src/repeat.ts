/**
 * Does work again and again, never twice at a time: the pause begins when the work has ended.
 * @returns what ends it
 */
export function repeat(
  work: () => Promise<void>,
  pauseMs: number,
  onError: (error: unknown) => void,
): () => void {
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = () => {
    if (!stopped) timer = setTimeout(() => void work().catch(onError).finally(wait), pauseMs)
  }
  wait()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
