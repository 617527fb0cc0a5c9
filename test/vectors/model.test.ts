/** An independent slow model in Python reproduces every vector; without Python this is skipped, visibly. */
import { spawnSync } from "node:child_process"
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const FILES = join(import.meta.dirname, "files")
const CHECK = join(import.meta.dirname, "model/check.py")
const hasPython = spawnSync("python3", ["--version"]).status === 0
if (!hasPython)
  process.stdout.write("skipped: python3 is not installed, the model of the vectors is not run\n")

/** The model is slow by design, and the machine may be busy. */
const SLOW_MS = 600_000

const check = (folder: string) => spawnSync("python3", ["-B", CHECK, folder], { encoding: "utf8" })

test.skipIf(!hasPython)("the model agrees with every vector", { timeout: SLOW_MS }, () => {
  const count = readdirSync(FILES).reduce((sum, name) => sum + readdirSync(join(FILES, name)).length, 0)
  const { status, stdout } = check(FILES)
  expect(stdout).toBe(`${count}\n`)
  expect(status).toBe(0)
})

test.skipIf(!hasPython)(
  "the model notices a wrong answer, a wrong code and a wrong culprit",
  { timeout: SLOW_MS },
  async () => {
    const folder = await temporaryFolder("vectors")
    const spoil = (path: string, from: string, to: string) => {
      const text = readFileSync(join(FILES, path), "utf8")
      expect(text).toContain(from)
      writeFileSync(join(folder, path), text.replace(from, to))
    }
    for (const subject of ["ring", "frost", "shamir"])
      cpSync(join(FILES, subject), join(folder, subject), { recursive: true })
    spoil("ring/inverse_of_zero", "RING_NOT_A_UNIT", "RING_LENGTH")
    spoil("frost/one_liar", "culprits: 2", "culprits: 1")
    spoil("shamir/secret_of_one", "secret: ", "secret: 00")
    const { status, stdout } = check(folder)
    expect(status).toBe(1)
    expect(stdout.match(/the model says/g)).toHaveLength(3)
  },
)
