/** Every table of docs/keygen.md, and what native code is held to, is what the model in Python computes. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"

const PAGE = join(import.meta.dirname, "../../docs/keygen.md")
const hasPython = spawnSync("python3", ["--version"]).status === 0
if (!hasPython) process.stdout.write("skipped: python3 is not installed, the figures are not computed anew\n")

function printed(script: string, ...args: string[]): string {
  const run = spawnSync("python3", ["-B", join(import.meta.dirname, "model", script), ...args], {
    encoding: "utf8",
  })
  expect(run.stderr).toBe("")
  return run.stdout
}

test.skipIf(!hasPython)("the page shows what the model computes", () => {
  expect(printed("figures.py", PAGE)).toBe(readFileSync(PAGE, "utf8"))
})

test.skipIf(!hasPython)("the page shows every table of the model", () => {
  const names = (text: string) => [...text.matchAll(/^<!-- figures: (\w+) -->$/gm)].map(([, name]) => name)
  expect(names(readFileSync(PAGE, "utf8")).sort()).toEqual(names(printed("figures.py")).sort())
})

test.skipIf(!hasPython).each(["noise_bounds", "row_deviations"])("%s are the model's", (name) => {
  expect(printed(`${name}.py`)).toBe(readFileSync(join(import.meta.dirname, `${name}.txt`), "utf8"))
})
