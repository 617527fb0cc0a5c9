import { afterEach, describe, expect, test } from "vitest"
import { address, appOf, bytes32, closePeers, peer, post, relay, stalledPeer } from "../http.fixture.ts"
import { userDecryptionRoutes } from "./userDecryptions.ts"

afterEach(closePeers)

describe("user decryptions", () => {
  const permit = {
    user: address("01"),
    transportKeyHash: bytes32("02"),
    contracts: [address("03")],
    notBefore: "1",
    notAfter: "2",
    nonce: "0",
    chainId: "31337",
    extra: "0x",
  }
  const body = {
    keyId: bytes32("aa"),
    permit,
    signature: `0x${"11".repeat(65)}`,
    transportKey: "0x00",
    handles: [{ handle: bytes32("04"), contract: address("03") }],
  }
  const answer = (party: number) => ({
    keyId: bytes32("aa"),
    epoch: 1,
    party,
    sealedShares: [
      { handle: bytes32("04"), sessionId: bytes32("05"), sealed: "0x00", signature: `0x${"11".repeat(65)}` },
    ],
  })

  test("all answers are returned, not only a quorum of them", async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map((party) => peer(200, answer(party))))
    const patient = { ...relay, graceMs: 10_000 }
    const response = await appOf(userDecryptionRoutes(nodes, 3, patient)).request(
      "/v1/user-decryptions",
      post(body),
    )
    const { responses } = (await response.json()) as { responses: { party: number }[] }
    expect(responses.map(({ party }) => party).sort()).toEqual([1, 2, 3, 4])
  })

  test("NODES_REFUSED names each node's own code", async () => {
    const refusal = { error: { code: "NOT_ALLOWED_FOR_USER", message: "access control says no" } }
    const nodes = await Promise.all([1, 2, 3, 4].map(() => peer(403, refusal)))
    const response = await appOf(userDecryptionRoutes(nodes, 3, relay)).request(
      "/v1/user-decryptions",
      post(body),
    )
    const { error } = (await response.json()) as { error: { code: string; causes: { code: string }[] } }
    expect(error.code).toBe("NODES_REFUSED")
    expect(error.causes.map(({ code }) => code)).toEqual(Array(4).fill("NOT_ALLOWED_FOR_USER"))
  })

  test("a quorum is returned although one node stalls", async () => {
    const nodes = await Promise.all([1, 2, 3].map((party) => peer(200, answer(party))))
    const response = await appOf(userDecryptionRoutes([await stalledPeer(), ...nodes], 3, relay)).request(
      "/v1/user-decryptions",
      post(body),
    )
    const { responses } = (await response.json()) as { responses: { party: number }[] }
    expect(responses.map(({ party }) => party).sort()).toEqual([1, 2, 3])
  })

  test("refusals are returned although one node stalls, and it is named as silent", async () => {
    const refusal = { error: { code: "PERMIT_EXPIRED", message: "the permit ended" } }
    const nodes = await Promise.all([1, 2].map(() => peer(403, refusal)))
    const response = await appOf(
      userDecryptionRoutes([await stalledPeer(), await stalledPeer(), ...nodes], 3, relay),
    ).request("/v1/user-decryptions", post(body))
    const { error } = (await response.json()) as { error: { code: string; causes: { code: string }[] } }
    expect(error.code).toBe("NODES_REFUSED")
    expect(error.causes.map(({ code }) => code).sort()).toEqual([
      "PEER_SILENT",
      "PEER_SILENT",
      "PERMIT_EXPIRED",
      "PERMIT_EXPIRED",
    ])
  })
})
