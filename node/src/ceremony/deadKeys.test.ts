import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseKeyId } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import type { KeyRecord } from "../chain/chainView.ts"
import { deadKeysOf } from "./deadKeys.ts"
import { COMMITTEE, PROPOSAL } from "./party.fixture.ts"

const key = (name: string) => parseKeyId(taggedHash(name))

test("a key is dead once it is discarded or its deadline has passed, not while it waits, serves, or is unknown", async () => {
  const record = { keyId: COMMITTEE.keyId, nonce: 1n, epoch: COMMITTEE.epoch, proposal: PROPOSAL }
  const proposed: KeyRecord = { ...record, status: "proposed", activation: null }
  const late = { ...PROPOSAL, deadline: 100n }
  const records = new Map<string, KeyRecord>([
    [key("waiting"), { ...proposed, proposal: { ...PROPOSAL, deadline: 101n } }],
    [key("expired"), { ...proposed, proposal: late }],
    [key("discarded"), { ...record, status: "discarded", activation: null }],
    [
      key("active"),
      { ...proposed, proposal: late, status: "active", activation: {} } as unknown as KeyRecord,
    ],
  ])
  const at = (timestamp: bigint) => ({
    head: async () => ({ number: 1n, hash: taggedHash("head"), timestamp }),
    key: async (keyId: string) => records.get(keyId) ?? null,
  })
  const all = [...["waiting", "expired", "discarded", "active", "unknown"].map(key)]
  expect(await deadKeysOf(all, at(101n))).toEqual([key("expired"), key("discarded")])
  // Activation is possible in the very second of the deadline.
  expect(await deadKeysOf(all, at(100n))).toEqual([key("discarded")])
})
