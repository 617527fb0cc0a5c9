import {
  type AcceptancePolicy,
  type Certified,
  expandSignature,
  type QuoteEvidence,
} from "@twinlock/sdk/protocol/certificate"
import { fromHex, taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, signerOf } from "@twinlock/sdk/protocol/committee"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { Endorsement, FreshQuote } from "@twinlock/sdk/protocol/messages"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES, type CommitteeSize } from "../../../../test/support/committeeSizes.ts"
import { deliveredResults } from "../../../../test/support/deliveredResults.ts"
import { EPOCH, KEY_ID, SIGNING } from "../../../../test/support/scriptedChain.ts"
import {
  createSigningNetwork,
  resultNumber,
  type SigningNetwork,
} from "../../../../test/support/signingNetwork.ts"
import { rankedParties } from "../ranking.ts"
import { signAs } from "../seat.ts"
import { DEFAULT_OPTIONS } from "../service.ts"
import { type Batch, batchOf, endorsedDigest, leafOf } from "./batch.ts"
import type { NoncePool } from "./noncePool.ts"
import { encodeQuoteEvidence } from "./quoteEvidence.ts"
import type { Quotes } from "./quoting.ts"

const BLOCK = taggedHash("block")

/** Nonces that are used up before anybody asks. */
const exhausted: NoncePool = {
  fresh: () => new Uint8Array(66).fill(2),
  take: () => null,
  holds: () => false,
  wipe() {},
}
const withoutNonces = { deps: () => ({ pool: exhausted }) }

const results = (count: number) => Array.from({ length: count }, (_, i) => resultNumber(i))

function everything(network: SigningNetwork): ReadonlyMap<RequestId, Certified> {
  const bodies = [...network.members.values()].flatMap(({ delivered }) => delivered)
  return new Map(bodies.flatMap(deliveredResults).map((certified) => [certified.result.requestId, certified]))
}

/** Seats whose signatures over the batch of the result hold. */
function endorsersOf(
  network: SigningNetwork,
  size: CommitteeSize,
  certified: Certified | undefined,
): readonly PartyIndex[] {
  if (certified === undefined || certified.kind === "group") throw new Error("no endorsements")
  const [bitmap, signatures] =
    certified.kind === "endorsed"
      ? [certified.certificate.signers, certified.certificate.signatures]
      : [certified.evidence.endorsers, certified.evidence.signatures]
  const { seat } = network.member(1)
  const { leaf } = leafOf(certified.result)
  const root = rootOfPath({ ...certified.certificate, leaf })
  if (root === null) throw new Error("no such place")
  const leaves = new Array(certified.certificate.leaves).fill(leafOf(certified.result))
  const digest = endorsedDigest(seat, { root, leaves })
  const parties = partiesOfBitmap(bitmap, size.n)
  expect(signatures.map((signature) => recoverSigner(digest, expandSignature(signature)))).toEqual(
    parties.map((party) => signerOf(seat.committee, party)),
  )
  return parties
}

describe.each(COMMITTEE_SIZES)("rule E, n = $n, t = $t", (size) => {
  const ranked = rankedParties(size, BLOCK)
  const quorum = 2 * size.t + 1

  test("a quorum of seats replaces the group signature when FROST has come to nothing for the stated time", async () => {
    const absent = ranked.slice(0, size.t)
    const network = createSigningNetwork({ ...size, absent, ...withoutNonces })
    const many = results(3)
    network.open(many, { blockHash: BLOCK })
    await network.run(DEFAULT_OPTIONS.fallbackMs - 500, undefined, 500)
    expect(everything(network).size).toBe(0)
    await network.run(15_000, () => everything(network).size === 3, 500)
    for (const certified of everything(network).values()) {
      const parties = endorsersOf(network, size, certified)
      expect(parties).toHaveLength(quorum)
      for (const party of absent) expect(parties).not.toContain(party)
    }
  })

  test("t seats that fell are not among the endorsers", async () => {
    const network = createSigningNetwork({ ...size, ...withoutNonces })
    const fallen = ranked.slice(-size.t)
    for (const party of fallen) network.standing.delete(party)
    network.open(results(1), { blockHash: BLOCK })
    await network.run(30_000, () => everything(network).size === 1, 500)
    const [certified] = everything(network).values()
    const parties = endorsersOf(network, size, certified)
    for (const party of fallen) expect(parties).not.toContain(party)
  })
})

