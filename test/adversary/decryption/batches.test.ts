import { signAs } from "@twinlock/node/decryption/seat"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, DecryptionShares, SessionShare } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { expect, test } from "vitest"
import type { Traitor } from "../../support/decryptionNetwork.ts"
import { addRequest } from "../../support/scriptedChain.ts"
import { approvalBy, createScene, faultsOf, honestShares, type Scene } from "./scene.ts"

/** Two requests over the same handles; the second one's id. */
function twoRequests(scene: Scene) {
  return addRequest(
    scene.chain,
    "another tally",
    scene.ciphertexts.map(({ handle }) => handle),
  )
}

const say = async (traitor: Traitor, shares: readonly SessionShare[]) =>
  traitor.gossip.publish(signAs<DecryptionShares>(traitor.seat, { kind: "decryption-shares", shares }))

test("a bad share in a batch names its sender and spoils none of the others in it", async () => {
  // Without the traitor's good shares the two others would not be enough.
  const scene = createScene({ corrupt: [1], down: [4] })
  const traitor = scene.committee.traitor(1)
  await traitor.gossip.publish(approvalBy(traitor, scene))
  const subject = requestSubject(scene.requestId)
  const [yes, no] = await honestShares(traitor, scene)
  if (yes === undefined || no === undefined) throw new Error("two ciphertexts")
  await say(traitor, [
    { subject, sessionId: yes.session, share: yes.share.subarray(64) },
    { subject, sessionId: no.session, share: no.share },
  ])
  await scene.committee.run(500)
  const honest = scene.committee.nodes.filter(({ party }) => party !== 4)
  const opened = () => honest.map(({ service }) => service.kept().openedShareBytes > 0)
  for (const node of honest) {
    expect(await faultsOf(node, 1)).toBe(1)
    expect(node.service.evidence().map(({ party }) => party)).toEqual([1])
  }
  expect(opened()).toEqual([false, false])
  // Only the bad one is missing: with it, everything is open.
  await say(traitor, [{ subject, sessionId: yes.session, share: yes.share }])
  await scene.committee.run(500)
  expect(opened()).toEqual([true, true])
})

test("a contradictory approval in a batch is evidence, and the other approvals in it count", async () => {
  const scene = createScene({ corrupt: [1], down: [4] })
  const second = twoRequests(scene)
  const traitor = scene.committee.traitor(1)
  const reversed = [...scene.sessions].reverse()
  const { blockNumber, blockHash } = approvalBy(traitor, scene)
  const approvalOf = (approved: Approval["approved"]) =>
    signAs<Approval>(traitor.seat, {
      kind: "approval",
      ...{ approved, blockNumber, blockHash, verdict: 1, commitments: [] },
    })
  await traitor.gossip.publish(approvalOf([{ subject: requestSubject(scene.requestId), sessions: reversed }]))
  await traitor.gossip.publish(
    approvalOf([
      { subject: requestSubject(scene.requestId), sessions: scene.sessions },
      { subject: requestSubject(second), sessions: scene.sessions },
    ]),
  )
  const shares = await honestShares(traitor, scene)
  await say(
    traitor,
    shares.map(({ session, share }) => ({ subject: requestSubject(second), sessionId: session, share })),
  )
  await scene.committee.run(500)
  for (const node of scene.committee.nodes.filter(({ party }) => party !== 4)) {
    expect(await faultsOf(node, 1)).toBe(1)
    const [evidence] = node.service.evidence()
    expect(evidence?.subject).toBe(requestSubject(scene.requestId))
    const said = evidence?.messages.map(decodeMessage) ?? []
    expect(said).toHaveLength(2)
    for (const message of said) expect(message.party).toBe(1)
    expect(node.service.evidence()).toHaveLength(1)
  }
})

test("a node that restarts in the middle says the same shares, byte for byte", async () => {
  const scene = createScene({ corrupt: [1], down: [4] })
  const traitor = scene.committee.traitor(1)
  const heard: SessionShare[] = []
  traitor.gossip.listen("decryption-shares", ({ party, shares }) => {
    if (party === 2) heard.push(...shares)
  })
  await traitor.gossip.publish(approvalBy(traitor, scene))
  await scene.committee.run(500)
  const before = heard.splice(0)
  expect(before.length).toBeGreaterThan(0)
  scene.committee.restart(2)
  await traitor.gossip.publish(approvalBy(traitor, scene))
  await scene.committee.run(5000, () => heard.length > 0)
  expect(heard.slice(0, before.length)).toEqual(before)
})
