/**
 * A signature comes about while n−t parties are honest and stand, whoever of the others is silent, lies, falls or comes
 * back: for every size of a committee, the worst placement of t.
 */
import { rankedParties } from "@twinlock/node/decryption/ranking"
import { signAs } from "@twinlock/node/decryption/seat"
import { nativeCurve } from "@twinlock/node/threshold/nativeCurve"
import { nativeKernel } from "@twinlock/node/threshold/opening"
import { recoverSigner } from "@twinlock/node/threshold/signatures"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type {
  CommitmentPair,
  SignatureShare,
  SigningRequest,
  Unsigned,
} from "@twinlock/sdk/protocol/messages"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES, type CommitteeSize } from "../../support/committeeSizes.ts"
import {
  type CommitteeOptions,
  countOf,
  createTestCommittee,
  type TestCommittee,
  type Traitor,
} from "../../support/decryptionNetwork.ts"
import { deliveredResults } from "../../support/deliveredResults.ts"
import {
  addCiphertext,
  addRequest,
  blockAt,
  createScriptedChain,
  type ScriptedChain,
  type TestCiphertext,
} from "../../support/scriptedChain.ts"
import { playHonestly } from "./scene.ts"

type Progress = {
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  readonly committee: TestCommittee
  readonly requests: readonly RequestId[]
}

const BLOCK: Digest = taggedHash("block of the requests")

/** Requests of one block over one small ciphertext. */
function createProgress(size: CommitteeSize, options: Partial<CommitteeOptions> = {}, count = 1): Progress {
  const chain = createScriptedChain()
  const ciphertexts = [addCiphertext(chain, "yes", 1n, 0)]
  const handles = ciphertexts.map(({ handle }) => handle)
  const requests = Array.from({ length: count }, (_, i) =>
    addRequest(chain, `request ${i}`, handles, { blockHash: BLOCK }),
  )
  const committee = createTestCommittee({
    ...{ ...size, chain, ciphertexts },
    ...{ recover: recoverSigner, openingKernel: nativeKernel, curve: nativeCurve },
    ...options,
  })
  return { chain, ciphertexts, committee, requests }
}

/** Pairs whose nonces nobody keeps. */
const commitmentsOf = ({ frostShare }: Traitor, count: number): readonly CommitmentPair[] =>
  Array.from({ length: count }, () => createNonces(frostShare, systemRng).commitment)

const delivered = ({ committee }: Progress): ReadonlySet<RequestId> =>
  new Set(committee.submitted.flatMap(deliveredResults).map(({ result }) => result.requestId))
const signersOf = ({ committee }: Progress, n: number): readonly PartyIndex[] => {
  const [first] = committee.delivered.flatMap(deliveredResults)
  if (first?.kind !== "group") throw new Error("nothing was delivered")
  return partiesOfBitmap(first.certificate.signers, n)
}
const finish = async (scene: Progress, ms: number, stepMs = 100) => {
  await scene.committee.run(ms, () => delivered(scene).size === scene.requests.length, stepMs)
  expect(delivered(scene).size).toBe(scene.requests.length)
}
const numbers = (parties: readonly PartyIndex[]): readonly number[] => parties.map(Number)

describe.each(COMMITTEE_SIZES)("n = $n, t = $t", (size) => {
  const { n, t } = size
  const ranked = rankedParties(size, BLOCK)

  test("the first t ranks are silent: the next one takes over", async () => {
    const down = numbers(ranked.slice(0, t))
    const scene = createProgress(size, { down })
    await finish(scene, 20_000)
    expect(signersOf(scene, n).some((party) => down.includes(party))).toBe(false)
    expect(signersOf(scene, n)).toHaveLength(quorum(size))
  })

  test("t listed signers lie: they are named at the aggregator, nobody else is, and the others sign", async () => {
    const corrupt = numbers(ranked.slice(1, 1 + t))
    const scene = createProgress(size, { corrupt })
    const { committee, chain, ciphertexts, requests } = scene
    const [requestId] = requests
    if (requestId === undefined) throw new Error("no request")
    const sessions = ciphertexts.map(({ session }) => session)
    for (const number of corrupt) {
      const traitor = committee.traitor(number)
      traitor.gossip.listen("signing-request", (request: SigningRequest) => {
        const share = signAs<SignatureShare>(traitor.seat, {
          kind: "signature-share",
          request: messageDigest(request as Unsigned<SigningRequest>, traitor.seat.signing),
          share: new Uint8Array(32).fill(number),
          commitments: commitmentsOf(traitor, 1),
        })
        void traitor.gossip.publish(share)
      })
      await playHonestly(
        traitor,
        { chain, committee, requestId, sessions, ciphertexts },
        commitmentsOf(traitor, 4),
      )
    }
    await finish(scene, 20_000)
    expect(signersOf(scene, n).some((party) => corrupt.includes(party))).toBe(false)
    for (const node of committee.nodes)
      for (let party = 1; party <= n; party++)
        if (!corrupt.includes(party))
          expect(await countOf(node, "culprits_total", `{party="${party}"}`)).toBe(0)
  })

  test.each([
    ["the aggregator", 0],
    ["a signer", -1],
  ])(
    "t are silent and %s restarts: its old commitments are void, and the next results are signed",
    async (_, rank) => {
      const down = numbers(ranked.slice(1, 1 + t))
      const scene = createProgress(size, { down })
      await finish(scene, 20_000)
      scene.committee.restart(Number(ranked.at(rank)))
      const { chain, ciphertexts } = scene
      const handles = ciphertexts.map(({ handle }) => handle)
      chain.head = blockAt(chain.head.number + 1n, chain.head.timestamp + 12n)
      const next = addRequest(chain, "after the restart", handles, { blockHash: BLOCK })
      await finish({ ...scene, requests: [...scene.requests, next] }, 30_000)
    },
  )

  test(`t are silent and an honest one expires: ${n >= 3 * t + 2 ? "the others sign" : "it waits until that one renews"}`, async () => {
    const down = numbers(ranked.slice(0, t))
    const expired = Number(ranked.at(-1))
    const scene = createProgress(size, { down })
    const { chain, committee } = scene
    const signer = committee.committee.parties[expired - 1]
    const node = signer === undefined ? undefined : chain.nodes.get(signer)
    if (signer === undefined || node === undefined) throw new Error("no seat")
    // It stands long enough to approve, and not long enough to be named in a certificate.
    chain.nodes.set(signer, { ...node, liveUntil: chain.head.timestamp + 60n })
    if (n >= 3 * t + 2) {
      await finish(scene, 20_000)
      expect(numbers(signersOf(scene, n))).not.toContain(expired)
      return
    }
    await scene.committee.run(20_000, undefined, 500)
    expect(scene.committee.submitted).toEqual([])
    chain.nodes.set(signer, node)
    chain.head = blockAt(chain.head.number + 1n, chain.head.timestamp + 20n)
    await finish(scene, 60_000, 500)
  })
})
