import { machineImage } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { encodeChannelEvidence } from "@twinlock/node/attestation/channelEvidence"
import { encodeAttestMessage } from "@twinlock/node/p2p/attestMessages"
import { address, digest } from "@twinlock/node/p2p/testSupport.fixture"
import { registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { describe, expect, test } from "vitest"
import { reflect, relay, replaying, rewriting } from "./hosts.ts"
import {
  attestAsInitiator,
  attestAsResponder,
  createScene,
  DAY,
  handshake,
  NOW,
  nothing,
  outcome,
  reasonOf,
  streamPair,
} from "./scene.ts"

const REFUSED = expect.stringContaining("ATTEST_REFUSED_BY_PEER")

test("honest enclaves attest each other with real quotes", async () => {
  const scene = createScene()
  const [alice, bob] = [scene.enclave(1), scene.enclave(2, "executor")]
  expect(
    await handshake(scene.contextOf(alice, bob.self.peerIdHash), scene.contextOf(bob, alice.self.peerIdHash)),
  ).toEqual(["attested", "attested"])
})

describe("relay", () => {
  /** Mallory's host stands between Alice, who dialled it, and Bob, whom it dialled: noise shows each of them Mallory. */
  async function between(malloryIsRegistered: boolean, rename: boolean, onAlicesMachine = false) {
    const scene = createScene()
    const [alice, bob] = [scene.enclave(1), scene.enclave(2)]
    const mallory = scene.enclave(3, "keyholder", {
      unregistered: !malloryIsRegistered,
      ...(onAlicesMachine ? { machine: alice.cvm.machine } : {}),
    })
    const [atAlice, left] = streamPair()
    const [right, atBob] = streamPair()
    const asMallory = rewriting((message) =>
      message.kind === "hello" && rename ? { ...message, signer: mallory.self.signer } : message,
    )
    relay(left, right, asMallory, asMallory)
    return Promise.all([
      reasonOf(attestAsInitiator(atAlice, scene.contextOf(alice, mallory.self.peerIdHash), nothing), atAlice),
      reasonOf(attestAsResponder(atBob, scene.contextOf(bob, mallory.self.peerIdHash), nothing), atBob),
    ])
  }

  test("an outsider that passes everything on is found out by its peer id", async () => {
    const [atAlice, atBob] = await between(false, false)
    expect(atBob).toContain("ATTEST_WRONG_PEER")
    expect(atAlice).toEqual(REFUSED)
  })

  test("an outsider under a name of its own is not registered", async () => {
    expect((await between(false, true))[1]).toContain("ATTEST_UNREGISTERED")
  })

  // Alice's enclave quotes for its channel to Mallory; Bob wants Mallory's for a channel to him.
  test.each([
    ["on another machine", false, "POLICY_PLATFORM"],
    ["on its own machine", true, "POLICY_REPORT_DATA"],
  ])("a registered member cannot let another enclave %s answer for it", async (_name, same, code) => {
    const [atAlice, atBob] = await between(true, true, same)
    expect(atBob).toMatch(new RegExp(`ATTEST_QUOTE_REFUSED.*${code}`))
    expect(atAlice).toEqual(REFUSED)
  })

  test("a quote of the right machine for another peer of it is refused", async () => {
    const scene = createScene()
    const bob = scene.enclave(2)
    const tenant = scene.enclave(4)
    // Same machine, same image, same compose file: only the peer id differs.
    const neighbour = scene.enclave(5, "keyholder", { machine: tenant.cvm.machine })
    expect(neighbour.cvm.machine.ppid).toBe(tenant.cvm.machine.ppid)
    const forwarded = {
      quote: async () => {
        const [end, far] = streamPair()
        const asked = outcome(
          attestAsInitiator(end, scene.contextOf(neighbour, bob.self.peerIdHash), nothing),
          end,
        )
        await far.receive(1 << 20)
        await far.send(
          encodeAttestMessage({
            ...{ kind: "hello", chainId: 31_337, registry: address(0xee) },
            ...{ signer: bob.self.signer, role: "keyholder", nonce: new Uint8Array(32) },
          }),
        )
        const evidence = await far.receive(1 << 20)
        far.close()
        await asked
        return evidence.subarray(6)
      },
    }
    const [atTenant, atBob] = await handshake(
      scene.contextOf(tenant, bob.self.peerIdHash, { quoter: forwarded }),
      scene.contextOf(bob, tenant.self.peerIdHash),
    )
    expect(atBob).toMatch(/ATTEST_QUOTE_REFUSED.*POLICY_REPORT_DATA/)
    expect(atTenant).toEqual(REFUSED)
  })
})

describe("replay and reflection", () => {
  test("an old quote over an old nonce is refused, by either side", async () => {
    const scene = createScene()
    const [alice, bob] = [scene.enclave(1), scene.enclave(2)]
    const contexts = (quoter = replaying(alice.quoter)) =>
      [
        scene.contextOf(alice, bob.self.peerIdHash, { quoter }),
        scene.contextOf(bob, alice.self.peerIdHash),
      ] as const
    const [first, second] = contexts()
    expect(await handshake(first, second)).toEqual(["attested", "attested"])
    expect((await handshake(first, second))[1]).toMatch(/ATTEST_QUOTE_REFUSED.*POLICY_REPORT_DATA/)
    expect((await handshake(second, first))[0]).toMatch(/ATTEST_QUOTE_REFUSED.*POLICY_REPORT_DATA/)
  })

  test.each<[string, boolean, RegExp]>([
    ["as it is", false, /ATTEST_SELF/],
    // Of the peer's own machine, so that nothing but the report data tells the two apart.
    ["under a peer's name", true, /ATTEST_QUOTE_REFUSED.*POLICY_REPORT_DATA/],
  ])("an enclave's own words sent back to it %s are refused", async (_name, rename, reason) => {
    const scene = createScene()
    const alice = scene.enclave(1)
    const bob = scene.enclave(2, "keyholder", { machine: alice.cvm.machine })
    const [end, far] = streamPair()
    void reflect(
      far,
      rewriting((message) =>
        message.kind === "hello" && rename ? { ...message, signer: bob.self.signer } : message,
      ),
    )
    const context = scene.contextOf(alice, bob.self.peerIdHash)
    expect(await reasonOf(attestAsInitiator(end, context, nothing), end)).toMatch(reason)
  })

  test("a quote of registration does not open a channel", async () => {
    const scene = createScene()
    const [alice, bob] = [scene.enclave(1), scene.enclave(2)]
    const { signer, role, peerIdHash } = alice.self
    const registration = registrationReportData({
      ...{ chainId: 31_337n, nodeRegistry: address(0xee), operator: address(0xaa), configHash: digest(1) },
      ...{ signer, role, peerIdHash, challengeBlock: 9n, challengeBlockHash: digest(9) },
    })
    const quoter = { quote: () => alice.quoter.quote(registration) }
    const [, atBob] = await handshake(
      scene.contextOf(alice, bob.self.peerIdHash, { quoter }),
      scene.contextOf(bob, alice.self.peerIdHash),
    )
    expect(atBob).toMatch(/ATTEST_QUOTE_REFUSED.*POLICY_REPORT_DATA/)
  })
})

describe("role, image and machine", () => {
  type Kind = Parameters<ReturnType<typeof createScene>["enclave"]>
  test.each<[string, (scene: ReturnType<typeof createScene>) => Kind, string]>([
    ["another image", () => [1, "keyholder", { image: machineImage("evil") }], "POLICY_IMAGE"],
    [
      "another key provider",
      () => [1, "keyholder", { keys: createKeyService("evil") }],
      "POLICY_KEY_PROVIDER",
    ],
    [
      "a debug TD",
      () => [1, "keyholder", { quoteKnobs: { tdAttributes: "0x0100001000000000" } }],
      "TD_DEBUG",
    ],
    [
      "a platform under another root",
      () => [1, "keyholder", { platform: createPlatform({ seed: "evil", now: NOW }) }],
      "ROOT_MISMATCH",
    ],
    [
      "a quote of an older version",
      () => [1, "keyholder", { quoteKnobs: { header: { version: 3 } } }],
      "QUOTE_VERSION",
    ],
  ])("%s is refused", async (_name, kind, code) => {
    const scene = createScene()
    const bob = scene.enclave(2)
    const alice = scene.enclave(...kind(scene))
    // The agent would not let such a quote pass as its own: the host speaks for it.
    const quoter = {
      quote: async (data: Uint8Array) =>
        encodeChannelEvidence({
          quote: alice.cvm.quote(data),
          eventLog: JSON.stringify(alice.cvm.events()),
          configDocument: new Uint8Array(),
        }),
    }
    const [, atBob] = await handshake(
      scene.contextOf(alice, bob.self.peerIdHash, { quoter }),
      scene.contextOf(bob, alice.self.peerIdHash),
    )
    expect(atBob).toContain(code)
  })

  test("an executor's enclave cannot take a keyholder's place", async () => {
    const scene = createScene()
    const bob = scene.enclave(2)
    const executor = scene.enclave(1, "executor")
    const posing = { ...executor, self: { ...executor.self, role: "keyholder" as const } }
    const atBob = async () =>
      (
        await handshake(
          scene.contextOf(posing, bob.self.peerIdHash),
          scene.contextOf(bob, executor.self.peerIdHash),
        )
      )[1]
    expect(await atBob()).toContain("ATTEST_WRONG_ROLE")
    // Even where the registry had the wrong role, its measurement is on the list for an executor only.
    const registered = scene.registry.get(executor.self.signer)
    if (registered !== undefined)
      scene.registry.set(executor.self.signer, { ...registered, role: "keyholder" })
    expect(await atBob()).toContain("POLICY_COMPOSE")
  })

  test("an enclave on another machine than the registered one is refused", async () => {
    const scene = createScene()
    const bob = scene.enclave(2)
    const alice = scene.enclave(1)
    const moved = scene.enclave(1, "keyholder", { machine: "another", unregistered: true })
    const [, atBob] = await handshake(
      scene.contextOf(moved, bob.self.peerIdHash),
      scene.contextOf(bob, alice.self.peerIdHash),
    )
    expect(atBob).toContain("POLICY_PLATFORM")
  })

  test("a peer id that nobody registered is refused, whatever its enclave", async () => {
    const scene = createScene()
    const [alice, bob] = [scene.enclave(1), scene.enclave(2)]
    const [, atBob] = await handshake(
      scene.contextOf({ ...alice, self: { ...alice.self, peerIdHash: digest(77) } }, bob.self.peerIdHash),
      scene.contextOf(bob, digest(77)),
    )
    expect(atBob).toContain("ATTEST_WRONG_PEER")
  })
})

describe("what has become stale", () => {
  test.each<[string, (scene: ReturnType<typeof createScene>) => void, string]>([
    [
      "collateral that expired",
      ({ requirements }) => {
        requirements.time = NOW + 31 * DAY
      },
      "CRL_EXPIRED",
    ],
    [
      "a machine that Intel revoked",
      ({ served, platform, clock }) => {
        served.collateral = platform.collateral({ revokedPck: [platform.machine("machine 1").pckSerial] })
        clock.advance(3_600_000)
      },
      "PCK_REVOKED",
    ],
    [
      "a TCB that became out of date",
      ({ served, platform, clock }) => {
        served.collateral = platform.collateral({ qeLevels: [{ isvSvn: 1, status: "OutOfDate" }] })
        clock.advance(3_600_000)
      },
      "POLICY_TCB_STATUS",
    ],
    [
      "floors above the collateral",
      ({ requirements }) => {
        requirements.floors = { tcb: 21, qe: 21 }
      },
      "TCB_INFO_BELOW_FLOOR",
    ],
    [
      "an image that was taken off the allow-list",
      ({ requirements }) => {
        requirements.policy = { ...requirements.policy, entries: [] }
      },
      "POLICY_IMAGE",
    ],
  ])("%s is refused at the next attestation", async (_name, change, code) => {
    const scene = createScene()
    const [alice, bob] = [scene.enclave(1), scene.enclave(2)]
    const attest = () =>
      handshake(scene.contextOf(alice, bob.self.peerIdHash), scene.contextOf(bob, alice.self.peerIdHash))
    expect(await attest()).toEqual(["attested", "attested"])
    change(scene)
    expect((await attest())[1]).toContain(code)
  })
})

describe("downgrade", () => {
  const hello = (scene: ReturnType<typeof createScene>) =>
    encodeAttestMessage({
      ...{ kind: "hello", chainId: 31_337, registry: address(0xee) },
      ...{ signer: scene.enclave(1).self.signer, role: "keyholder", nonce: new Uint8Array(32) },
    })

  test.each<[string, (scene: ReturnType<typeof createScene>) => Uint8Array, string]>([
    [
      "a frame of an older version",
      (scene) => Uint8Array.of(0, ...hello(scene).subarray(1)),
      "ATTEST_MALFORMED",
    ],
    [
      "a frame of a newer version",
      (scene) => Uint8Array.of(2, ...hello(scene).subarray(1)),
      "ATTEST_MALFORMED",
    ],
    [
      "acceptance before anything was shown",
      () => encodeAttestMessage({ kind: "accept" }),
      "ATTEST_OUT_OF_ORDER",
    ],
    [
      "evidence before the nonce is known",
      () => encodeAttestMessage({ kind: "evidence", quote: new Uint8Array(10) }),
      "ATTEST_OUT_OF_ORDER",
    ],
    ["an empty frame", () => new Uint8Array(), "ATTEST_MALFORMED"],
  ])("%s is refused", async (_name, frame, code) => {
    const scene = createScene()
    const bob = scene.enclave(2)
    const [end, far] = streamPair()
    await far.send(frame(scene))
    const context = scene.contextOf(bob, digest(101))
    expect(await outcome(attestAsResponder(end, context, nothing), end)).toBe(code)
  })
})
