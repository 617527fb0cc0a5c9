/** What a keyholder's log tells of its ceremony. */
export type RoundTime = { readonly name: string; readonly seconds: number }

type Entry = { readonly time: string; readonly msg: string; readonly [field: string]: unknown }

function* entries(log: string): Generator<Entry> {
  for (const line of log.split("\n")) {
    if (!line.startsWith("{")) continue
    try {
      yield JSON.parse(line) as Entry
    } catch {
      // The last line may be half written.
    }
  }
}

export const hasFinished = (log: string): boolean =>
  [...entries(log)].some(({ msg }) => msg === "ceremony finished")

/** Every round with its time, once the ceremony has finished. */
export function roundTimes(log: string): readonly RoundTime[] {
  const begun = [...entries(log)].filter(({ msg }) => msg === "ceremony round" || msg === "ceremony finished")
  return begun.slice(0, -1).map(({ time, ["round"]: name }, at) => ({
    name: String(name),
    seconds: (Date.parse(begun[at + 1]?.time ?? time) - Date.parse(time)) / 1000,
  }))
}

/** Why it was aborted; null where it was not. */
export function abortCause(log: string): string | null {
  for (const { msg, ["check"]: check, ["round"]: round, ["message"]: message } of entries(log))
    if (msg === "ceremony aborted") return `${check} in round ${round}: ${message}`
  return null
}
