import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { SignatureShare, SigningRequest, Unsigned } from "@twinlock/sdk/protocol/messages"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { describe, expect, test } from "vitest"
import { deliveredResults } from "../../../../test/support/deliveredResults.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import {
  createSigningNetwork,
  resultNumber,
  type SigningNetwork,
} from "../../../../test/support/signingNetwork.ts"
import { rankedParties } from "../ranking.ts"
import { signAs } from "../seat.ts"
import { DEFAULT_OPTIONS } from "../service.ts"
import { batchDigest, batchOf, leafOf } from "./batch.ts"

const size = { n: 4, t: 1 } as const
const blockOf = (number: number): Digest => taggedHash("block", number)
const place = { blockHash: blockOf(0) }
const ranked = rankedParties(size, place.blockHash)
const [first = 1, second = 2, third = 3, fourth = 4]: readonly number[] = ranked
const others = [second, third, fourth]

const results = (count: number, from = 0): readonly DecryptionResult[] =>
  Array.from({ length: count }, (_, i) => resultNumber(from + i))

type Delivered = { readonly root: Digest; readonly leaves: number; readonly signers: readonly PartyIndex[] }

/** What a party delivered, each result checked by itself: its place in the batch and the signature over the root. */
function deliveredBy(network: SigningNetwork, party: number): ReadonlyMap<RequestId, Delivered> {
  const { delivered, seat } = network.member(party)
  return new Map(
    delivered.flatMap(deliveredResults).map(({ result, ...certified }) => {
      if (certified.kind !== "group") throw new Error("no group signature")
      const { leaves, index, path, signers: bitmap, r, s } = certified.certificate
      const root = rootOfPath({ leaf: leafOf(result).leaf, leaves, index, path })
      if (root === null) throw new Error("no such place")
      const signers = partiesOfBitmap(bitmap, size.n)
      const digest = batchDigest(seat, { root, leaves: new Array(leaves).fill(leafOf(result)) }, signers)
      expect(verifyGroupSignature(groupKey(network.publicKey), digest, { r, s })).toBe(true)
      return [result.requestId, { root, leaves, signers }]
    }),
  )
}
const rootsOf = (delivered: ReadonlyMap<RequestId, Delivered>) =>
  new Set([...delivered.values()].map(({ root }) => root))

