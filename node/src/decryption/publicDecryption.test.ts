import { keccak } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import { type CertificatesRequest, certificateFromBody, resultFromBody } from "@twinlock/sdk/protocol/http"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { describe, expect, test } from "vitest"
import {
  countOf,
  createTestCommittee,
  createTestHolder,
  lyingHolder,
  seatSigners,
  standingNode,
} from "../../../test/support/decryptionNetwork.ts"
import {
  addRequest,
  blockAt,
  KEY,
  replaceWords,
  type ScriptedChain,
  SIGNING,
} from "../../../test/support/scriptedChain.ts"
import { tallyScene } from "../../../test/support/tallyScene.ts"
import type { ShareWork } from "../threshold/keyShare.ts"
import { batchDigest, batchOf, leafOf } from "./signing/batch.ts"

const size = { n: 4, t: 1 }

const words = (plaintexts: Uint8Array) =>
  Array.from({ length: plaintexts.length / 32 }, (_, i) =>
    BigInt(`0x${Buffer.from(plaintexts.slice(32 * i, 32 * i + 32)).toString("hex")}`),
  )

/** Parties that a delivered certificate names. */
function namedBy(certified: CertificatesRequest | undefined) {
  if (certified === undefined) throw new Error("nothing was delivered")
  return partiesOfBitmap(certificateFromBody(certified.certificate).signers, size.n)
}

