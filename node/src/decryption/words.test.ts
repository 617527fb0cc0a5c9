import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { countOf, createTestCommittee, createTestHolder } from "../../../test/support/decryptionNetwork.ts"
import { addCiphertext, addRequest } from "../../../test/support/scriptedChain.ts"
import { tallyScene } from "../../../test/support/tallyScene.ts"

const size = { n: 4, t: 1 }

const spoilers: readonly (readonly [string, (words: Uint8Array) => Uint8Array])[] = [
  [
    "other bytes of the same length",
    (words) => Uint8Array.from(words, (byte, i) => (i === 9 ? byte ^ 1 : byte)),
  ],
  ["trailing bytes", (words) => new Uint8Array([...words, 0])],
]
test.each(spoilers)("BLOB_MISMATCH for %s, until a source serves the right ones", async (_, spoil) => {
  const { chain, ciphertexts, handles } = tallyScene()
  addRequest(chain, "tally", handles)
  let spoilt = true
  const blobOf = (_: unknown, bytes: Uint8Array) => (spoilt ? spoil(bytes) : bytes)
  const committee = createTestCommittee({ ...size, chain, ciphertexts, blobOf })
  await committee.run(1500)
  for (const node of committee.nodes)
    expect(await countOf(node, "refusals_total", `{code="BLOB_MISMATCH"}`)).toBe(1)
  expect(committee.delivered).toEqual([])
  spoilt = false
  await committee.run(12_000, () => committee.delivered.length > 0, 500)
  expect(committee.delivered).not.toEqual([])
})

test("BLOB_MISMATCH for committed words of another length than the type's", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  const short = addCiphertext(chain, "short", 1n, 3, 64)
  addRequest(chain, "tally", [...handles, short.handle])
  const committee = createTestCommittee({ ...size, chain, ciphertexts: [...ciphertexts, short] })
  await committee.run(1000)
  for (const node of committee.nodes)
    expect(await countOf(node, "refusals_total", `{code="BLOB_MISMATCH"}`)).toBe(1)
})

test("a request whose blob never comes does not hold up the others", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  const [stuck, ...rest] = handles
  if (stuck === undefined) throw new Error("no handle")
  addRequest(chain, "stuck", [stuck])
  const served = addRequest(chain, "served", rest)
  const stuckWords = ciphertexts[0]?.words
  const committee = createTestCommittee({
    ...{ ...size, chain, ciphertexts },
    blobOf: (_, words) => (words === stuckWords ? new Promise(() => {}) : words),
  })
  await committee.run(3000, () => committee.delivered.length > 0)
  expect(committee.delivered.map(({ result }) => result.requestId)).toEqual([served])
})

test("a share that could not be computed is tried again", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  addRequest(chain, "tally", handles)
  const party = parsePartyIndex(2, size.n)
  const honest = createTestHolder(party, size.n, size.t, ciphertexts)
  let failures = 3
  const faulty: typeof honest = {
    async decryptionShares(work) {
      if (failures-- > 0) throw new Error("two computations differ")
      return honest.decryptionShares(work)
    },
  }
  const holders = new Map([[2, faulty]])
  const committee = createTestCommittee({ ...size, chain, ciphertexts, holders, down: [4] })
  await committee.run(10_000, () => committee.delivered.length > 0)
  expect(committee.delivered).not.toEqual([])
})

test("who lost the words after approving still signs what the others' shares open", async () => {
  const { chain, ciphertexts, handles } = tallyScene()
  addRequest(chain, "tally", handles)
  let lost = false
  let asked = 0
  const faulty = {
    decryptionShares: async () => {
      lost = true
      throw new Error("the computations differ")
    },
  }
  const gossip = (from: number, to: number, topic: string, payload: Uint8Array) => {
    const [kind = ""] = topic.split("/")
    // Party 4 shares, and its signatures reach nobody: without party 2, there is no quorum of them.
    if (from === 4 && !["approval", "decryption-shares"].includes(kind)) return []
    // The others' shares come when party 2 has judged again, in vain.
    return to === 2 && kind === "decryption-shares" && asked === 0 ? [] : [payload]
  }
  const committee = createTestCommittee({
    ...{ ...size, chain, ciphertexts, gossip },
    delivers: (party) => party !== 4,
    holders: new Map([[2, faulty]]),
    // What was verified does not stay in memory, and cannot be had again.
    options: { wordBytes: 0 },
    blobOf: (_, words, reader) => {
      if (!lost || reader !== 2) return words
      asked += 1
      throw new ProtocolError({ code: "BLOB_UNAVAILABLE", message: "no source has them" })
    },
  })
  await committee.run(20_000, () => committee.submitted.length > 0)
  expect(asked).toBeGreaterThan(0)
  expect(committee.submitted).not.toEqual([])
})