describe("endorsements", () => {
  const [size] = COMMITTEE_SIZES
  const ranked = rankedParties(size, BLOCK)
  const [first = 1, , , last = 4]: readonly number[] = ranked
  const groupOnly: AcceptancePolicy = { endorsements: 0, freshQuotes: 0, groupOnly: true }

  test("are not made while FROST signs, nor ever for a request that demands the group", async () => {
    const network = createSigningNetwork({ ...size, absent: [last] })
    const heard: Endorsement[] = []
    network.member(last).gossip.listen("endorsement", (endorsement) => void heard.push(endorsement))
    await network.approve(
      results(1),
      [1, 2, 3, 4].filter((party) => party !== last),
    )
    network.open(results(1), { blockHash: BLOCK })
    await network.run(30_000, undefined, 500)
    expect(heard).toEqual([])
    const strict = createSigningNetwork({ ...size, ...withoutNonces })
    strict.open(results(1), { blockHash: BLOCK, policy: groupOnly })
    await strict.run(30_000, undefined, 500)
    expect(everything(strict).size).toBe(0)
  })

  test("one result that the others did not open is left out of the next proposal", async () => {
    const network = createSigningNetwork({ ...size, ...withoutNonces })
    const many = results(4)
    network.open(many, { blockHash: BLOCK }, [first])
    network.open(many.slice(1), { blockHash: BLOCK }, ranked.slice(1))
    await network.run(40_000, () => everything(network).size === 3, 500)
    expect([...everything(network).keys()].sort()).toEqual(
      many
        .slice(1)
        .map(({ requestId }) => requestId)
        .sort(),
    )
  })

  test.each([
    ["another root", true],
    ["somebody else's signature", false],
  ])("a proposal under %s is a fault, and answered by nobody", async (_, otherRoot) => {
    const network = createSigningNetwork({ ...size, absent: [first], ...withoutNonces })
    const [result, stranger] = results(2)
    if (result === undefined || stranger === undefined) throw new Error("no result")
    network.open([result], { blockHash: BLOCK })
    await network.run(DEFAULT_OPTIONS.fallbackMs, undefined, 500)
    const { seat, gossip } = network.member(first)
    const batch = batchOf([leafOf(otherRoot ? stranger : result)])
    const heard: Endorsement[] = []
    gossip.listen("endorsement", (endorsement) => void heard.push(endorsement))
    await gossip.publish(
      signAs<Endorsement>(seat, {
        kind: "endorsement",
        subjects: [result.requestId],
        root: batch.root,
        endorsement: new Uint8Array(65).fill(27),
      }),
    )
    await network.run(-1)
    expect(heard).toEqual([])
    for (const party of ranked.slice(1)) expect(network.member(party).blamed).toEqual([first])
  })
})