describe("public decryption", () => {
  test("a request is opened and certified by the group over exactly its result", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    const requestId = addRequest(chain, "tally", handles)
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(3000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined) throw new Error("nothing was delivered")
    const result = resultFromBody(first.result)
    const certificate = certificateFromBody(first.certificate)
    expect(result.requestId).toBe(requestId)
    expect(result.handles).toEqual(handles)
    expect(words(result.plaintexts)).toEqual([1234n, 65_535n, 0n])
    const signers = partiesOfBitmap(certificate.signers, size.n)
    expect(signers).toHaveLength(3)
    const seat = { key: KEY, signing: SIGNING } as never
    expect(
      verifyGroupSignature(
        groupKey(committee.groupKey),
        batchDigest(seat, batchOf([leafOf(result)]), signers),
        certificate,
      ),
    ).toBe(true)
    const other = {
      ...result,
      plaintexts: Uint8Array.from(result.plaintexts, (byte, i) => (i === 31 ? byte ^ 1 : byte)),
    }
    expect(
      verifyGroupSignature(
        groupKey(committee.groupKey),
        batchDigest(seat, batchOf([leafOf(other)]), signers),
        certificate,
      ),
    ).toBe(false)
  })

  test.each([1, 2, 3, 4])(
    "with party %i down the others certify, and do not name it in the list",
    async (down) => {
      const { chain, ciphertexts, handles } = tallyScene()
      addRequest(chain, "tally", handles)
      const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [down] })
      await committee.run(12_000, () => committee.delivered.length > 0)
      expect(namedBy(committee.delivered[0])).not.toContain(down)
    },
  )

  test.each([1, 2, 3, 4])(
    "a lie of party %i in one bit changes nothing and names it at every honest node",
    async (liar) => {
      const { chain, ciphertexts, handles } = tallyScene()
      addRequest(chain, "tally", handles)
      const honest = createTestHolder(parsePartyIndex(liar, size.n), size.n, size.t, ciphertexts)
      const committee = createTestCommittee({
        ...size,
        chain,
        ciphertexts,
        holders: new Map([[liar, lyingHolder(honest)]]),
      })
      await committee.run(500)
      const [first] = committee.delivered
      if (first === undefined) throw new Error("nothing was delivered")
      expect(words(resultFromBody(first.result).plaintexts)).toEqual([1234n, 65_535n, 0n])
      for (const node of committee.nodes)
        for (let party = 1; party <= size.n; party++)
          if (node.party !== liar)
            expect(await countOf(node, "culprits_total", `{party="${party}"}`)).toBe(party === liar ? 1 : 0)
    },
  )

  test("without a quorum of approvals no share leaves", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    let asked = 0
    const counting = {
      decryptionShares: async (work: readonly ShareWork[]) => {
        asked += 1
        return work.map(() => new Uint8Array(256))
      },
    }
    const holders = new Map([3, 4].map((party) => [party, counting]))
    const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [1, 2], holders })
    await committee.run(5000)
    expect(asked).toBe(0)
    expect(committee.delivered).toEqual([])
  })

  const refusals: readonly (readonly [
    string,
    (chain: ScriptedChain, handle: ReturnType<typeof tallyScene>["handles"][number]) => void,
  ])[] = [
    ["NOT_ALLOWED_FOR_DECRYPTION", (chain, handle) => chain.publiclyAllowed.delete(handle)],
    [
      "COMMITMENT_NOT_FINAL",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.state = { ...entry.state, status: "pending" }
      },
    ],
    [
      "COMMITMENT_FROZEN",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.state = { ...entry.state, status: "frozen" }
      },
    ],
    [
      "COMMITMENT_MISMATCH",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.details = { ...entry.details, squashedDigest: keccak(new Uint8Array(1)) }
      },
    ],
    [
      "REQUEST_EXPIRED",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, deadline: chain.head.timestamp - 1n })
      },
    ],
    [
      "POLICY_UNMEETABLE",
      (chain) => {
        const policy = { endorsements: size.n + 1, freshQuotes: 0, groupOnly: false }
        for (const [id, request] of chain.requests) chain.requests.set(id, { ...request, policy })
      },
    ],
    [
      "REQUEST_NOT_OPEN",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, status: "cancelled" })
      },
    ],
    [
      "WRONG_KEY",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, keyId: keccak(new Uint8Array(2)) as never })
      },
    ],
  ]
  test.each(refusals)("%s: no node approves, nothing is delivered", async (code, spoil) => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const [handle] = handles
    if (handle !== undefined) spoil(chain, handle)
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(1500)
    expect(committee.delivered).toEqual([])
    for (const node of committee.nodes)
      expect(await countOf(node, "refusals_total", `{code="${code}"}`)).toBe(1)
  })

  test("what comes too near to its deadline while it waits is not opened any more", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    const committed = handles.flatMap((handle) => chain.commitments.get(handle) ?? [])
    for (const entry of committed) entry.state = { ...entry.state, status: "pending" }
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    const seconds = BigInt(Math.ceil(committee.clock.now() / 1000))
    addRequest(chain, "tally", handles, { deadline: seconds + 33n })
    await committee.run(5000)
    // In time by the chain's final block, too late for a result.
    for (const entry of committed) entry.state = { ...entry.state, status: "final" }
    chain.head = blockAt(101n, chain.head.timestamp + 1n)
    await committee.run(2000)
    expect(committee.delivered).toEqual([])
    for (const node of committee.nodes)
      expect(await countOf(node, "refusals_total", '{code="REQUEST_EXPIRED"}')).toBe(1)
  })

  test("a request is served as soon as its cancel window is over", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles, { uncancellableFrom: chain.head.timestamp + 5n })
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(1000)
    expect(committee.delivered).toEqual([])
    chain.head = blockAt(101n, chain.head.timestamp + 5n)
    await committee.run(3000, () => committee.delivered.length > 0)
    expect(committee.delivered).not.toEqual([])
  })

  test("signers refuse a list with a party that is not live, and another list is found", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const [, expiring] = seatSigners(size.n)
    if (expiring === undefined) throw new Error("no party")
    // Alive, but not for the margin that a signer wants.
    chain.nodes.set(expiring, standingNode(expiring, chain.head.timestamp + 1n))
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(5000, () => committee.delivered.length > 0)
    expect(namedBy(committee.delivered[0])).toEqual([1, 3, 4])
  })

  test("CONFLICTING_RELEASE after a restart: a handle that was opened stands for one session for ever", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    const [handle] = handles
    if (handle === undefined) throw new Error("no handle")
    addRequest(chain, "first", [handle])
    const first = createTestCommittee({ ...size, chain, ciphertexts })
    await first.run(3000, () => first.delivered.length > 0)
    chain.requests.clear()
    const other = replaceWords(chain, handle, "other words")
    addRequest(chain, "second", [handle])
    const stores = new Map(first.nodes.map(({ party, store }) => [party as number, store]))
    const second = createTestCommittee({ ...size, chain, ciphertexts: [...ciphertexts, other], stores })
    await second.run(1500)
    for (const node of second.nodes)
      expect(await countOf(node, "refusals_total", `{code="CONFLICTING_RELEASE"}`)).toBe(1)
    expect(second.delivered).toEqual([])
  })

  test.each([
    ["expired", { liveUntil: 1n }],
    ["revoked", { revoked: true }],
  ])("the approval of a seat that is %s releases nothing", async (_, fallen) => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const [signer] = seatSigners(size.n)
    if (signer === undefined) throw new Error("no party")
    const record = { ...standingNode(signer, chain.head.timestamp + 86_400n), ...fallen }
    chain.nodes.set(signer, record)
    let asked = 0
    const counting = {
      decryptionShares: async (work: readonly ShareWork[]) => {
        asked += 1
        return work.map(() => new Uint8Array(256))
      },
    }
    const holders = new Map([1, 3, 4].map((party) => [party, counting]))
    // Parties 1, 3 and 4 approve: three words, of which two stand.
    const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [2], holders })
    await committee.run(4000)
    expect(asked).toBe(0)
    // Standing regained counts without a new word, from the block on that has it.
    chain.nodes.set(signer, standingNode(signer, chain.head.timestamp + 86_400n))
    chain.head = blockAt(101n, chain.head.timestamp)
    await committee.run(4000, () => asked > 0)
    expect(asked).toBeGreaterThan(0)
  })

  test("a node that was cut off while the others opened catches up, and its signature is as good as theirs", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    let cut = [2, 4]
    const connected = (from: number, to: number) => !cut.includes(from) && !cut.includes(to)
    const committee = createTestCommittee({ ...size, chain, ciphertexts, connected })
    await committee.run(10_000)
    expect(committee.delivered).toEqual([])
    cut = [1]
    await committee.run(60_000, () => committee.delivered.length > 0)
    expect(namedBy(committee.delivered[0])).toEqual([2, 3, 4])
  })

  test("a certificate that names a party without standing is given up, and others sign", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(3000, () => committee.delivered.length > 0)
    const [revoked] = namedBy(committee.delivered[0])
    const signer = seatSigners(size.n)[(revoked ?? 0) - 1]
    if (revoked === undefined || signer === undefined) throw new Error("no signer")
    chain.nodes.set(signer, { ...standingNode(signer, chain.head.timestamp + 86_400n), revoked: true })
    chain.head = blockAt(101n, chain.head.timestamp)
    await committee.run(30_000, () => !namedBy(committee.delivered.at(-1)).includes(revoked))
    expect(namedBy(committee.delivered.at(-1))).not.toContain(revoked)
  })
})