describe("results of one block", () => {
  test("that open while a list is out are the next batch, each delivered alone with its path", async () => {
    const network = createSigningNetwork(size)
    const many = results(9)
    await network.approve(many)
    network.open(many, place, others)
    network.open(many.slice(0, 1), place, [first])
    await Promise.resolve()
    for (const result of many.slice(1)) network.open([result], place, [first])
    await network.run(0)
    const delivered = deliveredBy(network, first)
    expect([...delivered.values()].map(({ leaves }) => leaves).sort()).toEqual([1, ...new Array(8).fill(8)])
    expect(rootsOf(delivered).size).toBe(2)
  })

  test("are at most 64 under one signature", async () => {
    const network = createSigningNetwork(size)
    const many = results(70)
    await network.approve(many)
    network.open(many, place, others)
    network.open(many, place, [first])
    await network.run(0)
    const counts = [...deliveredBy(network, first).values()].map(({ leaves }) => leaves)
    expect(counts).toHaveLength(70)
    expect([...new Set(counts)].sort((a, b) => a - b)).toEqual([6, 64])
  })

  test("of different blocks have different aggregators, which do not take each other's commitments", async () => {
    const network = createSigningNetwork(size)
    const groups = [0, 1, 2, 3, 4, 5].map((number) => ({
      blockHash: blockOf(number),
      many: results(3, 10 * number),
    }))
    for (const { many } of groups) await network.approve(many)
    for (const { blockHash, many } of groups) network.open(many, { blockHash })
    await network.run(0)
    for (const { blockHash, many } of groups) {
      const delivered = deliveredBy(network, Number(rankedParties(size, blockHash)[0]))
      for (const { requestId } of many) expect(delivered.has(requestId)).toBe(true)
    }
  })

  test("one that the others cannot open holds up no other, and is certified when they can", async () => {
    const network = createSigningNetwork(size)
    const many = results(8)
    const [, , poison] = many
    if (poison === undefined) throw new Error("no result")
    await network.approve(many)
    const open = many.filter((result) => result !== poison)
    network.open(open, place, others)
    network.open(many, place, [first])
    const served = () => deliveredBy(network, first)
    await network.run(8 * DEFAULT_OPTIONS.shareTimeoutMs, () => served().size === 7)
    expect(served().size).toBe(7)
    expect(served().has(poison.requestId)).toBe(false)
    for (const member of network.members.values()) expect(member.blamed).toEqual([])
    // What is new does not wait for it either.
    const fresh = results(3, 100)
    await network.approve(fresh)
    network.open(fresh, place)
    await network.run(0)
    expect(served().size).toBe(10)
    network.open([poison], place, others)
    await network.run(20_000, () => served().size === 11, 200)
    expect(served().has(poison.requestId)).toBe(true)
  })

  test("a signer that opens one a moment later answers then, for the whole batch", async () => {
    const network = createSigningNetwork({ ...size, absent: [fourth] })
    const many = results(4)
    const [late] = many
    if (late === undefined) throw new Error("no result")
    await network.approve(many, [first, second, third])
    network.open(many.slice(1), place, [second, third])
    network.open(many, place, [first])
    await network.run(100)
    expect(deliveredBy(network, first).has(late.requestId)).toBe(false)
    network.open([late], place, [second, third])
    await network.run(0)
    expect(deliveredBy(network, first).has(late.requestId)).toBe(true)
  })
})

describe("lists beside a list", () => {
  test("there is one list where everybody listed answers, though more would do", async () => {
    const five = { n: 5, t: 1 } as const
    const order = rankedParties(five, place.blockHash).map(Number)
    const [leader = 1] = order
    const listener = order.at(-1) ?? 5
    const network = createSigningNetwork({ ...five, absent: [listener] })
    const lists: SigningRequest[] = []
    network.member(listener).gossip.listen("signing-request", (request) => void lists.push(request))
    const [result] = results(1)
    if (result === undefined) throw new Error("no result")
    await network.approve([result], order.slice(0, 4))
    network.open([result], place)
    await network.run(DEFAULT_OPTIONS.hedgeMs + 100)
    expect(network.member(leader).delivered).toHaveLength(1)
    expect(lists).toHaveLength(1)
  })

  test("a silent signer costs the hedge, not the time after which its list is given up", async () => {
    const network = createSigningNetwork({ ...size, absent: [second] })
    const [result] = results(1)
    if (result === undefined) throw new Error("no result")
    const { seat, gossip, keyShare } = network.member(second)
    const pair = createNonces(keyShare, seededRng("silent")).commitment
    // Its word came, so that it may be listed.
    await network.approve([result], [first, third, fourth])
    for (const member of [third, fourth])
      await network.member(member).gossip.publish(
        signAs(network.member(member).seat, {
          kind: "signature-share",
          request: taggedHash("none"),
          share: new Uint8Array(32),
          commitments: [],
        } as never),
      )
    await gossip.publish(
      signAs(seat, {
        kind: "approval",
        approved: [{ subject: taggedHash("other"), sessions: [taggedHash("session")] }],
        blockNumber: 1n,
        blockHash: blockOf(0),
        verdict: 1,
        commitments: [pair],
      } as never),
    )
    const lists: SigningRequest[] = []
    gossip.listen("signing-request", (request) => void lists.push(request))
    network.open([result], place)
    await network.run(DEFAULT_OPTIONS.hedgeMs + 100, () => network.member(first).delivered.length > 0)
    expect(deliveredBy(network, first).size).toBe(1)
    expect(lists.length).toBeLessThanOrEqual(2)
  })
})

