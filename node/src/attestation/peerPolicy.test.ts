import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose, machineImage } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { makeQuote } from "@twinlock/devnet/platform/quote"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { type AttestationPolicy, DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { channelReportData } from "@twinlock/sdk/attestation/reportData"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { NodeRecord } from "../chain/chainView.ts"
import { decodeChannelEvidence, encodeChannelEvidence } from "./channelEvidence.ts"
import type { AgentQuote, GuestAgent } from "./guestAgent.ts"
import { createPeerPolicy, type PeerRequirements } from "./peerPolicy.ts"
import { platformOf } from "./quotePlatform.ts"
import { channelQuoter, createQuoter } from "./quoter.ts"

const platform = createPlatform({ seed: "peer policy", now: 1_791_158_400 })
const keys = createKeyService("peer policy")
const cvm = (machine: string, changes: object = {}) =>
  createCvm({ platform, machine, role: "keyholder", compose: devnetCompose("keyholder"), keys, ...changes })
const alice = cvm("alice")
const digest = (byte: string) => parseDigest(`0x${byte.repeat(32)}`)
const registry = parseAddress(`0x${"a1".repeat(20)}`)

const reportData = channelReportData({
  ownPeerHash: digest("01"),
  otherPeerHash: digest("02"),
  otherNonce: digest("03"),
  role: "keyholder",
  chainId: 31337n,
  nodeRegistry: registry,
})

const record: NodeRecord = {
  signer: parseAddress(`0x${"b1".repeat(20)}`),
  operator: parseAddress(`0x${"b2".repeat(20)}`),
  role: "keyholder",
  peerIdHash: digest("01"),
  configHash: digest("04"),
  ppid: alice.machine.ppid,
  liveUntil: 2_000_000_000n,
  revoked: false,
}

const rootKey = platform.root.key.publicKey
const verifier = createDevnetQuoteVerifier({ chainId: 31337n, rootKey, contractRootId: rootIdOf(rootKey) })
const floors = { tcb: 20, qe: 20 }
const policyOf = (requirements: Partial<PeerRequirements> = {}, policy: Partial<AttestationPolicy> = {}) =>
  createPeerPolicy({
    verifier,
    collateral: {
      collateralFor: async () =>
        verifier.verifyCollateral(platform.collateral(), { time: platform.now, floors }),
    },
    requirements: async () => ({
      policy: { ...DEFAULT_POLICY, entries: [alice.entry], ...policy },
      floors,
      time: platform.now,
      ...requirements,
    }),
  })

const agentOf = (
  guest = alice,
  changed: (quote: AgentQuote) => AgentQuote = (quote) => quote,
): GuestAgent => ({
  getQuote: async (data) => changed({ quote: guest.quote(data), eventLog: JSON.stringify(guest.events()) }),
  getKey: () => Promise.reject(new Error("unused")),
  info: () => Promise.reject(new Error("unused")),
  version: () => Promise.reject(new Error("unused")),
})
const evidenceOf = (guest = alice, data = reportData) =>
  channelQuoter(createQuoter(agentOf(guest))).quote(data)

test("a registered peer with an allowed image is accepted", async () => {
  const appraised = await policyOf().appraise(await evidenceOf(), reportData, record)
  expect(appraised.entry).toEqual(alice.entry)
  expect(appraised.quote.platform.ppid).toBe(record.ppid)
})

describe("refused are", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      "another machine than the registered one",
      async () => policyOf().appraise(await evidenceOf(cvm("bob")), reportData, record),
      "POLICY_PLATFORM",
    ],
    [
      "report data of another channel",
      async () => policyOf().appraise(await evidenceOf(alice, new Uint8Array(64)), reportData, record),
      "POLICY_REPORT_DATA",
    ],
    [
      "a removed allow-list entry",
      async () => policyOf({}, { entries: [] }).appraise(await evidenceOf(), reportData, record),
      "POLICY_IMAGE",
    ],
    [
      "an image for another role",
      async () => policyOf().appraise(await evidenceOf(), reportData, { ...record, role: "executor" }),
      "POLICY_IMAGE",
    ],
    [
      "another image",
      async () =>
        policyOf().appraise(await evidenceOf(cvm("alice", { image: machineImage("x") })), reportData, record),
      "POLICY_IMAGE",
    ],
    [
      "another compose file",
      async () =>
        policyOf().appraise(
          await evidenceOf(cvm("alice", { compose: devnetCompose("keyholder", { variant: "2" }) })),
          reportData,
          record,
        ),
      "POLICY_COMPOSE",
    ],
    [
      "another key provider",
      async () =>
        policyOf().appraise(
          await evidenceOf(cvm("alice", { keys: createKeyService("foreign") })),
          reportData,
          record,
        ),
      "POLICY_KEY_PROVIDER",
    ],
    [
      "raised floors",
      async () => policyOf({ floors: { tcb: 21, qe: 20 } }).appraise(await evidenceOf(), reportData, record),
      "TCB_INFO_BELOW_FLOOR",
    ],
    [
      "expired collateral",
      async () =>
        policyOf({ time: platform.now + 31 * 86_400 }).appraise(await evidenceOf(), reportData, record),
      "CRL_EXPIRED",
    ],
    [
      "a quote without event log",
      async () =>
        policyOf().appraise(
          encodeChannelEvidence({
            quote: alice.quote(reportData),
            eventLog: "[]",
            configDocument: new Uint8Array(),
          }),
          reportData,
          record,
        ),
      "EVENT_LOG_MISMATCH",
    ],
    [
      "other bytes",
      async () => policyOf().appraise(new Uint8Array(3), reportData, record),
      "CHANNEL_EVIDENCE_MALFORMED",
    ],
    [
      "a platform under a foreign root",
      async () => {
        const foreign = createPlatform({ seed: "foreign", now: platform.now })
        return policyOf().appraise(await evidenceOf(cvm("alice", { platform: foreign })), reportData, record)
      },
      "ROOT_MISMATCH",
    ],
  ])("%s", async (_, run, code) => {
    await expect(run()).rejects.toThrow(code)
  })
})

test("an agent that answers for other report data is found out at once", async () => {
  const lying = agentOf(alice, (quote) => ({ ...quote, quote: alice.quote(new Uint8Array(64)) }))
  await expect(createQuoter(lying).quote(reportData)).rejects.toThrow("POLICY_REPORT_DATA")
})

test("channel evidence round-trips and is strict", async () => {
  const evidence = { quote: Uint8Array.of(1, 2), eventLog: "[…]", configDocument: Uint8Array.of(3) }
  const bytes = encodeChannelEvidence(evidence)
  expect(decodeChannelEvidence(bytes)).toEqual(evidence)
  for (const wrong of [[...bytes, 0], [1, ...bytes.slice(1)], bytes.slice(0, -1)])
    expect(() => decodeChannelEvidence(Uint8Array.from(wrong))).toThrow("CHANNEL_EVIDENCE_MALFORMED")
})

test("a quote without its authority cannot be placed", () => {
  const bytes = makeQuote({ ...alice.machine, chain: [alice.machine.pckCertificate] })
  expect(() => platformOf(bytes)).toThrow("PCK_EXTENSION_MISSING")
})

test("the quote says which collateral it needs", () => {
  expect(platformOf(alice.quote(reportData))).toEqual({ fmspc: "b0c06f000000", authority: "platform" })
})
