import { abiWord, concatBytes, keccak } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex, parseRequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, GossipMessage, SignatureShare, SigningRequest } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { describe, expect, test } from "vitest"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { testSeat } from "../../../test/support/testSeat.ts"
import { nativeCurve } from "../threshold/nativeCurve.ts"
import { recoverSigner, signDigest } from "../threshold/signatures.ts"
import { type KeySeat, signAs } from "./seat.ts"
import { validateMessage } from "./validators.ts"

const [n, t] = [4, 1]
const group = generateFrostGroup(n, t, "validators")
const seatOf = (index: number): KeySeat => ({ ...testSeat(index), sign: signDigest })
const [listener, sender] = [seatOf(1), seatOf(2)]

const pairOf = (index: number): Uint8Array => {
  const share = group.keyShares.get(parsePartyIndex(index, n))
  if (share === undefined) throw new Error("no key share")
  return createNonces(share, seededRng(`pair ${index}`)).commitment
}
/** x = 5 is on no point of the curve. */
const OFF_CURVE = concatBytes(Uint8Array.of(2), abiWord(5n))
const good = pairOf(2)
const bad: readonly (readonly [string, Uint8Array])[] = [
  ["hiding off the curve", concatBytes(OFF_CURVE, good.subarray(33))],
  ["binding off the curve", concatBytes(good.subarray(0, 33), OFF_CURVE)],
  ["zeros", new Uint8Array(66)],
]

const subject = parseRequestId(keccak(Uint8Array.of(1)))
const messages: readonly (readonly [string, (pair: Uint8Array) => GossipMessage])[] = [
  [
    "approval",
    (pair) =>
      signAs<Approval>(sender, {
        kind: "approval",
        approved: [{ subject: requestSubject(subject), sessions: [keccak(Uint8Array.of(2)) as never] }],
        ...{ blockNumber: 1n, blockHash: keccak(Uint8Array.of(3)), verdict: 1 },
        commitments: [pair],
      }),
  ],
  [
    "signature-share",
    (pair) =>
      signAs<SignatureShare>(sender, {
        kind: "signature-share",
        request: keccak(Uint8Array.of(4)),
        share: abiWord(1n),
        commitments: [pair],
      }),
  ],
  [
    "signing-request",
    (pair) =>
      signAs<SigningRequest>(sender, {
        kind: "signing-request",
        ...{ attempt: 0, subjects: [subject], root: keccak(Uint8Array.of(5)) },
        signers: [1, 2, 3].map((index) => ({
          party: parsePartyIndex(index, n),
          commitment: index === 2 ? pair : pairOf(index),
        })),
      }),
  ],
]

describe.each([
  ["noble", {}],
  ["the addon", { recover: recoverSigner, curve: nativeCurve }],
])("commitments of a sender, judged by %s", (_name, kernels) => {
  test.each(messages)("two points in its %s pass", (_kind, message) => {
    const { kind } = message(good)
    expect(validateMessage(kind, encodeMessage(message(good)), listener, kernels).validation).toBe("accept")
  })

  test.each(messages)("anything else in its %s is its fault", (_kind, message) => {
    for (const [name, pair] of bad) {
      const { kind } = message(pair)
      const { validation } = validateMessage(kind, encodeMessage(message(pair)), listener, kernels)
      expect(validation, name).toBe("reject")
    }
  })
})
