/** What the demonstration did, for people while it runs and for machines when it is over. */
import { readFileSync } from "node:fs"
import { cpus } from "node:os"

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string }

export type ReportJson = {
  readonly ok: boolean
  readonly checks: readonly Check[]
  readonly timings_ms: Readonly<Record<string, number>>
  readonly gas: Readonly<Record<string, number>>
  readonly sizes: Readonly<Record<string, number>>
  readonly versions: Readonly<Record<string, string>>
}

export type Report = {
  /** A heading. */
  section(title: string): void
  /** Runs a step, shows that it runs, and keeps its time under `name`. */
  step<T>(name: string, title: string, run: (progress: (text: string) => void) => Promise<T>): Promise<T>
  check(name: string, ok: boolean, detail: string): void
  note(text: string): void
  timing(name: string, ms: number): void
  gas(name: string, amount: bigint | number): void
  size(name: string, bytes: number): void
  /** The closing summary; true where every check held. */
  finish(): boolean
  toJson(): ReportJson
}

export type ReportOptions = {
  readonly write: (text: string) => void
  /** Whether lines can be overwritten. */
  readonly interactive: boolean
  readonly versions: Readonly<Record<string, string>>
  readonly now: () => number
}

const seconds = (ms: number) => (ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(0)} s`)
const grouped = (value: number) => value.toLocaleString("en-GB")

/** Without a terminal, progress is shown at most so often. */
const QUIET_PROGRESS_MS = 10_000

export function createReport({ write, interactive, versions, now }: ReportOptions): Report {
  const checks: Check[] = []
  const timings = new Map<string, number>()
  const gas = new Map<string, number>()
  const sizes = new Map<string, number>()
  const started = now()
  const line = (text: string) => write(`${interactive ? "\r\x1b[2K" : ""}${text}\n`)

  return {
    section: (title) => line(`\n${title}\n${"─".repeat(title.length)}`),
    note: (text) => line(`    ${text}`),
    timing: (name, ms) => void timings.set(name, Math.round(ms)),
    gas: (name, amount) => void gas.set(name, Number(amount)),
    size: (name, bytes) => void sizes.set(name, bytes),
    async step(name, title, run) {
      const from = now()
      let shown = from
      const progress = (text: string) => {
        if (interactive) return write(`\r\x1b[2K  … ${title}: ${text} (${seconds(now() - from)})`)
        if (now() - shown < QUIET_PROGRESS_MS) return
        shown = now()
        line(`  … ${title}: ${text} (${seconds(now() - from)})`)
      }
      if (interactive) write(`  … ${title}`)
      try {
        const result = await run(progress)
        timings.set(name, Math.round(now() - from))
        line(`  ✓ ${title} (${seconds(now() - from)})`)
        return result
      } catch (error) {
        line(`  ✗ ${title} (${seconds(now() - from)})`)
        throw error
      }
    },
    check(name, ok, detail) {
      checks.push({ name, ok, detail })
      line(`  ${ok ? "✓" : "✗"} ${name}: ${detail}`)
    },
    finish() {
      const failed = checks.filter(({ ok }) => !ok)
      line("\nFigures\n───────")
      for (const [name, ms] of timings) line(`  ${name.padEnd(34)} ${seconds(ms).padStart(12)}`)
      for (const [name, amount] of gas) line(`  ${`gas: ${name}`.padEnd(34)} ${grouped(amount).padStart(12)}`)
      for (const [name, bytes] of sizes)
        line(`  ${`bytes: ${name}`.padEnd(34)} ${grouped(bytes).padStart(12)}`)
      line(
        `\n${checks.length - failed.length} of ${checks.length} checks held, ${seconds(now() - started)} in all`,
      )
      for (const { name, detail } of failed) line(`  ✗ ${name}: ${detail}`)
      return failed.length === 0 && checks.length > 0
    },
    toJson: () => ({
      ok: checks.length > 0 && checks.every(({ ok }) => ok),
      checks,
      timings_ms: Object.fromEntries(timings),
      gas: Object.fromEntries(gas),
      sizes: Object.fromEntries(sizes),
      versions,
    }),
  }
}

/** Versions of what the figures depend on. @param root of the repository. */
export function versionsOf(root: URL): Readonly<Record<string, string>> {
  const version = (path: string) => {
    const file = JSON.parse(readFileSync(new URL(path, root), "utf8")) as { readonly version: string }
    return file.version
  }
  const packageVersion = (name: string) => version(`node_modules/${name}/package.json`)
  return {
    twinlock: version("package.json"),
    node: process.versions.node,
    "node-tfhe": packageVersion("node-tfhe"),
    ethers: packageVersion("ethers"),
    libp2p: packageVersion("libp2p"),
    anvil: packageVersion("@foundry-rs/anvil"),
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
  }
}
