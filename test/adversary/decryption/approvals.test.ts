import { topicOf } from "@twinlock/node/decryption/seat"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Approved } from "@twinlock/sdk/protocol/eip712"
import { parseEpoch, parseSessionId, type SessionId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval } from "@twinlock/sdk/protocol/messages"
import { describe, expect, test } from "vitest"
import { countOf } from "../../support/decryptionNetwork.ts"
import { addRequest, blockAt } from "../../support/scriptedChain.ts"
import { approvalBy, createScene, faultsOf, type Scene } from "./scene.ts"

/** Party 4 is silent and party 1 corrupt: its word decides whether 2 and 3 make a quorum. */
const decisive = (): Scene => createScene({ corrupt: [1], down: [4] })
const left = async ({ committee }: Scene): Promise<number> => {
  const counts = await Promise.all(committee.nodes.map((node) => countOf(node, "shares_released_total")))
  return counts.reduce((sum, count) => sum + count, 0)
}

describe("approvals of a corrupted party", () => {
  test("its right word completes the quorum", async () => {
    const scene = decisive()
    const traitor = scene.committee.traitor(1)
    await traitor.gossip.publish(approvalBy(traitor, scene))
    await scene.committee.run(500)
    expect(await left(scene)).toBe(4)
  })

  const changes: readonly (readonly [string, (scene: Scene) => void])[] = [
    [
      "is frozen",
      ({ chain, ciphertexts }) => {
        const [first] = ciphertexts
        const committed = first === undefined ? undefined : chain.commitments.get(first.handle)
        if (first === undefined || committed === undefined) throw new Error("nothing is committed")
        const state = { ...committed.state, status: "frozen" } as const
        chain.commitments.set(first.handle, { ...committed, state })
      },
    ],
    [
      "is no longer allowed",
      ({ chain, ciphertexts }) => {
        for (const { handle } of ciphertexts) chain.publiclyAllowed.delete(handle)
      },
    ],
  ]
  test.each(changes)(
    "it comes too late where a handle %s meanwhile: honest approvals have lapsed",
    async (_, change) => {
      const scene = decisive()
      const traitor = scene.committee.traitor(1)
      await scene.committee.run(500)
      change(scene)
      scene.chain.head = blockAt(scene.chain.head.number + 1n, scene.chain.head.timestamp + 1n)
      await scene.committee.run(500)
      await traitor.gossip.publish(approvalBy(traitor, scene))
      await scene.committee.run(500)
      expect(await left(scene)).toBe(0)
    },
  )

  const useless: readonly (readonly [string, (sessions: readonly SessionId[]) => Partial<Approved>])[] = [
    [
      "other sessions",
      () => ({ sessions: [parseSessionId(taggedHash("other")), parseSessionId(taggedHash("form"))] }),
    ],
    ["the sessions in another order", (sessions) => ({ sessions: [...sessions].reverse() })],
    ["some of the sessions", (sessions) => ({ sessions: sessions.slice(1) })],
    ["another subject", () => ({ subject: taggedHash("another subject") })],
  ]
  test.each(useless)("a word about %s counts for nothing", async (_, change) => {
    const scene = decisive()
    const traitor = scene.committee.traitor(1)
    await traitor.gossip.publish(approvalBy(traitor, scene, change(scene.sessions)))
    await scene.committee.run(500)
    expect(await left(scene)).toBe(0)
  })

  test("contradicting itself is a fault, whichever word came first", async () => {
    const scene = createScene({ corrupt: [1] })
    const traitor = scene.committee.traitor(1)
    const other = { sessions: [...scene.sessions].reverse() }
    await traitor.gossip.publish(approvalBy(traitor, scene, other))
    await traitor.gossip.publish(approvalBy(traitor, scene))
    await scene.committee.run(500)
    for (const node of scene.committee.nodes) expect(await faultsOf(node, 1)).toBe(1)
  })

  test("contradicting itself after it was needed takes nothing back", async () => {
    const scene = decisive()
    const traitor = scene.committee.traitor(1)
    await traitor.gossip.publish(approvalBy(traitor, scene))
    await traitor.gossip.publish(approvalBy(traitor, scene, { sessions: [...scene.sessions].reverse() }))
    await scene.committee.run(500)
    expect(await left(scene)).toBe(4)
  })

  const forgeries: readonly (readonly [string, (approval: Approval) => Approval])[] = [
    [
      "moved to another subject",
      (approval) => ({
        ...approval,
        approved: approval.approved.map((item) => ({ ...item, subject: taggedHash("another subject") })),
      }),
    ],
    ["of another epoch", (approval) => ({ ...approval, epoch: parseEpoch(2) })],
    ["in another party's name", (approval) => ({ ...approval, party: 4 as Approval["party"] })],
    [
      "with commitments that it did not sign",
      (approval) => ({ ...approval, commitments: [new Uint8Array(66).fill(2)] }),
    ],
  ]
  test.each(forgeries)("an approval %s is no word at all", async (_, forge) => {
    const scene = decisive()
    const traitor = scene.committee.traitor(1)
    const forged = forge(approvalBy(traitor, scene))
    await traitor.publishRaw(topicOf("approval", traitor.seat), encodeMessage(forged))
    await scene.committee.run(500)
    expect(await left(scene)).toBe(0)
    for (const node of scene.committee.nodes) expect(await faultsOf(node, 4)).toBe(0)
  })

  test("replaying another request's approval does not approve this one", async () => {
    const scene = decisive()
    const traitor = scene.committee.traitor(1)
    const old = addRequest(scene.chain, "old", [], { status: "fulfilled" })
    await traitor.gossip.publish(approvalBy(traitor, { ...scene, requestId: old }))
    await scene.committee.run(500)
    expect(await left(scene)).toBe(0)
  })

  test("t words and one node with a false view of the chain open nothing", async () => {
    const scene = createScene({ corrupt: [1], down: [2, 3] })
    const traitor = scene.committee.traitor(1)
    await traitor.gossip.publish(approvalBy(traitor, scene))
    await scene.committee.run(3000)
    expect(await left(scene)).toBe(0)
  })
})
