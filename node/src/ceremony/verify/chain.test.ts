import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../../test/support/codeOf.ts"
import { chainError } from "../../chain/chainError.ts"
import type { KeyActivation, KeyRecord, NodeRecord } from "../../chain/chainView.ts"
import { blockAt, REGISTRY, type Scene, sceneOf } from "../../roles/standing.fixture.ts"
import { attemptOfParty, COMMITTEE, PROPOSAL } from "../party.fixture.ts"
import { type ChainAudit, checkChain } from "./chain.ts"
import type { Transcript } from "./transcript.ts"

const activation: KeyActivation = {
  publicKeyDigest: taggedHash("public key"),
  serverKeyDigest: taggedHash("server key"),
  crsDigest: taggedHash("crs"),
  transcriptDigest: taggedHash("transcript"),
  groupX: 5n,
  groupV: 27,
}
const key: KeyRecord = {
  keyId: COMMITTEE.keyId,
  nonce: 1n,
  epoch: COMMITTEE.epoch,
  proposal: PROPOSAL,
  status: "active",
  activation,
}

let scenes: readonly Scene[]
let transcript: Transcript

beforeAll(async () => {
  scenes = COMMITTEE.parties.map((signer, at) => sceneOf(signer, `machine ${at}`))
  const shown = await Promise.all(scenes.map(({ standing }) => standing.evidence()))
  const broadcasts = new Map(
    partyIndexes(COMMITTEE).map((party, at) => [party, shown[at] ?? new Uint8Array()]),
  )
  transcript = {
    bundle: {
      keyId: COMMITTEE.keyId,
      proposal: PROPOSAL,
      signing: { chainId: 31_337n, verifyingContract: REGISTRY },
      signed: { activation: { ...activation, keyId: COMMITTEE.keyId, epoch: COMMITTEE.epoch } },
    },
    attempt: attemptOfParty(1),
    broadcasts: (): ReadonlyMap<PartyIndex, Uint8Array> => broadcasts,
  } as never
})

const chainWith = (change: Partial<ChainAudit> = {}): ChainAudit => ({
  chainId: async () => 31_337n,
  nodeRegistry: async () => REGISTRY,
  head: async () => blockAt(20_000n),
  block: async (number) => blockAt(number),
  key: async () => key,
  node: async (signer) => scenes.find(({ record }) => record.signer === signer)?.record ?? null,
  ...change,
})
/** The registry says something else of party 3. */
const nodeWith =
  (change: Partial<NodeRecord> | null): ChainAudit["node"] =>
  async (signer, at) => {
    const record = await chainWith().node(signer, at)
    if (record === null || signer !== COMMITTEE.parties[2]) return record
    return change === null ? null : { ...record, ...change }
  }

describe("the chain's word", () => {
  test("an active key whose parties were live when they were quoted", async () => {
    expect(await checkChain(transcript, chainWith())).toContain("active at block 20000; all 4 parties")
  })

  test.each<readonly [string, Partial<ChainAudit>]>([
    ["another chain", { chainId: async () => 1n }],
    ["another registry of nodes", { nodeRegistry: async () => PROPOSAL.host.gateway }],
    ["no such key", { key: async () => null }],
    ["another proposal", { key: async () => ({ ...key, proposal: { ...PROPOSAL, deadline: 5n } }) }],
    [
      "a proposal that is not active",
      { key: async () => ({ ...key, status: "proposed", activation: null }) },
    ],
    ["a discarded proposal", { key: async () => ({ ...key, status: "discarded", activation: null }) }],
    ["another epoch", { key: async () => ({ ...key, epoch: 2 as typeof key.epoch }) }],
    ["another activation", { key: async () => ({ ...key, activation: { ...activation, groupX: 6n } }) }],
    [
      "another block of that number",
      { block: async (number) => ({ ...blockAt(number), hash: taggedHash("fork") }) },
    ],
    ["a block of another time", { block: async (number) => ({ ...blockAt(number), timestamp: 1n }) }],
    ["a party that was not registered", { node: nodeWith(null) }],
    ["a party whose standing was over", { node: nodeWith({ liveUntil: 1n }) }],
    ["a party that was revoked", { node: nodeWith({ revoked: true }) }],
    ["a party of another role", { node: nodeWith({ role: "executor" }) }],
    ["a party of another operator", { node: nodeWith({ operator: REGISTRY }) }],
    ["a party with another channel key", { node: nodeWith({ peerIdHash: taggedHash("x") }) }],
    ["a party with another configuration", { node: nodeWith({ configHash: taggedHash("x") }) }],
  ])("%s is refused", async (_, change) => {
    expect(await rejectionCodeOf(() => checkChain(transcript, chainWith(change)))).toBe("AUDIT_REFUSED")
  })

  test("an endpoint that does not answer says nothing", async () => {
    const head = async () => {
      throw chainError("CHAIN_UNAVAILABLE", "nobody answers")
    }
    expect(await rejectionCodeOf(() => checkChain(transcript, chainWith({ head })))).toBe("CHAIN_UNAVAILABLE")
  })
})
