import type { Digest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { NodeRecord } from "../chain/chainView.ts"
import { type AttestContext, attestAsInitiator, attestAsResponder, type Quoter } from "./attestedChannel.ts"
import { type AttestMessage, decodeAttestMessage, encodeAttestMessage } from "./attestMessages.ts"
import { type FrameChannel, frameError } from "./streamFrames.ts"
import {
  address,
  CHAIN_ID,
  digest,
  type FakeRegistry,
  fakeChain,
  fakePolicy,
  fakeQuoter,
  HEAD,
  REGISTRY,
  record,
} from "./testSupport.fixture.ts"

const alice = { signer: address(1), role: "keyholder", peerIdHash: digest(11) } as const
const bob = { signer: address(2), role: "keyholder", peerIdHash: digest(12) } as const

const registered = (): FakeRegistry =>
  new Map([alice, bob].map(({ signer, peerIdHash }) => [signer, record(signer, peerIdHash)]))

let counter = 0
const random = (length: number): Uint8Array => new Uint8Array(length).fill(++counter)

function context(
  self: AttestContext["self"],
  remotePeerIdHash: Digest,
  changes: Partial<AttestContext> = {},
): AttestContext {
  return {
    self,
    remotePeerIdHash,
    chainId: CHAIN_ID,
    registry: REGISTRY,
    chain: fakeChain(registered()),
    quoter: fakeQuoter,
    policy: fakePolicy,
    random,
    ...changes,
  }
}

/** One direction of a pair of channels. */
function queue(): { push(frame: Uint8Array | null): void; pull(): Promise<Uint8Array> } {
  const frames: (Uint8Array | null)[] = []
  let wake: (() => void) | null = null
  return {
    push(frame) {
      frames.push(frame)
      wake?.()
    },
    async pull() {
      while (frames.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const frame = frames.shift()
      if (frame == null) throw frameError("FRAME_SHORT", "closed")
      return frame
    },
  }
}

type End = FrameChannel & { close(): void }

function pair(): [End, End] {
  const [ab, ba] = [queue(), queue()]
  return [
    { send: async (frame) => ab.push(frame), receive: ba.pull, close: () => ab.push(null) },
    { send: async (frame) => ba.push(frame), receive: ab.pull, close: () => ba.push(null) },
  ]
}

type Outcome = { readonly record?: NodeRecord; readonly code?: string }

/** Runs both ends; each closes its channel when it is done, as the connection would. */
async function handshake(
  initiator: AttestContext,
  responder: AttestContext,
): Promise<{ initiator: Outcome; responder: Outcome; order: string[] }> {
  const [left, right] = pair()
  const order: string[] = []
  const outcome = (run: Promise<NodeRecord>, end: End): Promise<Outcome> =>
    run
      .then((peer) => ({ record: peer }))
      .catch((error) => ({ code: error.detail?.code ?? String(error) }))
      .finally(() => end.close())
  const [a, b] = await Promise.all([
    outcome(
      attestAsInitiator(left, initiator, async () => void order.push("initiator serves")),
      left,
    ),
    outcome(
      attestAsResponder(right, responder, async () => void order.push("responder serves")),
      right,
    ),
  ])
  return { initiator: a, responder: b, order }
}

const atAlice = (changes: Partial<AttestContext> = {}) => context(alice, bob.peerIdHash, changes)
const atBob = (changes: Partial<AttestContext> = {}) => context(bob, alice.peerIdHash, changes)

describe("attested channel", () => {
  test("both sides learn the other's registration, and the responder serves first", async () => {
    const result = await handshake(atAlice(), atBob())
    expect(result.initiator.record?.signer).toBe(bob.signer)
    expect(result.responder.record?.signer).toBe(alice.signer)
    expect(result.order).toEqual(["responder serves", "initiator serves"])
  })

  test("nonces are fresh in every handshake", async () => {
    const quotes: string[] = []
    const noting: Quoter = {
      quote: async (reportData) => {
        quotes.push(String(reportData))
        return fakeQuoter.quote(reportData)
      },
    }
    await handshake(atAlice({ quoter: noting }), atBob())
    await handshake(atAlice({ quoter: noting }), atBob())
    expect(new Set(quotes).size).toBe(2)
  })

  test("a replayed quote over an old nonce is refused", async () => {
    const first: Uint8Array[] = []
    const replaying: Quoter = {
      async quote(reportData) {
        const quote = await fakeQuoter.quote(reportData)
        first.push(quote)
        return first[0] ?? quote
      },
    }
    expect((await handshake(atAlice({ quoter: replaying }), atBob())).responder.record).toBeDefined()
    const second = await handshake(atAlice({ quoter: replaying }), atBob())
    expect(second.responder.code).toBe("ATTEST_QUOTE_REFUSED")
    expect(second.initiator.code).toBe("ATTEST_REFUSED_BY_PEER")
    expect(second.order).toEqual([])
  })

  test.each<[string, "initiator" | "responder", FakeRegistry, string]>([
    [
      "an unregistered initiator",
      "responder",
      new Map([[bob.signer, record(bob.signer, digest(12))]]),
      "ATTEST_UNREGISTERED",
    ],
    [
      "an unregistered responder",
      "initiator",
      new Map([[alice.signer, record(alice.signer, digest(11))]]),
      "ATTEST_UNREGISTERED",
    ],
    [
      "a peer id that the registry binds to another signer",
      "responder",
      registered().set(alice.signer, record(alice.signer, digest(99))),
      "ATTEST_WRONG_PEER",
    ],
    [
      "a revoked peer",
      "initiator",
      registered().set(bob.signer, record(bob.signer, digest(12), { revoked: true })),
      "ATTEST_REVOKED",
    ],
    [
      "a peer registered in another role",
      "responder",
      registered().set(alice.signer, record(alice.signer, digest(11), { role: "executor" })),
      "ATTEST_WRONG_ROLE",
    ],
  ])("refused: %s", async (_name, side, registry, code) => {
    const chain = fakeChain(registry)
    const result = await handshake(
      atAlice(side === "initiator" ? { chain } : {}),
      atBob(side === "responder" ? { chain } : {}),
    )
    expect(result[side].code).toBe(code)
    expect(result[side === "initiator" ? "responder" : "initiator"].code).toBe("ATTEST_REFUSED_BY_PEER")
  })

  test("a lapsed but unrevoked peer is returned: its use is decided elsewhere", async () => {
    const lapsed = record(bob.signer, bob.peerIdHash, { liveUntil: HEAD.timestamp - 1n })
    const chain = fakeChain(registered().set(bob.signer, lapsed))
    expect((await handshake(atAlice({ chain }), atBob())).initiator.record).toEqual(lapsed)
  })

  test.each<[string, Partial<AttestContext>]>([
    ["another chain", { chainId: 1 }],
    ["another registry", { registry: address(7) }],
  ])("refused: a peer of %s", async (_name, changes) => {
    const result = await handshake(atAlice(changes), atBob())
    expect(result.responder.code).toBe("ATTEST_OTHER_NETWORK")
  })

  test("refused: a peer that claims this node's signer", async () => {
    const result = await handshake(atAlice({ self: { ...alice, signer: bob.signer } }), atBob())
    expect(result.responder.code).toBe("ATTEST_SELF")
  })

  test("a quote made for one peer is refused by another", async () => {
    const [left, right] = pair()
    // Alice's enclave talks to Carol, whose host passes everything on to Bob as if it were its own.
    const carolHash = digest(13)
    const registry = registered().set(bob.signer, record(bob.signer, carolHash))
    const relayed = context(alice, carolHash, { chain: fakeChain(registry) })
    const results = await Promise.allSettled([
      attestAsInitiator(left, relayed, async () => {}).finally(left.close),
      attestAsResponder(right, atBob(), async () => {}).finally(right.close),
    ])
    expect(results[1]).toMatchObject({
      status: "rejected",
      reason: { detail: { code: "ATTEST_QUOTE_REFUSED" } },
    })
  })

  /** Answers by hand as a peer that holds Bob's peer key but no enclave. */
  async function against(
    answer: (received: AttestMessage, first: boolean) => AttestMessage,
  ): Promise<string> {
    const [left, right] = pair()
    const run = attestAsInitiator(left, atAlice(), async () => {}).then(
      () => "attested",
      (error) => String(error.detail?.code),
    )
    const peer = async (): Promise<void> => {
      for (let first = true; ; first = false)
        await right.send(
          encodeAttestMessage(answer(decodeAttestMessage(await right.receive(1 << 20)), first)),
        )
    }
    peer().catch(() => {})
    const code = await run
    left.close()
    return code
  }

  test("a reflected quote is refused", async () => {
    const code = await against((received) =>
      received.kind === "hello" ? { ...received, signer: bob.signer } : received,
    )
    expect(code).toBe("ATTEST_QUOTE_REFUSED")
  })

  test.each<[string, AttestMessage, string]>([
    ["acceptance instead of evidence", { kind: "accept" }, "ATTEST_OUT_OF_ORDER"],
    ["a refusal", { kind: "refuse", code: "SOME_CODE" }, "ATTEST_REFUSED_BY_PEER"],
  ])("%s ends the handshake", async (_name, message, expected) => {
    const code = await against((received, first) =>
      first && received.kind === "hello" ? { ...received, signer: bob.signer } : message,
    )
    expect(code).toBe(expected)
  })

  test("the policy sees the registration, so that it can compare platform and role", async () => {
    const seen: NodeRecord[] = []
    const policy = {
      appraise: async (_quote: Uint8Array, _data: Uint8Array, peer: NodeRecord) => void seen.push(peer),
    }
    await handshake(atAlice({ policy }), atBob())
    expect(seen.map(({ signer }) => signer)).toEqual([bob.signer])
  })
})
