import { spawnSync } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import type { BlameFile } from "../ceremony/blame/blameFile.ts"
import { nativeBlameFile } from "../ceremony/blame/nativeFile.fixture.ts"
import type { Blame } from "../ceremony/blame/replay.ts"
import { PARTIES, PROPOSAL } from "../ceremony/party.fixture.ts"
import { describeBlame } from "./blameText.ts"

const run = (...argv: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "twinlock.ts"), "blame", ...argv], {
    encoding: "utf8",
  })

async function kept(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "blame-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, "key.blame")
  await writeFile(path, bytes)
  return path
}

describe("twinlock blame", () => {
  test("prints who lied and where", async () => {
    const path = await kept(await nativeBlameFile())
    const { status, stdout } = run(path)
    expect(status).toBe(0)
    expect(stdout).toContain(`party 3 (${PARTIES[2]?.address}) LIED`)
    expect(stdout).toContain("round prss-commit")
    const json = run(path, "--json")
    expect(JSON.parse(json.stdout)).toMatchObject({ liars: [{ party: 3 }], withheld: [], honest: ["hello"] })
  })

  test("prints who withheld its root", async () => {
    const { status, stdout } = run(await kept(await nativeBlameFile([1, 2, 4])))
    expect([status, stdout]).toEqual([0, expect.stringContaining("WITHHELD")])
    expect(stdout).not.toContain("LIED")
  })

  test("refuses what is no blame file", async () => {
    expect(run(await kept(new Uint8Array(100)))).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("BLAME_FORM"),
    })
    expect(run("/nowhere")).toMatchObject({ status: 1, stdout: "" })
  })
})

describe("what a replay found, as text", () => {
  const file = { failed: { keyId: "0x01", proposal: PROPOSAL } } as unknown as BlameFile
  const none: Blame = { liars: [], withheld: [], disputed: [], honest: ["hello"], check: null }
  const party = 2 as never

  test.each([
    [none, /NOBODY LIED/],
    [{ ...none, check: "KEYGEN_ROW_MAXIMUM" }, /KEYGEN_ROW_MAXIMUM fails although all messages are right/],
    [{ ...none, liars: [{ party, lie: { kind: "root" } }] }, /party 2 .* LIED: the root/],
    [
      { ...none, liars: [{ party, lie: { kind: "sealed", round: "inputs", to: party } }] },
      /to party 2 in round inputs/,
    ],
    [
      { ...none, liars: [{ party, lie: { kind: "contribution", chunk: 7, part: "cpk" } }] },
      /chunk 7, of the cpk/,
    ],
    [{ ...none, disputed: [{ party, lie: { kind: "sum", chunk: 7, part: "cpk" } }] }, /IN DISPUTE/],
    [{ ...none, honest: [], withheld: [party] }, /no round could be replayed to its end\n.*WITHHELD/],
  ] as readonly (readonly [Blame, RegExp])[])("%#", (blame, text) => {
    expect(describeBlame(file, blame)).toMatch(text)
  })
})
