import { createCommittee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import { describe, expect, test } from "vitest"
import { seatSigners, standingNode } from "../../../test/support/decryptionNetwork.ts"
import { blockAt, createScriptedChain, EPOCH, KEY_ID, viewOf } from "../../../test/support/scriptedChain.ts"
import { createManualClock } from "../clock.ts"
import { createStanding } from "./standing.ts"

function scene() {
  const chain = createScriptedChain()
  const signers = seatSigners(4)
  for (const signer of signers) chain.nodes.set(signer, standingNode(signer, chain.head.timestamp + 60n))
  const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: signers })
  const view = viewOf(chain)
  const reads = { head: 0, nodes: 0, failing: false, unsure: false }
  const clock = createManualClock()
  const standing = createStanding(
    {
      head: async () => {
        reads.head += 1
        return view.head()
      },
      nodes: async (asked, at) => {
        reads.nodes += 1
        if (reads.failing) throw new Error("no answer")
        const [first, ...others] = asked
        return view.nodes(reads.unsure || first === undefined ? others : asked, at)
      },
    },
    committee,
    clock,
  )
  const revoke = (party: number) => {
    const signer = signers[party - 1]
    if (signer === undefined) throw new Error("no party")
    chain.nodes.set(signer, { ...standingNode(signer, chain.head.timestamp + 60n), revoked: true })
    chain.head = blockAt(chain.head.number + 1n, chain.head.timestamp)
  }
  const live = async (margin?: number) => [...(await standing(partyIndexes(committee), margin))]
  return { chain, clock, reads, revoke, live, standing }
}

describe("standing", () => {
  test("is read once per block for the whole committee, and the head once per moment", async () => {
    const { clock, reads, live } = scene()
    expect(await Promise.all([live(), live()])).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ])
    expect(reads).toMatchObject({ head: 1, nodes: 1 })
    clock.advance(100)
    await live()
    expect(reads).toMatchObject({ head: 2, nodes: 1 })
  })

  test("a revocation counts a moment after its block is agreed", async () => {
    const { clock, revoke, live } = scene()
    await live()
    revoke(2)
    clock.advance(100)
    expect(await live()).toEqual([1, 3, 4])
  })

  test("a margin is counted from the block's time", async () => {
    const { live } = scene()
    expect(await live(59)).toEqual([1, 2, 3, 4])
    expect(await live(60)).toEqual([])
  })

  test("a seat without an agreed answer does not stand, and is asked about again at the same block", async () => {
    const { reads, live } = scene()
    reads.unsure = true
    expect(await live()).toEqual([2, 3, 4])
    reads.unsure = false
    expect(await live()).toEqual([1, 2, 3, 4])
  })

  test("a failed read is not remembered", async () => {
    const { reads, live } = scene()
    reads.failing = true
    await expect(live()).rejects.toThrow("no answer")
    reads.failing = false
    expect(await live()).toEqual([1, 2, 3, 4])
  })
})
