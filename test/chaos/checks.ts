/** What nodes say of themselves and of each other. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"

/** Lines of a node's log that must not be there while nobody lies. */
const ACCUSATIONS = ["parties proven at fault", "an opened value is out of range"]

/** Culprits that a node has counted since it was started. */
export async function culpritsCounted({ member, url }: RunningMember): Promise<readonly string[]> {
  const text = await (await fetch(new URL("/metrics", url), { signal: AbortSignal.timeout(5000) })).text()
  return culpritLines(text).map((line) => `${member.name}: ${line}`)
}

/** Counters of culprits above zero in a text of metrics. */
export function culpritLines(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("twinlock_culprits_total{") && Number(line.split(" ").at(-1)) > 0)
}

/** Log lines in which a node names somebody at fault, over all its restarts. */
export function accusations(logs: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const file = join(logs, `${name}.log`)
    if (!existsSync(file)) return []
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => ACCUSATIONS.some((text) => line.includes(text)))
      .map((line) => `${name}: ${line.slice(0, 300)}`)
  })
}