describe("what a requester demands", () => {
  const [size] = COMMITTEE_SIZES
  const ranked = rankedParties(size, BLOCK)
  const evidenceOf = (party: number, reportData: Uint8Array): QuoteEvidence => ({
    quote: reportData,
    auth: Uint8Array.of(party),
    pckLeaf: new Uint8Array(1200),
    caId: taggedHash("ca"),
    configDocument: new Uint8Array(),
  })
  /** Enclaves whose quotes are their report data. */
  const bindingOf = (party: PartyIndex, { root, leaves }: Batch) =>
    freshQuoteBinding({
      ...{ chainId: SIGNING.chainId, verifier: SIGNING.verifyingContract, party, root },
      ...{ keyId: KEY_ID, epoch: EPOCH, leaves: leaves.length },
    })
  const quotesOf =
    (broken: readonly number[] = []) =>
    (party: PartyIndex): { readonly quotes: Quotes } => ({
      quotes: {
        async quoteOver(reportData) {
          if (broken.includes(party)) throw new Error("the guest agent is gone")
          return evidenceOf(party, reportData)
        },
        // As the contract: what was made by the seat's own enclave over this batch.
        holds: async ({ batch }, of, { quote, auth }) =>
          auth[0] === of && toHex(quote.subarray(0, 32)) === bindingOf(of, batch),
      },
    })

  test("rule A: so many endorsements beside the group signature, of seats that stand", async () => {
    const network = createSigningNetwork(size)
    const policy = { endorsements: 2, freshQuotes: 0, groupOnly: false }
    await network.approve(results(2))
    network.open(results(1), { blockHash: BLOCK, policy })
    network.open(results(2).slice(1), { blockHash: BLOCK })
    await network.run(100)
    const certified = everything(network)
    expect([...certified.values()].map(({ kind }) => kind).sort()).toEqual(["group", "policy"])
    const demanding = certified.get(resultNumber(0).requestId)
    expect(endorsersOf(network, size, demanding)).toHaveLength(2)
  })

  test.each([
    ["of the first ranks", []],
    ["of a later rank where an enclave fails", ranked.slice(0, 1)],
  ])("fresh quotes %s, bound to batch and seat, ascending", async (_, broken) => {
    const network = createSigningNetwork({ ...size, deps: quotesOf(broken.map(Number)) })
    const policy = { endorsements: 1, freshQuotes: 2, groupOnly: true }
    await network.approve(results(1))
    network.open(results(1), { blockHash: BLOCK, policy })
    await network.run(5000, () => everything(network).size === 1)
    const certified = everything(network).get(resultNumber(0).requestId)
    if (certified?.kind !== "policy") throw new Error("no evidence")
    const { quotes } = certified.evidence
    expect(quotes).toHaveLength(2)
    const { seat } = network.member(1)
    for (const { party, evidence } of quotes) {
      expect(broken.map(Number)).not.toContain(party)
      const binding = freshQuoteBinding({
        ...{ chainId: SIGNING.chainId, verifier: SIGNING.verifyingContract, party, leaves: 1 },
        ...{ keyId: seat.key.keyId, epoch: seat.key.epoch },
        root: batchOf([leafOf(certified.result)]).root,
      })
      expect(toHex(evidence.quote.subarray(0, 32))).toBe(binding)
      expect(evidence.quote.subarray(32)).toEqual(new Uint8Array(32))
      expect(evidence.auth).toEqual(Uint8Array.of(party))
    }
    expect((quotes[0]?.party ?? 0) < (quotes[1]?.party ?? 0)).toBe(true)
    expect(fromHex(certified.result.requestId)).toHaveLength(32)
  })

  test.each([[1], [2]])(
    "made-up quotes of t liars, heard first, stand in the way of none that holds: %i wanted",
    async (count) => {
      const liar = Number(ranked[0])
      const network = createSigningNetwork({ ...size, absent: [liar], deps: quotesOf() })
      const policy = { endorsements: 0, freshQuotes: count, groupOnly: true }
      const { seat, gossip } = network.member(liar)
      const batch = batchOf(results(1).map(leafOf))
      await network.approve(results(1))
      await gossip.publish(
        signAs<FreshQuote>(seat, {
          kind: "fresh-quote",
          subjects: batch.leaves.map(({ requestId }) => requestId),
          root: batch.root,
          evidence: encodeQuoteEvidence({
            ...evidenceOf(seat.self, fromHex(bindingOf(seat.self, batch))),
            auth: Uint8Array.of(99),
          }),
        }),
      )
      network.open(results(1), { blockHash: BLOCK, policy })
      await network.run(20_000, () => everything(network).size === 1)
      const certified = everything(network).get(resultNumber(0).requestId)
      if (certified?.kind !== "policy") throw new Error("no evidence")
      const parties = certified.evidence.quotes.map(({ party }) => Number(party))
      expect(parties).toHaveLength(count)
      expect(parties).not.toContain(liar)
    },
  )

  test("is waited for: nothing is delivered with fewer", async () => {
    const network = createSigningNetwork({ ...size, deps: quotesOf([1, 2, 3, 4]) })
    const policy = { endorsements: 0, freshQuotes: 1, groupOnly: false }
    await network.approve(results(1))
    network.open(results(1), { blockHash: BLOCK, policy })
    await network.run(30_000, undefined, 500)
    expect(everything(network).size).toBe(0)
  })
})
