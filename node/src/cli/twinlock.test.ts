import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"

const run = (...argv: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "twinlock.ts"), ...argv], { encoding: "utf8" })

describe("twinlock", () => {
  test.each([
    [[]],
    [["verify-ceremony"]],
    [["dance", "x"]],
    [["verify-ceremony", "x", "--yaml"]],
    [["judge-evidence", "x"]],
    [["judge-evidence", "x", "y", "z"]],
  ])("%j prints the usage", (argv) => {
    expect(run(...argv)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("usage:") })
  })

  test.each([
    ["a file that is not there", "/nowhere", "ENOENT"],
    ["a file that is no bundle", import.meta.filename, "BUNDLE_"],
  ])("%s is refused", (_name, file, reason) => {
    expect(run("verify-ceremony", file)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(new RegExp(`${reason}|CODEC_`)),
    })
  })

  test("evidence without a transcript is refused", () => {
    expect(run("judge-evidence", import.meta.filename, "/nowhere")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ENOENT"),
    })
  })
})
