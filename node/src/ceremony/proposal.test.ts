import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, parseEpoch } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { BlockRef, KeyProposal, KeyRecord, NodeRecord } from "../chain/chainView.ts"
import {
  COMMITTEE,
  EXECUTORS,
  PARTIES,
  PROPOSAL,
  partyAt,
  TOY_PARAMETERS,
  testParty,
} from "./party.fixture.ts"
import { checkProposal, missingPeers } from "./proposal.ts"

const HEAD: BlockRef = { number: 5n, hash: taggedHash("head"), timestamp: 1_900_000_000n }
const proposal: KeyProposal = PROPOSAL
const record = (changes: Partial<KeyProposal> = {}): KeyRecord => ({
  keyId: COMMITTEE.keyId,
  nonce: 1n,
  epoch: parseEpoch(1),
  proposal: { ...proposal, ...changes },
  status: "proposed",
  activation: null,
})
const standing = (signer: Address, changes: Partial<NodeRecord> = {}): NodeRecord => ({
  signer,
  operator: signer,
  role: PARTIES.some(({ address }) => address === signer) ? "keyholder" : "executor",
  peerIdHash: taggedHash("peer"),
  configHash: taggedHash("config"),
  ppid: "0x00",
  liveUntil: HEAD.timestamp + 1n,
  revoked: false,
  ...changes,
})
const live = { node: async (signer: Address) => standing(signer) }
const policy = {
  self: partyAt(2).address,
  host: PROPOSAL.host,
  parameters: [taggedHash("another set"), TOY_PARAMETERS.hash],
}
const stranger = testParty("mallory").address

const codeOf = async (work: Promise<void>): Promise<string | null> => {
  try {
    await work
    return null
  } catch (error) {
    return isProtocolError(error) ? error.detail.code : "INTERNAL"
  }
}

describe("checkProposal", () => {
  test("an open proposal with live members is accepted", async () => {
    expect(await codeOf(checkProposal(record(), HEAD, policy, live))).toBeNull()
  })

  test.each([
    ["a deadline that has come", { deadline: HEAD.timestamp }, "PROPOSAL_CLOSED"],
    ["another n than there are parties", { n: 5 }, "PROPOSAL_SIZE"],
    ["t above (n-1)/3", { t: 2 }, "COMMITTEE_SIZE"],
    [
      "a party twice",
      { parties: [...PROPOSAL.parties.slice(0, 3), PROPOSAL.parties[0]] },
      "COMMITTEE_PARTIES",
    ],
    ["k that half of the executors reach", { k: 1 }, "PROPOSAL_SIZE"],
    ["k above the number of executors", { k: 3 }, "PROPOSAL_SIZE"],
    ["an executor twice", { executors: [EXECUTORS[0]?.address, EXECUTORS[0]?.address] }, "PROPOSAL_SIZE"],
    ["other parameters", { parametersHash: taggedHash("other") }, "PROPOSAL_PARAMETERS"],
    ["another chain", { host: { ...PROPOSAL.host, chainId: 1n } }, "PROPOSAL_HOST"],
    ["another coprocessor", { host: { ...PROPOSAL.host, coprocessor: stranger } }, "PROPOSAL_HOST"],
    ["another gateway", { host: { ...PROPOSAL.host, gateway: stranger } }, "PROPOSAL_HOST"],
  ] as const)("%s is refused", async (_, changes, code) => {
    expect(await codeOf(checkProposal(record(changes as Partial<KeyProposal>), HEAD, policy, live))).toBe(
      code,
    )
  })

  test("of all sizes up to 16 exactly those with 1 <= t and 3t + 1 <= n <= 15 are accepted", async () => {
    const everyone = [partyAt(2), ...Array.from({ length: 15 }, (_, at) => testParty(`party ${at}`))]
    const chain = { node: async (signer: Address) => standing(signer, { role: roleOf(signer) }) }
    const roleOf = (signer: Address) =>
      EXECUTORS.some(({ address }) => address === signer) ? "executor" : "keyholder"
    for (let n = 1; n <= 16; n++)
      for (let t = 0; t <= n; t++) {
        const parties = everyone.slice(0, n).map(({ address }) => address)
        const isAllowed = t >= 1 && n <= 15 && n >= 3 * t + 1
        const code = await codeOf(checkProposal(record({ n, t, parties }), HEAD, policy, chain))
        expect([n, t, code]).toEqual([n, t, isAllowed ? null : "COMMITTEE_SIZE"])
      }
  })

  test("a proposal without this node is not its business", async () => {
    const own = { ...policy, self: stranger }
    expect(await codeOf(checkProposal(record(), HEAD, own, live))).toBe("PROPOSAL_NOT_MINE")
  })

  test("a discarded proposal is closed", async () => {
    const discarded: KeyRecord = { ...record(), status: "discarded", activation: null }
    expect(await codeOf(checkProposal(discarded, HEAD, policy, live))).toBe("PROPOSAL_CLOSED")
  })

  test.each([
    ["lapsed", { liveUntil: HEAD.timestamp }],
    ["revoked", { revoked: true }],
    ["registered in the other role", { role: "executor" as const }],
  ])("a party that is %s is refused", async (_, changes) => {
    const chain = {
      node: async (signer: Address) => standing(signer, signer === partyAt(4).address ? changes : {}),
    }
    expect(await codeOf(checkProposal(record(), HEAD, policy, chain))).toBe("PROPOSAL_STANDING")
  })

  test("an executor that was never registered is refused", async () => {
    const chain = {
      node: async (signer: Address) => (signer === EXECUTORS[1]?.address ? null : standing(signer)),
    }
    expect(await codeOf(checkProposal(record(), HEAD, policy, chain))).toBe("PROPOSAL_STANDING")
  })
})

describe("missingPeers", () => {
  const others = PARTIES.map(({ address }) => address).filter((address) => address !== policy.self)
  const [erin, frank] = EXECUTORS.map(({ address }) => address) as [Address, Address]

  test("all parties and k executors must be there", () => {
    expect(missingPeers(record(), policy.self, [...others, erin, frank])).toEqual([])
    expect(missingPeers(record(), policy.self, [...others.slice(1), erin, frank])).toEqual([others[0]])
    expect(missingPeers(record(), policy.self, [...others, erin])).toEqual([frank])
  })

  test("executors beyond k may be away", () => {
    const spare = record({ executors: [erin, frank, stranger] })
    expect(missingPeers(spare, policy.self, [...others, erin, stranger])).toEqual([])
    expect(missingPeers(spare, policy.self, [...others, erin])).toEqual([frank, stranger])
  })
})
