import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import type { BlockRef, NodeRecord } from "../chain/chainView.ts"
import { createStandingEvidence } from "./standingEvidence.ts"

const signer = parseAddress(`0x${"51".repeat(20)}`)
const registry = parseAddress(`0x${"1e".repeat(20)}`)
const record: NodeRecord = {
  signer,
  operator: parseAddress(`0x${"0a".repeat(20)}`),
  role: "keyholder",
  peerIdHash: taggedHash("peer"),
  configHash: taggedHash("config"),
  ppid: "0x00",
  liveUntil: 2_000_000_000n,
  revoked: false,
}
const blockAt = (number: bigint): BlockRef => ({ number, hash: taggedHash("block", number), timestamp: 1n })

/** The quote is its report data; appraisal compares it with what is expected. */
function scene(head: bigint, registered: NodeRecord | null = record) {
  const at = { head: blockAt(head) }
  const appraised: string[] = []
  const standing = createStandingEvidence({
    chain: { head: async () => at.head, node: async () => registered },
    config: { chain: { id: 31_337 }, contracts: { nodeRegistry: registry } },
    identity: { signer },
    quoter: {
      quote: async (reportData: Uint8Array) => ({
        quote: reportData,
        eventLog: "[]",
        configDocument: new Uint8Array(),
      }),
    },
    peerPolicy: {
      appraise: async (evidence: Uint8Array, reportData: Uint8Array) => {
        if (!Buffer.from(evidence).includes(Buffer.from(reportData))) throw new Error("other report data")
        appraised.push("ok")
      },
    },
  } as never)
  return { standing, at, appraised }
}

describe("standing evidence", () => {
  test("binds the registration and a recent block", async () => {
    const { standing, appraised } = scene(10_000n)
    await standing.checkEvidence(signer, await standing.evidence())
    expect(appraised).toEqual(["ok"])
  })

  test("EVIDENCE_STALE: a quote made for an earlier occasion, or over a block that is not final", async () => {
    const { standing, at } = scene(10_000n)
    const evidence = await standing.evidence()
    at.head = blockAt(10_000n + 7_201n)
    expect(await rejectionCodeOf(() => standing.checkEvidence(signer, evidence))).toBe("EVIDENCE_STALE")
    at.head = blockAt(9_000n)
    expect(await rejectionCodeOf(() => standing.checkEvidence(signer, evidence))).toBe("EVIDENCE_STALE")
  })

  test("a quote cannot claim a newer block than it was made over", async () => {
    const { standing, at } = scene(10_000n)
    const evidence = await standing.evidence()
    at.head = blockAt(20_000n)
    const renamed = Uint8Array.from(evidence)
    renamed.set(new Uint8Array(new BigUint64Array([20_000n]).buffer).reverse())
    await expect(standing.checkEvidence(signer, renamed)).rejects.toThrow("other report data")
  })

  test("EVIDENCE_UNREGISTERED and EVIDENCE_MALFORMED", async () => {
    const { standing } = scene(10_000n)
    const evidence = await standing.evidence()
    expect(await rejectionCodeOf(() => scene(10_000n, null).standing.checkEvidence(signer, evidence))).toBe(
      "EVIDENCE_UNREGISTERED",
    )
    expect(await rejectionCodeOf(() => standing.checkEvidence(signer, new Uint8Array(40)))).toBe(
      "EVIDENCE_MALFORMED",
    )
  })
})
