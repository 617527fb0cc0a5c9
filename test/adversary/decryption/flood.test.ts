import { BYTES_PER_PARTY } from "@twinlock/node/decryption/inbox"
import { signAs, topicOf } from "@twinlock/node/decryption/seat"
import { TRANSCRIPT_LIMITS } from "@twinlock/node/decryption/transcript"
import { recoverSigner as recover } from "@twinlock/node/threshold/signatures"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { resultFromBody } from "@twinlock/sdk/protocol/http"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, DecryptionShares, GossipMessage } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { createTestCommittee, type Traitor } from "../../support/decryptionNetwork.ts"
import { addCiphertext, addRequest, createScriptedChain } from "../../support/scriptedChain.ts"

const session = (i: number) => parseSessionId(taggedHash("session", i))

/** As many subjects as fit, which nobody else knows. */
const unknownApproval = ({ seat }: Traitor, round: number): Approval =>
  signAs<Approval>(seat, {
    kind: "approval",
    approved: Array.from({ length: 64 }, (_, i) => ({
      subject: taggedHash("nobody knows", round, i),
      sessions: [session(0), session(1), session(2), session(3)],
    })),
    blockNumber: BigInt(round),
    blockHash: taggedHash("block", round),
    verdict: 1,
    commitments: [],
  })

/** 64 KiB of shares of subjects that nobody else knows. */
const unknownShares = ({ seat }: Traitor, round: number): DecryptionShares =>
  signAs<DecryptionShares>(seat, {
    kind: "decryption-shares",
    shares: Array.from({ length: 16 }, (_, i) => ({
      ...{ subject: taggedHash("nobody knows", round, i), sessionId: session(i) },
      share: new Uint8Array(4096).fill(round),
    })),
  })

test.each([
  [4, 1],
  [7, 2],
])(
  "n=%i: a flood from t=%i traitors is bounded in memory, and an honest request is opened meanwhile",
  async (n, t) => {
    const chain = createScriptedChain()
    const ciphertext = addCiphertext(chain, "weight", 1234n)
    addRequest(chain, "tally", [ciphertext.handle])
    const corrupt = Array.from({ length: t }, (_, i) => i + 1)
    const committee = createTestCommittee({ n, t, chain, ciphertexts: [ciphertext], corrupt, recover })
    const traitors = corrupt.map((party) => committee.traitor(party))
    const payload = (message: GossipMessage) => encodeMessage(message)
    for (const traitor of traitors) {
      const say = (message: GossipMessage) =>
        traitor.publishRaw(topicOf(message.kind, traitor.seat), payload(message))
      for (let round = 0; round < 24; round++) {
        const [approval, shares] = [unknownApproval(traitor, round), unknownShares(traitor, round)]
        for (const message of [approval, shares, shares, approval, shares]) await say(message)
        await say({ ...shares, signature: new Uint8Array(65).fill(27) })
      }
    }
    await committee.run(12_000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined || !("result" in first)) throw new Error("nothing was delivered")
    expect(BigInt(`0x${Buffer.from(resultFromBody(first.result).plaintexts).toString("hex")}`)).toBe(1234n)
    for (const { service } of committee.nodes) {
      const kept = service.kept()
      expect(kept.subjects).toBeLessThanOrEqual(1)
      // Nearly all that traitors may have of it, so that the bound is what held.
      expect(kept.inboxBytes).toBeLessThanOrEqual(t * BYTES_PER_PARTY)
      expect(kept.inboxBytes).toBeGreaterThan(0.9 * t * BYTES_PER_PARTY)
      expect(kept.transcriptBytes).toBeLessThanOrEqual(n * TRANSCRIPT_LIMITS.bytes)
    }
  },
)

test("a repeated message costs no second verification, and one that comes at once is not even read", async () => {
  const chain = createScriptedChain()
  const ciphertext = addCiphertext(chain, "weight", 1234n)
  addRequest(chain, "tally", [ciphertext.handle])
  let verified = 0
  const committee = createTestCommittee({
    ...{ n: 4, t: 1, chain, ciphertexts: [ciphertext], corrupt: [1] },
    recover: (digest, signature) => {
      verified += 1
      return recover(digest, signature)
    },
  })
  await committee.run(1000, () => committee.delivered.length > 0)
  const traitor = committee.traitor(1)
  const before = verified
  for (let i = 0; i < 100; i++) {
    await traitor.gossip.publish(unknownApproval(traitor, 1))
    await committee.run(-1)
  }
  expect(verified - before).toBeLessThanOrEqual(committee.nodes.length)
})
