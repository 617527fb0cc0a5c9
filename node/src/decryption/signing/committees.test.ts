/** Signing at every committee size that is promised: batches, silence and lies of t, and the seats' own signatures. */
import type { Certified } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { SignatureShare, SigningRequest, Unsigned } from "@twinlock/sdk/protocol/messages"
import { provenFault } from "@twinlock/sdk/threshold/faultEvidence"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES } from "../../../../test/support/committeeSizes.ts"
import { deliveredResults } from "../../../../test/support/deliveredResults.ts"
import { SIGNING } from "../../../../test/support/scriptedChain.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import {
  createSigningNetwork,
  resultNumber,
  type SigningNetwork,
} from "../../../../test/support/signingNetwork.ts"
import { nativeCurve } from "../../threshold/nativeCurve.ts"
import { rankedParties } from "../ranking.ts"
import { signAs } from "../seat.ts"
import { batchDigest, leafOf } from "./batch.ts"

const BLOCK = taggedHash("block of committees")
const deps = () => ({ curve: nativeCurve })
const results = (count: number) => Array.from({ length: count }, (_, i) => resultNumber(i))
const everything = ({ members }: SigningNetwork): readonly Certified[] =>
  [...members.values()].flatMap(({ delivered }) => delivered.flatMap(deliveredResults))
const settled = (network: SigningNetwork) =>
  new Set(everything(network).map(({ result }) => result.requestId)).size

/** Whom the group signature over the result names; checked. */
function signersOf({ publicKey, member }: SigningNetwork, certified: Certified | undefined, n: number) {
  if (certified?.kind !== "group") throw new Error("no group signature")
  const { signers: bitmap, leaves, r, s } = certified.certificate
  const leaf = leafOf(certified.result)
  const root = rootOfPath({ ...certified.certificate, leaf: leaf.leaf })
  if (root === null) throw new Error("no such place")
  const signers = partiesOfBitmap(bitmap, n)
  const digest = batchDigest(member(1).seat, { root, leaves: new Array(leaves).fill(leaf) }, signers)
  expect(verifyGroupSignature(groupKey(publicKey), digest, { r, s })).toBe(true)
  return signers
}

describe.each(COMMITTEE_SIZES)("n = $n, t = $t", (size) => {
  const { n, t } = size
  const ranked = rankedParties(size, BLOCK)

  test("one signature of exactly a quorum serves all results of a block, each with its path", async () => {
    const network = createSigningNetwork({ ...size, deps })
    const many = results(9)
    await network.approve(many)
    network.open(many, { blockHash: BLOCK })
    await network.run(1000, () => settled(network) === many.length)
    const certified = everything(network)
    expect(settled(network)).toBe(many.length)
    expect(new Set(certified.map((item) => item.certificate.leaves))).toEqual(new Set([9]))
    for (const item of certified) expect(signersOf(network, item, n)).toHaveLength(quorum(size))
  })

  test("the first t ranks are silent: the others sign", async () => {
    const absent = ranked.slice(0, t)
    const network = createSigningNetwork({ ...size, absent, deps })
    await network.approve(results(1))
    network.open(results(1), { blockHash: BLOCK })
    await network.run(20_000, () => settled(network) === 1, 100)
    const signers = signersOf(network, everything(network)[0], n)
    for (const party of absent) expect(signers).not.toContain(party)
  })

  test("t listed signers lie: the first rank names them with proof, and the others sign", async () => {
    // Among equals the first in order are listed first.
    const liars = partyIndexes(size)
      .filter((party) => party !== ranked[0])
      .slice(0, t)
    const network = createSigningNetwork({ ...size, absent: liars, deps })
    for (const liar of liars) {
      const { seat, gossip, keyShare } = network.member(liar)
      const pair = (label: string) => createNonces(keyShare, seededRng(`${label} of ${liar}`)).commitment
      gossip.listen("signing-request", (request: SigningRequest) => {
        if (!request.signers.some(({ party }) => party === liar)) return
        void gossip.publish(
          signAs<SignatureShare>(seat, {
            kind: "signature-share",
            request: messageDigest(request as Unsigned<SigningRequest>, SIGNING),
            share: new Uint8Array(32).fill(liar),
            commitments: [],
          }),
        )
      })
      await network.approveAs(liar, results(1), [pair("first"), pair("second")])
    }
    await network.approve(results(1))
    network.open(results(1), { blockHash: BLOCK })
    await network.run(20_000, () => settled(network) === 1, 100)
    const signers = signersOf(network, everything(network)[0], n)
    for (const liar of liars) expect(signers).not.toContain(liar)
    const { seat, evidence, blamed } = network.member(Number(ranked[0]))
    expect([...blamed].sort((a, b) => a - b)).toEqual(liars)
    const context = { committee: seat.committee, signing: SIGNING, publicKey: network.publicKey }
    expect(new Set(evidence.map(({ party }) => Number(party)))).toEqual(new Set(liars))
    for (const item of evidence) expect(provenFault(item, context)).toBe("signature-share")
  })
})
