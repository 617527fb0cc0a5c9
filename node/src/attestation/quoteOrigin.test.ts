import { deriveKey, impostor } from "@twinlock/devnet/platform/keys"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { NodeRecord } from "../chain/chainView.ts"
import { encodeChannelEvidence } from "./channelEvidence.ts"
import { createPeerPolicy } from "./peerPolicy.ts"
import { originOf } from "./quoteOrigin.ts"

const NOW = 1_791_158_400
const platform = createPlatform({ seed: "quote origin", now: NOW })
const foreign = createPlatform({ seed: "foreign", now: NOW })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const alice = platform.machine("alice")
const reportData = new Uint8Array(64).fill(7)
const [leaf, authority, root] = [
  alice.pckCertificate,
  platform.platformCaCertificate,
  platform.rootCertificate,
]
const mrConfigId = `0x01${"5a".repeat(32)}${"00".repeat(15)}` as const
const own = { machine: alice, reportData, measurements: { mrConfigId } }

test("a quote names its machine and whose collateral judges it", () => {
  const processors = createPlatform({ seed: "processors", now: NOW, authority: "processor" })
  for (const [from, name] of [
    [platform, "platform"],
    [processors, "processor"],
  ] as const) {
    const { rootId } = quoteVerifierUnder(parseRootKey(from.root.key.publicKey))
    const origin = originOf(parseQuote(from.quote({ machine: "alice" })), rootId)
    expect(origin.platform).toEqual({ fmspc: "b0c06f000000", authority: name })
    expect(origin.leaf.sgx.ppid).toBe(from.machine("alice").ppid)
  }
})

const record: NodeRecord = {
  signer: parseAddress(`0x${"b1".repeat(20)}`),
  operator: parseAddress(`0x${"b2".repeat(20)}`),
  role: "keyholder",
  peerIdHash: parseDigest(`0x${"01".repeat(32)}`),
  configHash: parseDigest(`0x${"04".repeat(32)}`),
  ppid: alice.ppid,
  liveUntil: 2_000_000_000n,
  revoked: false,
}

/** What a peer with this quote makes the node ask, and why it is refused. */
async function refusalOf(quote: Uint8Array) {
  const asked: string[] = []
  const policy = createPeerPolicy({
    verifier,
    collateral: { collateralFor: () => Promise.reject(new Error(`asked ${asked.push("service")}`)) },
    requirements: () => Promise.reject(new Error(`asked ${asked.push("chain")}`)),
  })
  const evidence = encodeChannelEvidence({ quote, eventLog: "[]", configDocument: new Uint8Array() })
  const refusal = await policy.appraise(evidence, reportData, record).catch((error: Error) => error.message)
  return { asked, refusal }
}

describe("neither chain nor service is asked for", () => {
  test.each<[string, () => Uint8Array, string]>([
    ["a quote under another root", () => foreign.quote(own), "ROOT_MISMATCH"],
    [
      "a foreign certificate above the pinned root's authorities",
      () => platform.quote({ ...own, chain: [foreign.machine("alice").pckCertificate, authority, root] }),
      "CHAIN_SIGNATURE",
    ],
    [
      "a foreign authority that names the pinned root",
      () => platform.quote({ ...own, chain: [leaf, foreign.platformCaCertificate, root] }),
      "CHAIN_SIGNATURE",
    ],
    ["a chain without its end", () => platform.quote({ ...own, chain: [leaf, authority] }), "CHAIN_LENGTH"],
    [
      "a report of no quoting enclave of the machine",
      () => platform.quote({ ...own, pckKey: foreign.machine("alice").pckKey }),
      "QE_REPORT_SIGNATURE",
    ],
    [
      "an attestation key that the enclave does not vouch for",
      () => platform.quote({ ...own, qe: { reportData: `0x${"00".repeat(64)}` } }),
      "QE_REPORT_BINDING",
    ],
    [
      "a body that the attestation key did not sign",
      () =>
        platform.quote({
          ...own,
          attestationKey: impostor(alice.attestationKey, deriveKey("mallory", "key")),
        }),
      "QUOTE_SIGNATURE",
    ],
    ["another machine's quote", () => platform.quote({ ...own, machine: "bob" }), "POLICY_PLATFORM"],
    [
      "a quote of another occasion",
      () => platform.quote({ ...own, reportData: new Uint8Array(64) }),
      "POLICY_REPORT_DATA",
    ],
  ])("%s", async (_, make, code) => {
    const { asked, refusal } = await refusalOf(make())
    expect(refusal).toContain(code)
    expect(asked).toEqual([])
  })

  test("– but for a quote that is what it says", async () => {
    expect(await refusalOf(platform.quote(own))).toEqual({ asked: ["chain"], refusal: "asked 1" })
  })
})
