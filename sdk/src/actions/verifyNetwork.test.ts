import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { type FakeAnswers, fakeDeployment } from "../../../test/support/fakeChain.ts"
import { committee, epoch, fakeClient, healthyAnswers, keyId } from "../../../test/support/fakeNetwork.ts"
import type { QuoteVerifier } from "../attestation/underRoot.ts"
import { tagHash } from "../protocol/codec.ts"
import { type NetworkCheckName, verifyNetwork } from "./verifyNetwork.ts"

const look = (answers: FakeAnswers = {}, fork?: string) =>
  verifyNetwork(
    fakeClient({ answers: { ...healthyAnswers(), ...answers }, ...(fork === undefined ? {} : { fork }) }, {}),
  )
const failing = async (answers: FakeAnswers, fork?: string): Promise<NetworkCheckName[]> =>
  (await look(answers, fork)).checks.filter(({ ok }) => !ok).map(({ name }) => name)
const key = healthyAnswers()["keyRegistry.keyOf"]?.()?.[0] as readonly unknown[]
const keyWith = (at: number, value: unknown): FakeAnswers => ({
  "keyRegistry.keyOf": () => [key.map((field, i) => (i === at ? value : field))],
})

describe("verifyNetwork", () => {
  test("finds nothing on a healthy network", async () => {
    const report = await look()
    expect(report).toMatchObject({ ok: true, keyId, epoch })
    expect(report.checks.map(({ name }) => name)).toEqual([
      "key-id",
      "host-binding",
      "parameters",
      "digests",
      "committee",
      "seats-live",
      "executors-live",
    ])
    expect(report.seats.map(({ party, signer, live }) => [party, signer, live])).toEqual(
      committee.parties.map((signer, i) => [i + 1, signer, true]),
    )
    expect(report.executors).toHaveLength(2)
  })

  test("a key of another chain, registry or ceremony", async () => {
    expect(await failing({}, "another history")).toEqual(["key-id"])
    expect(await failing(keyWith(3, 5))).toEqual(["key-id"])
  })

  test("a key of another host", async () => {
    const host = [31337n, fakeDeployment.coprocessor, fakeDeployment.coprocessor]
    expect(await failing(keyWith(4, host))).toEqual(["key-id", "host-binding"])
  })

  test("other parameters, missing digests", async () => {
    expect(await failing(keyWith(5, tagHash("weak parameters")))).toEqual(["parameters"])
    expect(await failing(keyWith(8, `0x${"00".repeat(32)}`))).toEqual(["digests"])
  })

  test("a verifier that disagrees with the registry", async () => {
    const header = healthyAnswers()["decryptionVerifier.headerOf"]?.()?.[0] as readonly unknown[]
    const quorumOne: FakeAnswers = {
      "decryptionVerifier.headerOf": () => [header.map((field, i) => (i === 3 ? 1 : field))],
    }
    expect(await failing(quorumOne)).toEqual(["committee"])
  })

  test("seats and executors without standing, by name", async () => {
    const seats: FakeAnswers = {
      "decryptionVerifier.expiryOf": (_, __, party) => [party === "3" ? 1_000_000 : 2_000_000],
    }
    const report = await look(seats)
    expect(report.ok).toBe(false)
    expect(report.checks.find(({ ok }) => !ok)).toEqual({
      name: "seats-live",
      ok: false,
      detail: "not live: parties 3",
    })
    expect(report.seats[2]?.live).toBe(false)
    expect(await failing({ "nodeRegistry.liveUntil": () => [0] })).toEqual(["executors-live"])
  })

  test("an executor quorum of one", async () => {
    const executors = healthyAnswers()["keyRegistry.executorsOf"]?.()?.[0]
    expect(await failing({ "keyRegistry.executorsOf": () => [executors, 1] })).toEqual(["executors-live"])
  })

  test("a network without an active key is no network", async () => {
    expect(await rejectionCodeOf(() => look(keyWith(0, 1)))).toBe("KEY_NOT_ACTIVE")
  })

  test("nodes whose quotes are not on chain are a finding", async () => {
    const none = `0x${"00".repeat(16)}`
    const answers: FakeAnswers = {
      ...healthyAnswers(),
      "nodeRegistry.floors": () => [1, 1],
      "nodeRegistry.nodeOf": () => [
        [committee.parties[0], 0, false, false, 0, 0, 0, none, none, tagHash("p"), tagHash("c"), 0],
      ],
    }
    const verifier = {} as QuoteVerifier
    const collateral = async () => {
      throw new Error("not asked")
    }
    const report = await verifyNetwork(fakeClient({ answers }, {}), { quotes: { verifier, collateral } })
    const quotes = report.checks.find(({ name }) => name === "quotes")
    expect(quotes?.ok).toBe(false)
    expect(quotes?.detail).toContain("no evidence on chain")
  })
})
