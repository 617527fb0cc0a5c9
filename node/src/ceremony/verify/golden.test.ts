/**
 * A transcript that was made once holds for ever: its bytes are in the repository. If this fails, old transcripts of real
 * keys fail, too: the format needs another version then. Only before a first release, make a new one:
 * node node/src/ceremony/verify/writeGolden.fixture.ts
 */
import { readFileSync } from "node:fs"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { rootKey } from "../../roles/standing.fixture.ts"
import { decodeBundle } from "../bundle.ts"
import { auditGolden, BITS, makeGolden } from "./golden.fixture.ts"
import { createNativeAudit } from "./nativeAudit.ts"
import { openTranscript } from "./transcript.ts"

const golden = readFileSync(new URL("golden/v2.bundle", import.meta.url))
const facts = JSON.parse(readFileSync(new URL("golden/v2.json", import.meta.url), "utf8"))

/** Steps that need something from outside. */
const OUTSIDE = ["policy", "published", "chain"]

async function expectToHold(bundle: Uint8Array, root: Uint8Array): Promise<void> {
  const { verdict, steps } = await auditGolden(bundle, root)
  expect(steps.filter(({ status }) => status !== "passed").map(({ id }) => id)).toEqual(OUTSIDE)
  expect(verdict).toBe("holds-as-written")
}

describe("the golden transcript", () => {
  test("holds", async () => {
    await expectToHold(golden, fromHex(facts.rootKey))
  }, 120_000)

  test("names the key and the seed that it always named", () => {
    const bundle = decodeBundle(golden)
    const { transcriptDigest } = bundle.signed.activation
    const publicSeed = toHex(createNativeAudit(BITS).publicSeed(openTranscript(bundle)))
    expect({ keyId: bundle.keyId, transcriptDigest, publicSeed, rootKey: facts.rootKey }).toEqual(facts)
  })

  test("is like one that is made today", async () => {
    await expectToHold(await makeGolden(), rootKey)
  }, 240_000)
})
