import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import { INTEL_ROOT_KEY } from "@twinlock/sdk/attestation/verifyQuote"
import { describe, expect, test } from "vitest"
import { encodeDer, parseDer } from "./derTree.ts"
import { judge } from "./oracle/judge.ts"
import { quoteView } from "./oracle/layout.ts"
import type { Found } from "./planted.ts"
import { assemble, partsOf } from "./quoteParts.ts"
import { createRng } from "./rng.ts"
import { SAMPLES } from "./subjects/realQuotes.ts"
import { collateral, rootKey, SCENARIOS, TIME } from "./world.ts"

const MINUTES = 60_000

/** The fuzzer as the command that runs it: its threads put OpenSSL in place of the SDK's ECDSA. */
function fuzz(...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "main.ts"), ...args],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  )
  return { output: JSON.parse(stdout) as unknown, stderr, status }
}

test(
  "twenty thousand mutants are refused with a code, or accepted where the oracle accepts them",
  () => {
    const { output, stderr, status } = fuzz("--cases", "20000", "--seed", "ci")
    const { cases, findings } = output as { cases: number; findings: readonly object[] }
    expect(findings, stderr).toEqual([])
    expect([cases, status]).toEqual([20_000, 0])
  },
  10 * MINUTES,
)

test(
  "every planted bug is found within twenty thousand cases",
  () => {
    const { output, status } = fuzz("--planted", "--cases", "20000")
    const missed = (output as readonly Found[]).filter(({ foundAt }) => foundAt === null)
    expect(missed).toEqual([])
    expect(status).toBe(0)
  },
  10 * MINUTES,
)

describe("a case", () => {
  test(
    "is named by seed and number alone",
    () => {
      const run = (first: number, cases: number) =>
        fuzz("--seed", "order", "--first", String(first), "--cases", String(cases))
      const tally = (output: unknown) =>
        (output as { outcomes: Record<string, Record<string, number>> }).outcomes
      const sum = new Map<string, number>()
      for (const first of [60, 0])
        for (const [subject, outcomes] of Object.entries(tally(run(first, 60).output)))
          for (const [outcome, count] of Object.entries(outcomes)) {
            const name = `${subject}: ${outcome}`
            sum.set(name, (sum.get(name) ?? 0) + count)
          }
      const whole = Object.entries(tally(run(0, 120).output)).flatMap(([subject, outcomes]) =>
        Object.entries(outcomes).map(([outcome, count]) => [`${subject}: ${outcome}`, count] as const),
      )
      expect(Object.fromEntries(sum)).toEqual(Object.fromEntries(whole))
    },
    2 * MINUTES,
  )

  test("draws other choices than its neighbour", () => {
    const draws = (caseNumber: number) => createRng("seed", caseNumber).bytes(16)
    expect(draws(1)).toEqual(draws(1))
    expect(draws(1)).not.toEqual(draws(2))
  })
})

describe(`what mutants start from (real quotes: ${SAMPLES.length > 0 ? "present" : "skipped, ../shared/attestation-samples is absent"})`, () => {
  test.each(SAMPLES)("real quote %# is good to the oracle", ({ quote, options }) => {
    expect(judge(quote, options, INTEL_ROOT_KEY).kind).toBe("good")
  })

  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    "%s is good to the oracle",
    (_, { quote, options }) => {
      expect(judge(quote, { ...options, collateral }, rootKey.publicKey).kind).toBe("good")
      expect(assemble(partsOf(quote))).toEqual(quote)
      expect(quoteView(quote)?.chain).toHaveLength(3)
      expect(options.time).toBe(TIME)
    },
  )

  test("DER trees keep every byte", () => {
    for (const der of [
      ...parsePemChain(collateral.pck_crl_issuer_chain),
      Buffer.from(collateral.pck_crl, "hex"),
    ]) {
      const [root] = parseDer(der) ?? []
      if (root === undefined) throw new Error("no DER")
      expect(Buffer.from(encodeDer(root)).equals(Buffer.from(der))).toBe(true)
    }
  })
})
