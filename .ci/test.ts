/**
 * The tests of the whole project: vitest (unit, then slow and end to end), forge, cargo. Prints one summed line
 * and leaves the counts in .cache/ci/tests.json. Usage: node .ci/test.ts [--fast]  (--fast leaves out `slow`)
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseCargo, parseForge, parseVitest, type Tally } from "./tally.ts"

const root = join(dirname(import.meta.filename), "..")
const cache = join(root, ".cache", "ci")
const fast = process.argv.includes("--fast")

type Outcome = { readonly tally: Tally; readonly status: number }

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function vitest(project: string): Outcome {
  const report = join(cache, `vitest-${project}.json`)
  rmSync(report, { force: true })
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      ...["run", "--config", ".ci/vitest.config.ts", "--project", project],
      ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ],
    { cwd: root, stdio: "inherit" },
  )
  const text = existsSync(report) ? readFileSync(report, "utf8") : ""
  return { tally: parseVitest(text), status: status ?? 1 }
}

function forge(): Outcome {
  const result = spawnSync(process.execPath, [join(root, "contracts", "forge.mjs"), "test", "--json"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  })
  const tally = parseForge(result.stdout ?? "")
  for (const failure of tally.failures) say(`  failed: ${failure}`)
  return { tally, status: result.status ?? 1 }
}

function cargo(): Outcome {
  const result = spawnSync("cargo", ["test", "--release", "--locked"], {
    cwd: join(root, "node", "native"),
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "inherit"],
  })
  process.stdout.write(result.stdout ?? "")
  return { tally: parseCargo(result.stdout ?? ""), status: result.status ?? 1 }
}

const runners: readonly (readonly [string, () => Outcome])[] = [
  ["vitest, unit", () => vitest("unit")],
  ["forge", forge],
  ["cargo", cargo],
  ...(fast ? [] : [["vitest, slow and end to end", () => vitest("slow")] as const]),
]

mkdirSync(cache, { recursive: true })
const total = { passed: 0, failed: 0, skipped: 0 }
for (const [name, run] of runners) {
  say(`\n== ${name}`)
  const { tally, status } = run()
  // A runner that ran nothing, or fails without naming a test, is one failure.
  const broken = tally.passed + tally.failed === 0 || (status !== 0 && tally.failed === 0)
  const failed = tally.failed + (broken ? 1 : 0)
  say(
    `== ${name}: ${tally.passed} passed, ${failed} failed, ${tally.skipped} skipped${broken ? " (the runner itself failed)" : ""}`,
  )
  total.passed += tally.passed
  total.failed += failed
  total.skipped += tally.skipped
}
writeFileSync(join(cache, "tests.json"), JSON.stringify(total))
say(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
