import { createInbox } from "@twinlock/node/decryption/inbox"
import type { ShareStatement } from "@twinlock/node/decryption/statement"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { resultFromBody } from "@twinlock/sdk/protocol/http"
import { parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import {
  approvalBy,
  createScene,
  faultsOf,
  honestShares,
  playHonestly,
  type Scene,
  shareBy,
} from "./scene.ts"

const plaintexts = ({ committee }: Scene) => {
  const [first] = committee.delivered
  if (first === undefined) throw new Error("nothing was delivered")
  return Buffer.from(resultFromBody(first.result).plaintexts).toString("hex")
}
const RIGHT = [1234n, 65_535n].map((value) => value.toString(16).padStart(64, "0")).join("")

describe("shares of a corrupted party", () => {
  test("of another length: named, and the others open without it", async () => {
    const scene = createScene({ corrupt: [1] })
    const traitor = scene.committee.traitor(1)
    await traitor.gossip.publish(approvalBy(traitor, scene))
    for (const session of scene.sessions)
      await traitor.gossip.publish(shareBy(traitor, scene, session, new Uint8Array(64)))
    await scene.committee.run(3000, () => scene.committee.delivered.length > 0)
    expect(plaintexts(scene)).toBe(RIGHT)
    for (const node of scene.committee.nodes) expect(await faultsOf(node, 1)).toBe(1)
  })

  test("two different ones for one session: named, whatever the first one was", async () => {
    const scene = createScene({ corrupt: [1] })
    const traitor = scene.committee.traitor(1)
    await scene.committee.run(300)
    await playHonestly(traitor, scene)
    for (const session of scene.sessions)
      await traitor.gossip.publish(shareBy(traitor, scene, session, new Uint8Array(256).fill(1)))
    await scene.committee.run(3000, () => scene.committee.delivered.length > 0)
    expect(plaintexts(scene)).toBe(RIGHT)
    for (const node of scene.committee.nodes) expect(await faultsOf(node, 1)).toBe(1)
  })

  test("for sessions that are not of the subject: dropped, and nobody is blamed", async () => {
    const scene = createScene({ corrupt: [1] })
    const traitor = scene.committee.traitor(1)
    for (let i = 0; i < 20; i++) {
      const session = parseSessionId(taggedHash("flood", i))
      await traitor.gossip.publish(shareBy(traitor, scene, session, new Uint8Array(256)))
    }
    await scene.committee.run(3000, () => scene.committee.delivered.length > 0)
    expect(plaintexts(scene)).toBe(RIGHT)
    for (const node of scene.committee.nodes) expect(await faultsOf(node, 1)).toBe(0)
  })

  test("sent before any approval open nothing before there is a quorum", async () => {
    const scene = createScene({ corrupt: [1], down: [4] })
    const traitor = scene.committee.traitor(1)
    for (const { session, share } of await honestShares(traitor, scene))
      await traitor.gossip.publish(shareBy(traitor, scene, session, share))
    await scene.committee.run(2000)
    expect(scene.committee.delivered).toEqual([])
  })
})

describe("a flood about subjects that nobody knows", () => {
  const share = (party: number, subject: number, bytes = 4096): ShareStatement => ({
    kind: "share",
    party: parsePartyIndex(party, 4),
    subject: taggedHash("subject", subject),
    sessionId: parseSessionId(taggedHash("session")),
    share: new Uint8Array(bytes),
  })

  test("pushes out only the flooder's own words", () => {
    const inbox = createInbox(64 * 1024)
    inbox.keep(share(2, 0))
    inbox.keep(share(1, 0))
    for (let i = 1; i <= 1000; i++) inbox.keep(share(1, i))
    expect(inbox.take(taggedHash("subject", 0)).map(({ party }) => party)).toEqual([2])
    const kept = Array.from({ length: 1001 }, (_, i) => inbox.take(taggedHash("subject", i)))
    expect(kept.flat().length).toBeLessThanOrEqual(16)
    expect(kept.flat().length).toBeGreaterThan(10)
  })

  test("one subject with ever new sessions is bounded as well", () => {
    const inbox = createInbox(64 * 1024)
    for (let i = 0; i < 1000; i++)
      inbox.keep({ ...share(1, 0), sessionId: parseSessionId(taggedHash("session", i)) })
    expect(inbox.take(taggedHash("subject", 0)).length).toBeLessThanOrEqual(16)
  })

  test("does not keep honest nodes from opening", async () => {
    const scene = createScene({ corrupt: [1] })
    const traitor = scene.committee.traitor(1)
    for (let i = 0; i < 20; i++)
      await traitor.gossip.publish(approvalBy(traitor, scene, { subject: taggedHash("flood", i) }))
    await scene.committee.run(3000, () => scene.committee.delivered.length > 0)
    expect(plaintexts(scene)).toBe(RIGHT)
  })
})
