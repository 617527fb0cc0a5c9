import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"

const run = (...argv: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "twinlock.ts"), ...argv], { encoding: "utf8" })

describe("twinlock", () => {
  test.each([[[]], [["dance", "x"]], [["judge-evidence", "x"]], [["judge-evidence", "x", "y", "z"]]])(
    "%j prints the usage",
    (argv) => {
      expect(run(...argv)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("usage:") })
    },
  )

  test.each([[["verify-ceremony"]], [["verify-ceremony", "x", "--yaml"]]])("%j prints its usage", (argv) => {
    expect(run(...argv)).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("usage:") })
  })

  test("a transcript that is not there cannot be judged, one that is none is refused", () => {
    expect(run("verify-ceremony", "/nowhere")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("VERIFY_FILE"),
    })
    expect(run("verify-ceremony", import.meta.filename)).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('REFUSED at step "form"'),
    })
  })

  test("evidence without a transcript is refused", () => {
    expect(run("judge-evidence", import.meta.filename, "/nowhere")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ENOENT"),
    })
  })
})
