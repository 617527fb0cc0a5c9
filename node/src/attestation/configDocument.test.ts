import { type Cvm, createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { callAgent } from "@twinlock/devnet/agent/rpc"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { configIdOfDocument, encodeConfigDocument } from "@twinlock/sdk/attestation/configDocument"
import { DEFAULT_POLICY } from "@twinlock/sdk/attestation/policy"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { address, digest, record } from "../p2p/testSupport.fixture.ts"
import { encodeChannelEvidence } from "./channelEvidence.ts"
import { configDocumentOf } from "./configDocument.ts"
import type { AgentInfo, GuestAgent } from "./guestAgent.ts"
import { createPeerPolicy } from "./peerPolicy.ts"
import { createQuoter, type OwnQuote } from "./quoter.ts"
import { prepareRegistration } from "./registration.ts"

const NOW = 1_791_158_400
const platform = createPlatform({ seed: "config document", now: NOW })
const keys = createKeyService("config document")
const guest = (machine: string, configVersion: 1 | 3): Cvm =>
  createCvm({
    ...{ platform, machine, role: "keyholder", keys, configVersion },
    compose: devnetCompose("keyholder"),
  })
const alice = guest("alice", 3)

const infoOf = (cvm: Cvm): AgentInfo => ({
  appId: cvm.appId,
  instanceId: cvm.instanceId,
  composeHash: fromHex(cvm.entry.composeHash),
  appName: "",
  keyProvider: String(callAgent(cvm, "Info", {})["key_provider_info"]),
})
function agentOf(cvm: Cvm, changes: Partial<AgentInfo> = {}): GuestAgent & { asked: number } {
  const agent = {
    asked: 0,
    getQuote: async (data: Uint8Array) => ({
      quote: cvm.quote(data),
      eventLog: JSON.stringify(cvm.events()),
    }),
    getKey: () => Promise.reject(new Error("unused")),
    async info() {
      agent.asked++
      return { ...infoOf(cvm), ...changes }
    },
    version: () => Promise.reject(new Error("unused")),
  }
  return agent
}
const reportData = new Uint8Array(64).fill(4)

describe("the own configuration document", () => {
  test("is put together from the agent's facts, once", async () => {
    const agent = agentOf(alice)
    const quoter = createQuoter(agent)
    const { configDocument } = await quoter.quote(reportData)
    await quoter.quote(reportData)
    expect(agent.asked).toBe(1)
    expect(JSON.parse(Buffer.from(configDocument).toString())).toMatchObject({
      compose_hash: alice.entry.composeHash.slice(2),
      key_provider: "kms",
      version: 3,
    })
  })

  test("is not asked for where mr_config_id has version 1", async () => {
    const agent = agentOf(guest("bob", 1))
    expect((await createQuoter(agent).quote(reportData)).configDocument).toEqual(new Uint8Array())
    expect(agent.asked).toBe(0)
  })

  test("the local provider goes by another name in the document", () => {
    const facts = { ...infoOf(alice), keyProvider: '{"name":"local-sgx","id":"aa"}' }
    const document = encodeConfigDocument({
      ...{ appId: toHex(facts.appId), composeHash: parseDigest(toHex(facts.composeHash)) },
      ...{ instanceId: toHex(facts.instanceId), keyProvider: "local", keyProviderId: "0xaa" },
    })
    expect(configDocumentOf(facts, configIdOfDocument(document))).toEqual(document)
  })

  test.each<[string, Partial<AgentInfo>]>([
    ["another instance", { instanceId: new Uint8Array(20) }],
    ["another provider", { keyProvider: '{"name":"kms","id":"00"}' }],
    ["a provider of another shape", { keyProvider: "kms" }],
  ])("facts of %s are refused", async (_name, changes) => {
    await expect(createQuoter(agentOf(alice, changes)).quote(reportData)).rejects.toThrow("AGENT_MALFORMED")
  })

  test("travels with the registration", async () => {
    const quoter = createQuoter(agentOf(alice))
    const { evidence } = await prepareRegistration(
      {
        ...{ chainId: 31337n, nodeRegistry: address(1), operator: address(2), role: "keyholder" },
        ...{ signer: address(3), peerIdHash: digest(4), configHash: digest(5) },
        challenge: { number: 9n, hash: digest(6), timestamp: 0n },
      },
      quoter,
    )
    expect(evidence.configDocument).toEqual((await quoter.quote(reportData)).configDocument)
  })
})

describe("a peer's configuration document", () => {
  const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
  const terms = { time: NOW, floors: { tcb: 20, qe: 20 } }
  const policy = createPeerPolicy({
    verifier,
    collateral: { collateralFor: async () => verifier.verifyCollateral(platform.collateral(), terms) },
    requirements: async () => ({ ...terms, policy: { ...DEFAULT_POLICY, entries: [alice.entry] } }),
  })
  const registered = record(address(3), digest(4), { ppid: alice.machine.ppid })
  const appraise = async (change: (evidence: OwnQuote) => OwnQuote) =>
    policy.appraise(
      encodeChannelEvidence(change(await createQuoter(agentOf(alice)).quote(reportData))),
      reportData,
      registered,
    )

  test("is judged with the quote", async () => {
    expect((await appraise((evidence) => evidence)).entry).toEqual(alice.entry)
  })

  test.each<[string, Uint8Array, string]>([
    ["missing", new Uint8Array(), "CONFIG_DOCUMENT_MISSING"],
    ["of other bytes", Uint8Array.of(123, 125), "CONFIG_DOCUMENT_MISMATCH"],
    ["above its limit", new Uint8Array(5_000), "CHANNEL_EVIDENCE_MALFORMED"],
  ])("one that is %s is refused", async (_name, configDocument, code) => {
    await expect(appraise((evidence) => ({ ...evidence, configDocument }))).rejects.toThrow(code)
  })
})
