/**
 * npm run bench -- NAME [--quick] --json FILE: runs one benchmark and writes [{ name, value, unit, params }]. With
 * `--quick` a benchmark of minutes takes seconds and shows only that it works. `ceremony` has parts and sizes
 * (`--only keygen,crs,network --sizes 4/1,13/4`).
 * Absolute times belong to the machine that ran them.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { parseArgs } from "node:util"
import { attestation } from "./attestation.ts"
import { type CeremonyOptions, ceremony } from "./ceremony.ts"
import { assertSane, type Figure } from "./figure.ts"
import { mainJob } from "./mainJob.ts"
import { sanity } from "./sanity.ts"
import { threshold } from "./threshold.ts"

const BENCHMARKS: Readonly<Record<string, (options: CeremonyOptions) => Promise<readonly Figure[]>>> = {
  main: mainJob,
  attestation,
  ceremony,
  sanity,
  threshold,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    sizes: { type: "string" },
  },
})
const [name] = positionals
const run = name === undefined ? undefined : BENCHMARKS[name]
const { json, ...options } = values
const isPartial = options.only !== undefined || options.sizes !== undefined
if (run === undefined || positionals.length !== 1 || (isPartial && name !== "ceremony")) {
  process.stderr.write(
    `usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")} [--quick] [--json FILE]
       npm run bench -- ceremony [--only keygen,crs,network] [--sizes 4/1,13/4] [--json FILE]\n`,
  )
  process.exit(2)
}
const figures = await run(options)
assertSane(figures)
const text = `${JSON.stringify(figures, null, 2)}\n`
if (json !== undefined) {
  mkdirSync(dirname(json), { recursive: true })
  writeFileSync(json, text)
}
process.stdout.write(text)
process.exit(0)
