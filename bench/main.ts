/**
 * npm run bench -- NAME [--quick] --json FILE: runs one benchmark and writes [{ name, value, unit, params }]. With
 * `--quick` a benchmark of minutes takes seconds and shows only that it works.
 * Absolute times belong to the machine that ran them.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { parseArgs } from "node:util"
import { attestation } from "./attestation.ts"
import { assertSane, type Figure } from "./figure.ts"
import { mainJob } from "./mainJob.ts"
import { sanity } from "./sanity.ts"
import { threshold } from "./threshold.ts"

const BENCHMARKS: Readonly<
  Record<string, (options: { readonly quick: boolean }) => Promise<readonly Figure[]>>
> = {
  main: mainJob,
  attestation,
  sanity,
  threshold,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, quick: { type: "boolean", default: false } },
})
const [name] = positionals
const run = name === undefined ? undefined : BENCHMARKS[name]
if (run === undefined || positionals.length !== 1) {
  process.stderr.write(
    `usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")} [--quick] [--json FILE]\n`,
  )
  process.exit(2)
}
const figures = await run({ quick: values.quick })
assertSane(figures)
const text = `${JSON.stringify(figures, null, 2)}\n`
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, text)
}
process.stdout.write(text)
process.exit(0)
