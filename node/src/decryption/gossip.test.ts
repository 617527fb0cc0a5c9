import { keccak } from "@twinlock/sdk/protocol/codec"
import { type Address, parseRequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { CertificateAnnouncement } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { seatSigners } from "../../../test/support/decryptionNetwork.ts"
import { testSeat } from "../../../test/support/testSeat.ts"
import { createManualClock } from "../clock.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import type { Network, Validation } from "../p2p/network.ts"
import { createKeyGossip } from "./gossip.ts"
import { signAs } from "./seat.ts"

type Judge = Parameters<Network["subscribe"]>[2]

const n = 4
const signers = seatSigners(n)

const announcement = signAs<CertificateAnnouncement>(testSeat(2), {
  kind: "certificate-announcement",
  subjects: [parseRequestId(keccak(Uint8Array.of(1)))],
  ...{ root: keccak(Uint8Array.of(2)), signers: 0b111n, r: `0x${"11".repeat(20)}` as never, s: 5n },
})

/** What this node says of a message that a peer hands on, and what it hears of it. */
function scene() {
  const [self, author, other] = signers as [Address, Address, Address]
  const clock = createManualClock()
  const subscribed: { judge: Judge; take: (payload: Uint8Array) => void }[] = []
  const network: Network = {
    ...(createMemoryNetworks([self]).get(self) as Network),
    subscribe: (_topic, _maxBytes, judge, take) => void subscribed.push({ judge, take }),
  }
  const heard: boolean[] = []
  const gossip = createKeyGossip({ seat: testSeat(1), network, clock, metrics: null })
  gossip.listen("certificate-announcement", (_message, isRepeat) => void heard.push(isRepeat))
  async function give(from: Address): Promise<Validation> {
    const payload = encodeMessage(announcement)
    const [topic] = subscribed
    if (topic === undefined) throw new Error("nothing is subscribed")
    const verdict = await topic.judge(payload, from)
    if (verdict === "accept") topic.take(payload)
    return verdict
  }
  return { author, other, clock, heard, give }
}

test("what the author says again is heard and handed on", async () => {
  const { author, clock, heard, give } = scene()
  expect(await give(author)).toBe("accept")
  clock.advance(2000)
  expect(await give(author)).toBe("accept")
  expect(heard).toEqual([false, true])
})

test("what somebody else plays back is heard, and goes no further", async () => {
  const { author, other, clock, heard, give } = scene()
  expect(await give(other)).toBe("accept")
  clock.advance(2000)
  expect(await give(other)).toBe("ignore")
  expect(heard).toEqual([false, true])
  expect(await give(author)).toBe("ignore")
  expect(heard).toHaveLength(2)
})
