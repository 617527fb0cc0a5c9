import { rankedParties } from "@twinlock/node/decryption/ranking"
import { signAs } from "@twinlock/node/decryption/seat"
import { DEFAULT_OPTIONS } from "@twinlock/node/decryption/service"
import { batchOf, leafOf } from "@twinlock/node/decryption/signing/batch"
import { concatBytes, taggedHash } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { type CertificatesRequest, certificateFromBody } from "@twinlock/sdk/protocol/http"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type {
  Approval,
  CertificateAnnouncement,
  CommitmentPair,
  SignatureShare,
  SigningRequest,
  Unsigned,
} from "@twinlock/sdk/protocol/messages"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import { describe, expect, test } from "vitest"
import type { Traitor } from "../../support/decryptionNetwork.ts"
import { DOMAIN, GATEWAY } from "../../support/scriptedChain.ts"
import { seededRng } from "../../support/seededRng.ts"
import { createScene, faultsOf, party, playHonestly, type Scene, SIZE } from "./scene.ts"

/** A block for whose requests the party has the rank. */
function blockRanked(index: number, rank: number): { readonly blockHash: Digest } {
  for (let i = 0; ; i++) {
    const blockHash = taggedHash("block", i)
    if (rankedParties(SIZE, blockHash)[rank] === index) return { blockHash }
  }
}

const namedBy = (certified: CertificatesRequest | undefined): readonly PartyIndex[] => {
  if (certified === undefined) throw new Error("nothing was delivered")
  return partiesOfBitmap(certificateFromBody(certified.certificate).signers, SIZE.n)
}

const commitmentsOf = (traitor: Traitor, count = 2): readonly CommitmentPair[] =>
  Array.from(
    { length: count },
    (_, i) => createNonces(traitor.frostShare, seededRng(`nonce/${i}`)).commitment,
  )

const resultOf = ({ ciphertexts, requestId, sessions }: Scene): DecryptionResult => ({
  chainId: DOMAIN.chainId,
  gateway: GATEWAY,
  requestId,
  handles: ciphertexts.map(({ handle }) => handle),
  sessions,
  plaintexts: concatBytes(...ciphertexts.map(({ value }) => encodePlaintextWord(value))),
})

/** Plays party 1: speaks honestly until the shares are out, and writes down what the others say. */
async function infiltrate(scene: Scene) {
  const traitor = scene.committee.traitor(1)
  const approvals = new Map<PartyIndex, Approval>()
  const requests: SigningRequest[] = []
  const shares: SignatureShare[] = []
  traitor.gossip.listen("approval", (approval) => void approvals.set(approval.party, approval))
  traitor.gossip.listen("signing-request", (request) => void requests.push(request))
  traitor.gossip.listen("signature-share", (share) => void shares.push(share))
  await playHonestly(traitor, scene, commitmentsOf(traitor, 4))
  return { traitor, approvals, requests, shares }
}

