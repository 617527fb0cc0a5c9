/** Traitors that make honest nodes work: new words without end, and old words of honest parties played back. */
import { OWN_WORK } from "@twinlock/node/decryption/gossip"
import { signAs, topicOf } from "@twinlock/node/decryption/seat"
import { recoverSigner } from "@twinlock/node/threshold/signatures"
import { concatBytes, taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { type Approval, type CommitmentPair, MAX_COMMITMENTS } from "@twinlock/sdk/protocol/messages"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { expect, test } from "vitest"
import { countOf, type Traitor } from "../../support/decryptionNetwork.ts"
import { createScene } from "./scene.ts"

/** Ever new pairs, made of few points. */
function pairsOf({ frostShare }: Traitor): (i: number) => CommitmentPair {
  const points = Array.from({ length: 60 }, () => createNonces(frostShare, systemRng).commitment.slice(0, 33))
  return (i) => concatBytes(points[i % 60] as Uint8Array, points[Math.floor(i / 60) % 60] as Uint8Array)
}

const newWord = ({ seat }: Traitor, pair: (i: number) => CommitmentPair, round: number): Approval =>
  signAs<Approval>(seat, {
    kind: "approval",
    approved: [
      { subject: taggedHash("nobody knows", round), sessions: [parseSessionId(taggedHash("session"))] },
    ],
    blockNumber: 1n,
    blockHash: taggedHash("block"),
    verdict: 1,
    commitments: Array.from({ length: MAX_COMMITMENTS }, (_, i) => pair(MAX_COMMITMENTS * round + i)),
  })

test("a flood of signed approvals with new commitments costs no more than its seat's budget, and results come", async () => {
  let verified = 0
  const scene = createScene({
    corrupt: [1],
    recover: (digest, signature) => {
      verified += 1
      return recoverSigner(digest, signature)
    },
  })
  const { committee } = scene
  const traitor = committee.traitor(1)
  const pair = pairsOf(traitor)
  const flood = Array.from({ length: 250 }, (_, round) => newWord(traitor, pair, round))
  const cost = 1 + 2 * MAX_COMMITMENTS
  const before = verified
  for (const approval of flood) await traitor.gossip.publish(approval)
  await committee.run(-1)
  const honestWords = 60
  expect(verified - before).toBeGreaterThan(OWN_WORK.atOnce / cost)
  expect(verified - before).toBeLessThanOrEqual(
    committee.nodes.length * Math.ceil(OWN_WORK.atOnce / cost) + honestWords,
  )
  for (const node of committee.nodes) {
    expect(await countOf(node, "gossip_over_budget_total", `{party="1"}`)).toBeGreaterThan(50)
    for (const party of [2, 3, 4])
      expect(await countOf(node, "gossip_over_budget_total", `{party="${party}"}`)).toBe(0)
  }
  await committee.run(12_000, () => committee.delivered.length > 0)
  expect(committee.delivered).not.toEqual([])
})

test("whoever hands on words of others spends what is its own: theirs are heard", async () => {
  const said: { readonly topic: string; readonly payload: Uint8Array }[] = []
  const scene = createScene({
    ...{ corrupt: [1], down: [] },
    recover: recoverSigner,
    gossip: (from, to, topic, payload) => {
      if (from !== 1 && to === 1) said.push({ topic, payload })
      return [payload]
    },
  })
  const { committee } = scene
  const traitor = committee.traitor(1)
  await committee.run(0)
  // All that it heard, again and again, and in between what nobody signed.
  for (let round = 0; round < 12; round++) {
    for (const { topic, payload } of [...said])
      for (let i = 0; i < 20; i++) {
        const bytes = i === 0 ? payload : payload.slice()
        if (i > 0) bytes[bytes.length - 1 - i] = (bytes[bytes.length - 1 - i] ?? 0) ^ (round + 1)
        await traitor.publishRaw(topic, bytes)
      }
    await committee.run(200)
  }
  await committee.run(12_000, () => committee.delivered.length > 0)
  expect(committee.delivered).not.toEqual([])
  for (const node of committee.nodes)
    for (const party of [2, 3, 4])
      expect(await countOf(node, "gossip_over_budget_total", `{party="${party}"}`)).toBe(0)
})

test("old words played back bring no repeats forward", async () => {
  const words: Uint8Array[] = []
  let repeats = 0
  const scene = createScene({
    ...{ corrupt: [1], down: [4], recover: recoverSigner },
    gossip: (from, to, _topic, payload) => {
      if (to === 1 && decodeMessage(payload).kind === "approval") {
        if (from === 2 && !words.some((known) => Buffer.compare(known, payload) === 0)) words.push(payload)
        if (from === 3) repeats += 1
      }
      return [payload]
    },
  })
  const { committee } = scene
  const traitor = committee.traitor(1)
  await committee.run(1000)
  committee.restart(2)
  await committee.run(4000, undefined, 500)
  expect(words.length).toBe(2)
  repeats = 0
  for (let i = 0; i < 40; i++) {
    await traitor.publishRaw(topicOf("approval", traitor.seat), words[i % 2] as Uint8Array)
    await committee.run(1000, undefined, 500)
  }
  expect(repeats).toBeGreaterThan(0)
  expect(repeats).toBeLessThanOrEqual(5)
})
