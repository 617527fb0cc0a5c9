import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { caIdOf } from "@twinlock/sdk/attestation/evidence"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import type { VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { createCollateralSource } from "./attestation/collateralSource.ts"
import { type HeldCollateral, heldUntil, ingestPlan } from "./attestation/ingestPlan.ts"
import type { Call } from "./chain/transactor.ts"
import { createManualClock } from "./clock.ts"
import { COLLATERAL_POLL_MS, callsOf, createCollateralKeeper, paceOf } from "./collateralKeeper.ts"
import { address, digest } from "./p2p/testSupport.fixture.ts"
import { silentLogger } from "./telemetry/logger.ts"
import { createMetrics } from "./telemetry/metrics.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const platform = createPlatform({ seed: "collateral keeper", now: NOW })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const verified = (knobs = {}): VerifiedCollateral =>
  verifier.verifyCollateral(platform.collateral(knobs), { time: NOW, floors: { tcb: 0, qe: 0 } })
const fresh = verified()
const caId = caIdOf(platform.platformCa.key.publicKey)
const STORE = address(0xc5)
const PACE = { lead: 6 * DAY, listAge: DAY, documentAge: 4 * DAY }

/** What the store holds where everything was issued `age` days ago, with the content that is offered or another. */
function heldSince(age: number, differs = false): HeldCollateral {
  const issuedAt = NOW - age * DAY
  const document = { issuedAt, expiresAt: issuedAt + 30 * DAY, differs }
  return {
    rootCrl: { issuedAt, expiresAt: issuedAt + 365 * DAY, differs },
    authority: { ...document, caId },
    tcbSets: [{ ...document, evaluation: 20 }],
    qeIdentities: [{ ...document, evaluation: 20 }],
  }
}
const NOTHING: HeldCollateral = {
  rootCrl: { issuedAt: 0, expiresAt: 0, differs: false },
  authority: null,
  tcbSets: [],
  qeIdentities: [],
}

describe("what the chain lacks", () => {
  const kinds = (held: HeldCollateral, collateral = fresh) =>
    ingestPlan(held, collateral, { time: NOW, ...PACE }).map(({ kind }) => kind)

  test.each<[string, HeldCollateral, VerifiedCollateral, readonly string[]]>([
    ["nothing, while everything is young", heldSince(1), fresh, []],
    ["lists that are newer by more than a day", heldSince(1.01), fresh, ["root_crl", "pck_crl"]],
    [
      "documents that are newer by more than some days",
      heldSince(4.01),
      fresh,
      ["root_crl", "pck_crl", "tcb_info", "qe_identity"],
    ],
    [
      "at once what says something new",
      heldSince(0.01, true),
      fresh,
      ["root_crl", "pck_crl", "tcb_info", "qe_identity"],
    ],
    [
      "one list that revokes more",
      { ...heldSince(0.01), authority: { ...heldSince(0.01, true).rootCrl, caId } },
      fresh,
      ["pck_crl"],
    ],
    [
      "what runs out within the lead time, however little newer",
      heldSince(25),
      verified({ issuedAt: NOW - 24.9 * DAY }),
      ["pck_crl", "tcb_info", "qe_identity"],
    ],
    [
      "everything, in the order in which it is taken",
      NOTHING,
      fresh,
      ["root_crl", "authority", "pck_crl", "tcb_info", "qe_identity"],
    ],
    [
      "a set of a new number at once",
      heldSince(1),
      verified({ evaluationNumber: 21 }),
      ["tcb_info", "qe_identity"],
    ],
    ["nothing that is not newer", heldSince(25, true), verified({ issuedAt: NOW - 25 * DAY }), []],
  ])("%s", (_name, held, collateral, expected) => {
    expect(kinds(held, collateral)).toEqual(expected)
  })

  test("the first part that runs out, over the longest set", () => {
    const held = heldSince(3)
    expect(heldUntil(held)).toBe(NOW + 27 * DAY)
    expect(
      heldUntil({ ...held, tcbSets: [...held.tcbSets, { ...heldSince(20).rootCrl, evaluation: 19 }] }),
    ).toBe(NOW + 27 * DAY)
    expect(heldUntil({ ...held, tcbSets: [] })).toBe(0)
    expect(heldUntil(NOTHING)).toBe(0)
  })
})

describe("calls", () => {
  test("a long CRL goes in steps that cover every serial once", () => {
    const crl = { kind: "pck_crl", caId, der: Uint8Array.of(1), serials: 3_100 } as const
    const calls = callsOf(crl, STORE)
    expect(calls.map(({ method, args }) => [method, method === "continueCrl" ? args[1] : args[0]])).toEqual([
      ["proposeCrl", caId],
      ["continueCrl", 1_500],
      ["continueCrl", 1_500],
      ["continueCrl", 100],
    ])
    expect(callsOf({ ...crl, serials: 2_000 }, STORE).map(({ method }) => method)).toEqual(["storeCrl"])
  })

  test("every call is one that the store has", () => {
    for (const document of ingestPlan(NOTHING, fresh, { time: NOW, ...PACE }))
      for (const { abi, method, args } of callsOf(document, STORE))
        expect(abi.encodeFunctionData(method, [...args])).toMatch(/^0x/)
  })

  test("nodes differ in when they replace what says nothing new", () => {
    const paces = [1, 2, 3, 4].map((byte) => paceOf(address(byte)))
    for (const [member, from, until] of [
      ["lead", 5, 7],
      ["listAge", 1, 1.5],
      ["documentAge", 3, 5],
    ] as const) {
      const values = paces.map((pace) => pace[member])
      expect(new Set(values).size).toBe(4)
      for (const value of values) expect(value >= from * DAY && value < until * DAY).toBe(true)
    }
  })
})

describe("collateral keeper", () => {
  const reverted = (name: string) =>
    new ProtocolError({ code: "TRANSACTION_REVERTED", message: `reverts: ${name}()` })

  function world(
    held: HeldCollateral,
    answer: (call: Call, sent: readonly Call[]) => Error | null = () => null,
  ) {
    const sent: Call[] = []
    const clock = createManualClock()
    const metrics = createMetrics()
    const keeper = createCollateralKeeper(
      { signer: address(1), pollMs: 1_000 },
      {
        chain: { head: async () => ({ number: 7n, hash: digest(7), timestamp: BigInt(NOW) }) },
        view: { store: async () => STORE, held: async () => held },
        collateral: async () => fresh,
        floors: async () => ({ tcb: 20, qe: 20 }),
        transactor: {
          send: async (call) => {
            const error = answer(call, sent)
            if (error !== null) throw error
            sent.push(call)
            return { hash: digest(1), gasUsed: 1n, blockNumber: 8n }
          },
        },
        ...{ scheduler: clock, logger: silentLogger, metrics },
      },
    )
    return { keeper, sent, clock, metrics }
  }

  test("brings what runs out", async () => {
    const { keeper, sent, metrics } = world(heldSince(26))
    expect(await keeper.look()).toEqual(["root_crl", "pck_crl", "tcb_info", "qe_identity"])
    expect(sent.map(({ to, method }) => [to, method])).toEqual([
      [STORE, "storeRootCrl"],
      [STORE, "storeCrl"],
      [STORE, "storeTcbInfo"],
      [STORE, "storeQeIdentity"],
    ])
    expect(await metrics.text()).toContain(`twinlock_chain_collateral_left ${4 * DAY}`)
  })

  test("does nothing while everything lasts", async () => {
    const { keeper, sent } = world(heldSince(0.5))
    expect(await keeper.look()).toEqual([])
    expect(sent).toEqual([])
  })

  test("brings the signing certificate first where the store does not know it", async () => {
    const { keeper, sent } = world(heldSince(26), ({ method }, before) =>
      method === "storeTcbInfo" && !before.some((call) => call.method === "storeTcbSigner")
        ? reverted("InvalidSignature")
        : null,
    )
    expect(await keeper.look()).toEqual(["root_crl", "pck_crl", "tcb_info", "qe_identity"])
    expect(sent.map(({ method }) => method)).toEqual([
      "storeRootCrl",
      "storeCrl",
      "storeTcbSigner",
      "storeTcbInfo",
      "storeQeIdentity",
    ])
  })

  test("brings a renewed signing certificate where the one that the store has is over", async () => {
    for (const refusal of ["Expired", "CertificateRevoked"]) {
      const { keeper, sent } = world(heldSince(26), ({ method }, before) =>
        method === "storeTcbInfo" && !before.some((call) => call.method === "storeTcbSigner")
          ? reverted(refusal)
          : null,
      )
      expect(await keeper.look()).toContain("tcb_info")
      expect(sent.map(({ method }) => method)).toContain("storeTcbSigner")
    }
  })

  test("another node that was quicker is no failure, and one document that fails does not stop the rest", async () => {
    const { keeper, metrics } = world(heldSince(26), ({ method }) => {
      if (method === "storeCrl") return reverted("NotNewer")
      return method === "storeTcbInfo" ? reverted("Expired") : null
    })
    expect(await keeper.look()).toEqual(["root_crl", "qe_identity"])
    const text = await metrics.text()
    expect(text).toContain('twinlock_collateral_ingests_total{document="pck_crl",outcome="late"} 1')
    expect(text).toContain('twinlock_collateral_ingests_total{document="tcb_info",outcome="failed"} 1')
  })

  test("looks again after every pause until it is stopped", async () => {
    const { keeper, clock } = world(heldSince(0.5))
    await keeper.start()
    while (clock.pending().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending()).toEqual([clock.now() + 1_000])
    await keeper.stop()
    expect(clock.pending()).toEqual([])
  })

  test("a revocation is sent within the hour of its publication, though a service is slow to answer", async () => {
    const clock = createManualClock(NOW * 1_000)
    const time = (): number => Math.floor(clock.now() / 1_000)
    const terms = () => ({ time: time(), floors: { tcb: 20, qe: 20 } })
    const stolen = platform.machine("stolen").pckSerial
    let revoked: readonly Uint8Array[] = []
    let answer: () => void = () => {}
    let slow = false
    const source = createCollateralSource(
      { urls: ["only"] },
      {
        ...{ clock, scheduler: clock, verifier, metrics: null },
        async fetchBundle() {
          const issuedAt = time()
          if (slow) await new Promise<void>((resolve) => (answer = resolve))
          return platform.collateral({ issuedAt, revokedPck: revoked })
        },
      },
    )
    const sent: string[] = []
    const keeper = createCollateralKeeper(
      { signer: address(1), pollMs: COLLATERAL_POLL_MS },
      {
        chain: { head: async () => ({ number: 7n, hash: digest(7), timestamp: BigInt(time()) }) },
        view: {
          store: async () => STORE,
          held: async ({ pckCrl }) => {
            const held = heldSince(0)
            const differs = pckCrl.revoked.size > 0
            return { ...held, authority: { ...held.rootCrl, caId, differs } }
          },
        },
        collateral: () => source.collateralFor({ fmspc: "b0c06f000000", authority: "platform" }, terms()),
        floors: async () => ({ tcb: 20, qe: 20 }),
        transactor: {
          send: async ({ method }) => {
            sent.push(method)
            return { hash: digest(1), gasUsed: 1n, blockNumber: 8n }
          },
        },
        ...{ scheduler: clock, logger: silentLogger, metrics: null },
      },
    )
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    await keeper.start()
    while (clock.pending().length === 0) await turn()
    revoked = [stolen]
    slow = true
    const end = clock.now() + 3_600_000
    while (sent.length === 0 && clock.now() < end) {
      clock.advance(Math.min(...clock.pending()) - clock.now())
      // The service answers when its caller has lost patience.
      if (clock.pending().length === 0) answer()
      for (let turns = 0; turns < 50; turns++) await turn()
    }
    await keeper.stop()
    expect(sent).toEqual(["storeCrl"])
  })
})