describe("a corrupted signer", () => {
  test("a wrong signature share names it, and the others certify without it", async () => {
    // The traitor is not the aggregator, and its word came first: it is listed.
    const scene = createScene({ corrupt: [1] }, blockRanked(2, 0))
    const { traitor, requests } = await infiltrate(scene)
    for (let i = 0; i < 40 && scene.committee.delivered.length === 0; i++) {
      await scene.committee.run(0)
      for (const request of requests.splice(0))
        await traitor.gossip.publish(
          signAs<SignatureShare>(traitor.seat, {
            kind: "signature-share",
            request: messageDigest(request as Unsigned<SigningRequest>, traitor.seat.signing),
            share: new Uint8Array(32).fill(1),
            commitments: [],
          }),
        )
    }
    expect(namedBy(scene.committee.delivered[0])).toEqual([2, 3, 4])
    const faults = await Promise.all(scene.committee.nodes.map((node) => faultsOf(node, 1)))
    expect(faults.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    for (const node of scene.committee.nodes)
      for (const honest of [2, 3, 4]) expect(await faultsOf(node, honest)).toBe(0)
  })

  test("silence for minutes, while another party is cut off, ends no attempts", async () => {
    let cut = true
    const connected = (from: number, to: number) => !cut || (from !== 4 && to !== 4)
    const scene = createScene({ corrupt: [1], connected }, blockRanked(2, 0))
    const { requests } = await infiltrate(scene)
    await scene.committee.run(180_000, undefined, 500)
    expect(scene.committee.delivered).toEqual([])
    // Attempts come more and more seldom.
    expect(requests.length).toBeGreaterThan(4)
    expect(requests.length).toBeLessThan(60)
    cut = false
    await scene.committee.run(90_000, () => scene.committee.delivered.length > 0, 500)
    expect(namedBy(scene.committee.delivered[0])).toEqual([2, 3, 4])
  })
})

describe("a corrupted aggregator", () => {
  const listOf = (
    own: CommitmentPair,
    approvals: ReadonlyMap<PartyIndex, Approval>,
    parties: readonly PartyIndex[],
    pick = 0,
  ): SigningRequest["signers"] =>
    parties.map((index) => ({
      party: index,
      commitment: index === 1 ? own : (approvals.get(index)?.commitments[pick] ?? own),
    }))
  const requestBy = (
    { seat }: Traitor,
    scene: Scene,
    signers: SigningRequest["signers"],
    change: Partial<Pick<SigningRequest, "root" | "attempt">> = {},
  ): SigningRequest =>
    signAs<SigningRequest>(seat, {
      kind: "signing-request",
      attempt: 0,
      subjects: [scene.requestId],
      root: batchOf([leafOf(resultOf(scene))]).root,
      signers,
      ...change,
    })
  const firstPair = (traitor: Traitor) => commitmentsOf(traitor)[0] ?? new Uint8Array(66)

  test("one that never finishes its lists delays, and the next rank certifies", async () => {
    const scene = createScene({ corrupt: [1] }, blockRanked(1, 0))
    const { traitor, approvals, shares } = await infiltrate(scene)
    await scene.committee.run(0)
    const all = [1, 2, 3].map(party)
    await traitor.gossip.publish(requestBy(traitor, scene, listOf(firstPair(traitor), approvals, all)))
    await scene.committee.run(0)
    expect(shares.map((share) => share.party).sort()).toEqual([2, 3])
    await scene.committee.run(10_000, () => scene.committee.delivered.length > 0)
    expect(namedBy(scene.committee.delivered[0])).toHaveLength(3)
  })

  test("it burns a bounded number of nonces, and each only once", async () => {
    const scene = createScene({ corrupt: [1], down: [4] }, blockRanked(1, 0))
    const { traitor, approvals, shares } = await infiltrate(scene)
    await scene.committee.run(0)
    const newest = new Map([2, 3].map((index) => [party(index), approvals.get(party(index))?.commitments[0]]))
    for (let attempt = 0; attempt < 3 * DEFAULT_OPTIONS.maxServed; attempt++) {
      const list = [1, 2, 3].map((index) => ({
        party: party(index),
        commitment: newest.get(party(index)) ?? firstPair(traitor),
      }))
      await traitor.gossip.publish(requestBy(traitor, scene, list, { attempt }))
      await scene.committee.run(-1)
      for (const share of shares) newest.set(share.party, share.commitments[0])
    }
    for (const index of [2, 3])
      expect(shares.filter((share) => share.party === index)).toHaveLength(DEFAULT_OPTIONS.maxServed)
  })

  test("a list that uses a commitment twice gets no second share of it, but a fresh approval", async () => {
    const scene = createScene({ corrupt: [1], down: [4] }, blockRanked(1, 0))
    const { traitor, approvals, shares } = await infiltrate(scene)
    await scene.committee.run(0)
    const before = new Map(approvals)
    const list = listOf(firstPair(traitor), approvals, [1, 2, 3].map(party))
    await traitor.gossip.publish(requestBy(traitor, scene, list))
    await scene.committee.run(0)
    expect(shares).toHaveLength(2)
    await traitor.gossip.publish(requestBy(traitor, scene, list, { attempt: 1 }))
    await scene.committee.run(0)
    expect(shares).toHaveLength(2)
    expect(approvals.get(party(2))?.commitments).not.toEqual(before.get(party(2))?.commitments)
  })

  test("before its rank's turn it is not served", async () => {
    const scene = createScene({ corrupt: [1], down: [4] }, blockRanked(1, 3))
    const { traitor, approvals, shares } = await infiltrate(scene)
    await scene.committee.run(0)
    const served = shares.length
    await traitor.gossip.publish(
      requestBy(traitor, scene, listOf(firstPair(traitor), approvals, [1, 2, 3].map(party), 1)),
    )
    await scene.committee.run(-1)
    expect(shares).toHaveLength(served)
  })

  test("an announcement whose signature does not hold is a fault, and certifies nothing", async () => {
    const scene = createScene({ corrupt: [1], down: [4] }, blockRanked(1, 0))
    const { traitor } = await infiltrate(scene)
    await scene.committee.run(0)
    await traitor.gossip.publish(
      signAs<CertificateAnnouncement>(traitor.seat, {
        kind: "certificate-announcement",
        subjects: [scene.requestId],
        root: batchOf([leafOf(resultOf(scene))]).root,
        signers: 7n,
        r: GATEWAY,
        s: 1n,
      }),
    )
    await scene.committee.run(300)
    expect(scene.committee.delivered).toEqual([])
    for (const node of scene.committee.nodes.filter(({ party: index }) => index !== 4))
      expect(await faultsOf(node, 1)).toBe(1)
  })
})
