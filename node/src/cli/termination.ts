/** SIGTERM or SIGINT ends the node in order; a second one ends it at once. */

/** Resolves at the first signal. */
export function terminated(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0
    const onSignal = (): void => {
      if (++signals > 1) process.exit(1)
      resolve()
    }
    process.on("SIGTERM", onSignal)
    process.on("SIGINT", onSignal)
  })
}
