import { describe, expect, test } from "vitest"
import { COMMITTEE, EXECUTORS, PROPOSAL, testParty } from "../ceremony/party.fixture.ts"
import type { KeyProposal, KeyRecord } from "../chain/chainView.ts"
import { isOwnKey } from "./ownKey.ts"

const [erin] = EXECUTORS
const self = (erin ?? testParty("erin")).address
const stranger = testParty("mallory").address
const { chainId, coprocessor } = PROPOSAL.host
const executor = { self, domain: { chainId, coprocessor } }
const key = (change: Partial<KeyProposal> = {}): KeyRecord => ({
  ...{ keyId: COMMITTEE.keyId, nonce: 1n, epoch: COMMITTEE.epoch },
  proposal: { ...PROPOSAL, ...change },
  status: "active",
  activation: {} as never,
})

describe("an executor's own key", () => {
  test("is the active one of its host that names it", () => {
    expect(isOwnKey(key(), executor)).toBe(true)
    expect(isOwnKey({ ...key(), status: "proposed", activation: null }, executor)).toBe(false)
    expect(isOwnKey({ ...key(), status: "discarded", activation: null }, executor)).toBe(false)
  })

  test.each<[string, Partial<KeyProposal>]>([
    ["another coprocessor", { host: { ...PROPOSAL.host, coprocessor: stranger } }],
    ["another chain", { host: { ...PROPOSAL.host, chainId: 1n } }],
    ["other executors", { executors: [stranger] }],
  ])("is none with %s", (_, change) => {
    expect(isOwnKey(key(change), executor)).toBe(false)
  })
})
