import { keccak } from "@twinlock/sdk/protocol/codec"
import { createCommittee, quorum } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { type PartyIndex, parsePartyIndex, parseRequestId } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair, SigningRequest } from "@twinlock/sdk/protocol/messages"
import { createNonces, verifySignatureShare } from "@twinlock/sdk/threshold/frostSign"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../../test/support/codeOf.ts"
import { seatSigners } from "../../../../test/support/decryptionNetwork.ts"
import { generateFrostGroup } from "../../../../test/support/frostGroup.ts"
import { DOMAIN, EPOCH, GATEWAY, KEY_ID } from "../../../../test/support/scriptedChain.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import { testSeat } from "../../../../test/support/testSeat.ts"
import { batchDigest, batchOf, leafOf } from "./batch.ts"
import { createCommitmentBook } from "./commitmentBook.ts"
import { createNoncePool } from "./noncePool.ts"
import { answerSigningRequest, type SignerDeps } from "./signer.ts"

const n = 4
const group = generateFrostGroup(n, 1, "signer test")
const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: seatSigners(n) })
const [alice, bob, carol, dave] = [1, 2, 3, 4].map((index) => parsePartyIndex(index, n)) as [
  PartyIndex,
  PartyIndex,
  PartyIndex,
  PartyIndex,
]
const seat = testSeat(1)
const result: DecryptionResult = {
  chainId: DOMAIN.chainId,
  gateway: GATEWAY,
  requestId: parseRequestId(keccak(new Uint8Array([1]))),
  handles: [],
  sessions: [],
  plaintexts: new Uint8Array(32),
}

const batch = batchOf([leafOf(result)])

/** Alice is asked by bob for a list of alice, bob and carol; carol's commitment came under carol's signature. */
function scene(fallen: readonly PartyIndex[] = []) {
  const keyShare = group.keyShares.get(alice)
  if (keyShare === undefined) throw new Error("no key share")
  const pool = createNoncePool(keyShare, seededRng("alice"))
  const book = createCommitmentBook()
  const pairOf = (party: PartyIndex, name: string): CommitmentPair => {
    const share = group.keyShares.get(party)
    if (share === undefined) throw new Error("no key share")
    return createNonces(share, seededRng(name)).commitment
  }
  const pairs = { own: pool.fresh(), bob: pairOf(bob, "bob"), carol: pairOf(carol, "carol") }
  book.add(carol, [pairs.carol])
  const margins: (number | undefined)[] = []
  const deps: SignerDeps = {
    ...{ seat, keyShare, pool, book },
    publicKey: group.publicKey,
    standing: async (parties, margin) => {
      margins.push(margin)
      return new Set(parties.filter((party) => !fallen.includes(party)))
    },
    options: { livenessMarginSeconds: 600 },
  }
  const request: SigningRequest = {
    kind: "signing-request",
    keyId: KEY_ID,
    epoch: EPOCH,
    party: bob,
    attempt: 0,
    subjects: [result.requestId],
    root: batch.root,
    signers: [
      { party: alice, commitment: pairs.own },
      { party: bob, commitment: pairs.bob },
      { party: carol, commitment: pairs.carol },
    ],
    signature: new Uint8Array(65),
  }
  const answer = (change: Partial<SigningRequest> = {}) =>
    answerSigningRequest({ ...request, ...change }, batch, deps)
  return { answer, request, pairs, pool, pairOf, margins }
}

describe("a signer", () => {
  test("answers a list that meets the conditions with a share for exactly that list and bitmap", async () => {
    const { answer, request, margins } = scene()
    const { share } = await answer()
    const message = batchDigest(seat, batch, [alice, bob, carol])
    const signing = { publicKey: group.publicKey, list: request.signers, message }
    expect(verifySignatureShare(signing, alice, share)).toBe(true)
    const other = batchDigest(seat, batch, [alice, bob, carol, dave])
    expect(verifySignatureShare({ ...signing, message: other }, alice, share)).toBe(false)
    expect(margins).toEqual([600])
  })

  type Spoil = (made: ReturnType<typeof scene>) => Partial<SigningRequest>
  const refusals: readonly (readonly [string, Spoil])[] = [
    ["a root that is not of its own results", () => ({ root: keccak(new Uint8Array([2])) })],
    [
      "a list below the quorum",
      ({ request }) => ({ signers: request.signers.slice(0, quorum(committee) - 1) }),
    ],
    [
      "a list without itself",
      ({ request, pairOf }) => ({
        signers: [...request.signers.slice(1), { party: dave, commitment: pairOf(dave, "dave") }],
      }),
    ],
    [
      "a commitment that its party's seat never signed",
      ({ request, pairOf }) => ({
        signers: [...request.signers.slice(0, 2), { party: carol, commitment: pairOf(carol, "other") }],
      }),
    ],
    [
      "a commitment that another party's seat signed",
      ({ request, pairs }) => ({
        signers: [...request.signers.slice(0, 2), { party: dave, commitment: pairs.carol }],
      }),
    ],
  ]
  test.each(refusals)("SIGNING_REFUSED: %s, and its nonces stay unused", async (_, spoil) => {
    const made = scene()
    expect(await rejectionCodeOf(() => made.answer(spoil(made)))).toBe("SIGNING_REFUSED")
    expect(made.pool.holds(made.pairs.own)).toBe(true)
  })

  test.each([alice, bob, carol])(
    "SIGNING_REFUSED: party %i does not stand for long enough",
    async (fallen) => {
      const made = scene([fallen])
      expect(await rejectionCodeOf(() => made.answer())).toBe("SIGNING_REFUSED")
      expect(made.pool.holds(made.pairs.own)).toBe(true)
    },
  )

  test("COMMITMENT_USED: nonces serve once, also when two requests come at the same time", async () => {
    const { answer } = scene()
    const codes = await Promise.all([answer, answer].map((ask) => rejectionCodeOf(() => ask())))
    expect(codes.sort()).toEqual(["COMMITMENT_USED", "none"])
  })
})
