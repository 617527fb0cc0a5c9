/** Waiting for another process: bounded, with a reason when it was in vain. */

export type WaitOptions = {
  readonly what: string
  readonly timeoutMs: number
  readonly everyMs?: number
  readonly signal?: AbortSignal
}

/** Asks until the answer is neither null nor false nor an exception. @throws Error naming `what` and the last reason. */
export async function waitFor<T>(
  ask: () => Promise<T | null | false>,
  { what, timeoutMs, everyMs = 200, signal }: WaitOptions,
): Promise<T> {
  const end = Date.now() + timeoutMs
  let last: unknown = "no answer yet"
  while (Date.now() < end) {
    signal?.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== null && answer !== false) return answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  throw new Error(
    `waited ${Math.round(timeoutMs / 1000)} s for ${what}: ${last instanceof Error ? last.message : String(last)}`,
  )
}
