/** An independent slow model in Python reproduces every vector. Without Python this is skipped, visibly; .ci/run fails. */
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { temporaryFolder } from "../support/temporaryFolder.ts"
import { SUBJECTS } from "./all.ts"

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

/** Answers that nobody gives, at least one of each subject: [vector, key of the line, what it then says]. */
const SPOILED: readonly (readonly [path: string, key: string, value: string])[] = [
  ["codec/announcement", "digest", "00".repeat(32)],
  ["codec/kind_0", "expect", "success"],
  ["eip712/approval_1", "structHash", "00".repeat(32)],
  ["eip712/endorsed_batch_1", "digest", "00".repeat(32)],
  ["frost/one_liar", "culprits", "1"],
  ["frost/quorum_of_4", "s", "00".repeat(32)],
  ["merkle/tree_of_2_leaf_1", "root", "00".repeat(32)],
  ["merkle/walk_of_padding", "expect", "MERKLE_INDEX"],
  ["names/fresh_quote_binding_1", "result", "00".repeat(32)],
  ["names/key_id_1", "result", "00".repeat(32)],
  ["reconstruct/two_liars_n7_t2", "state", "waiting"],
  ["reconstruct/share_cut_short", "culprits", "1"],
  ["ring/inverse_of_zero", "expect", "RING_LENGTH"],
  ["ring/product_random_1", "result", "00".repeat(64)],
  ["sealed_share/flipped_tag", "expect", "success"],
  ["sealed_share/one_block", "share", "00".repeat(64)],
  ["shamir/secret_of_one", "secret", "00".repeat(64)],
  ["share/mask_n4_t1_party_1", "share", "00".repeat(128)],
]

test("an answer of every subject is spoiled below", () => {
  const spoiled = SPOILED.map(([path]) => path.slice(0, path.indexOf("/")))
  expect([...new Set(spoiled)].sort()).toEqual(SUBJECTS.map(({ name }) => name).sort())
})

test.skipIf(!hasPython)(
  "the model notices wrong answers, codes and culprits of every subject",
  { timeout: SLOW_MS },
  async () => {
    const folder = await temporaryFolder("vectors")
    for (const [path, key, value] of SPOILED) {
      const text = readFileSync(join(FILES, path), "utf8")
      const spoiled = text.replace(new RegExp(`^${key}: .*$`, "m"), `${key}: ${value}`)
      expect(spoiled, path).not.toBe(text)
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), spoiled)
    }
    const { status, stdout } = check(folder)
    const noticed = [...stdout.matchAll(/^(.*): want .* the model says/gm)].map(([, path = ""]) => path)
    expect(noticed).toEqual(SPOILED.map(([path]) => join(folder, path)).sort())
    expect(status).toBe(1)
  },
)
