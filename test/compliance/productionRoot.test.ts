/**
 * What production starts cannot accept a simulated platform: the code that could is not in it (docs/attestation.md
 * §1). Looks at whole programs, bundled as they would be packed, not at single imports.
 */
import { join, relative } from "node:path"
import { rolldown } from "rolldown"
import { describe, expect, test } from "vitest"

const root = join(import.meta.dirname, "..", "..")
/** Said by the devnet's root alone. */
const TRACE = "a simulated root is accepted on chain"

type Program = { readonly modules: readonly string[]; readonly code: string }

/** The program that starts at `entry`, with our own sources inside and packages left out. */
async function bundled(entry: string): Promise<Program> {
  const build = await rolldown({
    input: join(root, entry),
    platform: "node",
    external: (id) => !/^(\.|\/|@twinlock\/)/.test(id) || id.endsWith(".node"),
    logLevel: "silent",
  })
  try {
    const { output } = await build.generate({ format: "esm" })
    const chunks = output.filter((part) => part.type === "chunk")
    return {
      modules: chunks.flatMap((chunk) => chunk.moduleIds.map((id) => relative(root, id))),
      code: chunks.map((chunk) => chunk.code).join("\n"),
    }
  } finally {
    await build.close()
  }
}

const foreign = ({ modules }: Program) =>
  modules.filter((id) => /^(devnet|test|bench)\//.test(id) || id.endsWith("attestation/devnetRoot.ts"))

describe("programs of production", () => {
  test.each([
    "node/src/cli/twinlockNode.ts",
    "node/src/cli/twinlock.ts",
    "node/src/crs/updateProgram.ts",
    "coordinator/src/main.ts",
    "sdk/src/attestation/verifyQuote.ts",
  ])("%s holds nothing of the devnet", async (entry) => {
    const program = await bundled(entry)
    expect(program.modules).toContain(entry)
    expect(foreign(program)).toEqual([])
    expect(program.code).not.toContain(TRACE)
  })

  test("the devnet's own node holds both: this test can see them", async () => {
    const program = await bundled("devnet/src/twinlockNode.ts")
    expect(foreign(program)).toContain("sdk/src/attestation/devnetRoot.ts")
    expect(program.code).toContain(TRACE)
  })
})