describe("a corrupted aggregator", () => {
  /** Plays the first rank: asks for a batch under a root of its choice. */
  async function scene() {
    const network = createSigningNetwork({ ...size, absent: [first] })
    const many = results(3)
    await network.approve(many, others)
    network.open(many, place, others)
    const { seat, gossip, keyShare } = network.member(first)
    const shares: SignatureShare[] = []
    gossip.listen("signature-share", (share) => void shares.push(share))
    const pairs = new Map<number, Uint8Array>()
    gossip.listen("approval", ({ party, commitments: [pair] }) => {
      if (pair !== undefined) pairs.set(party, pair)
    })
    await network.approve(many, others)
    await network.run(-1)
    const own = createNonces(keyShare, seededRng("own")).commitment
    const ask = (leaves: readonly DecryptionResult[], root: Digest, attempt = 0) => {
      const parties = [first, second, third].sort((a, b) => a - b)
      const request = signAs<SigningRequest>(seat, {
        kind: "signing-request",
        attempt,
        subjects: leaves.map(({ requestId }) => requestId),
        root,
        signers: parties.map((party) => ({
          party: party as PartyIndex,
          commitment: party === first ? own : (pairs.get(party) ?? own),
        })),
      })
      return { request, digest: messageDigest(request as Unsigned<SigningRequest>, seat.signing) }
    }
    return { network, many, shares, ask, gossip }
  }

  test("a root with one wrong leaf is answered by nobody, uses up no nonces, and names it", async () => {
    const { network, many, shares, ask, gossip } = await scene()
    const forged = many.map((result, i) =>
      i === 1 ? { ...result, plaintexts: new Uint8Array(32).fill(7) } : result,
    )
    await gossip.publish(ask(many, batchOf(forged.map(leafOf)).root).request)
    await network.run(-1)
    expect(shares).toEqual([])
    for (const party of [second, third]) expect(network.member(party).blamed).toEqual([first])
    expect(network.member(fourth).blamed).toEqual([])
  })

  test("two lists with one commitment of mine: the second one is refused", async () => {
    const { network, many, shares, ask, gossip } = await scene()
    const { root } = batchOf(many.map(leafOf))
    const [one, two] = [ask(many, root, 0), ask(many, root, 1)]
    await gossip.publish(one.request)
    await gossip.publish(two.request)
    await network.run(-1)
    expect(shares.map(({ request }) => request)).toEqual([one.digest, one.digest])
    for (const party of others) expect(network.member(party).blamed).toEqual([])
  })

  test("a result whose requester demands more shares no signature", async () => {
    const { network, many, shares, ask, gossip } = await scene()
    const [demanding] = results(1, 60)
    if (demanding === undefined) throw new Error("no result")
    const policy = { endorsements: 1, freshQuotes: 0, groupOnly: false }
    await network.approve([demanding], others)
    network.open([demanding], { ...place, policy }, others)
    const mixed = [...many, demanding]
    await gossip.publish(ask(mixed, batchOf(mixed.map(leafOf)).root).request)
    await network.run(-1)
    expect(shares).toEqual([])
    await gossip.publish(ask([demanding], batchOf([leafOf(demanding)]).root, 1).request)
    await network.run(-1)
    expect(shares).toHaveLength(2)
  })

  test("a batch over results of two blocks is nobody's turn", async () => {
    const { network, many, shares, ask, gossip } = await scene()
    const [stray] = results(1, 50)
    if (stray === undefined) throw new Error("no result")
    network.open([stray], { blockHash: blockOf(1) }, others)
    const mixed = [...many, stray]
    await gossip.publish(ask(mixed, batchOf(mixed.map(leafOf)).root).request)
    await network.run(-1)
    expect(shares).toEqual([])
  })
})
