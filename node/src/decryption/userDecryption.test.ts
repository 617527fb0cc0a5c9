import { fromHex, keccak } from "@twinlock/sdk/protocol/codec"
import { hashUserDecryptionPermit, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { parseAddress, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { generateTransportKey, openShare } from "@twinlock/sdk/threshold/sealedShare"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { createTestCommittee } from "../../../test/support/decryptionNetwork.ts"
import {
  addCiphertext,
  createScriptedChain,
  DOMAIN,
  EPOCH,
  KEY_ID,
  replaceWords,
  type ScriptedChain,
  SIGNING,
} from "../../../test/support/scriptedChain.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import type { UserRequest } from "./authoriseUser.ts"

const size = { n: 4, t: 1 }

describe("user decryption", () => {
  const userKey = seededRng("user")(32)
  const user = addressOfSecretKey(userKey)
  const contract = parseAddress(`0x${"ba".repeat(20)}`)
  const transport = generateTransportKey(seededRng("transport"))

  function scene() {
    const chain = createScriptedChain()
    const ciphertext = addCiphertext(chain, "weight", 777n)
    chain.publiclyAllowed.clear()
    for (const account of [user, contract]) chain.allowed.add(`${ciphertext.handle}/${account}`)
    return { chain, ciphertext }
  }

  function requestFor(
    chain: ScriptedChain,
    handle: ReturnType<typeof scene>["ciphertext"]["handle"],
    change: Partial<UserRequest["permit"]> = {},
    key = userKey,
  ): UserRequest {
    const permit = {
      user,
      transportKeyHash: keccak(transport.publicKey),
      contracts: [contract],
      notBefore: chain.head.timestamp,
      notAfter: chain.head.timestamp + 600n,
      nonce: 0n,
      chainId: DOMAIN.chainId,
      extra: new Uint8Array(),
      ...change,
    }
    const signature = signDigest(typedDigest(SIGNING, hashUserDecryptionPermit(permit)), key)
    return { permit, signature, transportKey: transport.publicKey, handles: [{ handle, contract }] }
  }

  test("the user opens the sealed shares; each is bound to its party", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext] })
    const request = requestFor(chain, ciphertext.handle)
    const answers = Promise.all(committee.nodes.map(({ service }) => service.user.answer(request)))
    await committee.run(1000)
    const opening = createOpening({ ...size, blocks: 4 })
    const permitHash = typedDigest(SIGNING, hashUserDecryptionPermit(request.permit))
    for (const { party, sealedShares } of await answers) {
      const [item] = sealedShares
      if (item === undefined) throw new Error("no share")
      const index = parsePartyIndex(party, size.n)
      const context = {
        keyId: KEY_ID,
        epoch: EPOCH,
        sessionId: ciphertext.session,
        chainId: DOMAIN.chainId,
        handle: ciphertext.handle,
        user,
        permitHash,
        party: index,
      }
      opening.add(index, openShare(transport.secretKey, context, fromHex(item.sealed)))
      const wrongParty = { ...context, party: parsePartyIndex((party % size.n) + 1, size.n) }
      expect(() => openShare(transport.secretKey, wrongParty, fromHex(item.sealed))).toThrow()
    }
    const { state } = opening
    expect(state.status === "opened" && decodePlaintext(state.values, 3)).toBe(777n)
  })

  const refusals: readonly (readonly [
    string,
    (request: UserRequest, chain: ScriptedChain) => UserRequest,
  ])[] = [
    [
      "PERMIT_BAD_SIGNATURE",
      (_, chain) => requestFor(chain, scene().ciphertext.handle, {}, seededRng("mallory")(32)),
    ],
    [
      "PERMIT_EXPIRED",
      (_, chain) =>
        requestFor(chain, scene().ciphertext.handle, { notBefore: 1n, notAfter: chain.head.timestamp - 1n }),
    ],
    [
      "PERMIT_NOT_YET_VALID",
      (_, chain) =>
        requestFor(chain, scene().ciphertext.handle, {
          notBefore: chain.head.timestamp + 1n,
          notAfter: chain.head.timestamp + 2n,
        }),
    ],
    [
      "PERMIT_TOO_LONG",
      (_, chain) => requestFor(chain, scene().ciphertext.handle, { notBefore: 0n, notAfter: 400n * 86_400n }),
    ],
    ["PERMIT_WRONG_CHAIN", (_, chain) => requestFor(chain, scene().ciphertext.handle, { chainId: 1n })],
    ["PERMIT_REVOKED", (_, chain) => requestFor(chain, scene().ciphertext.handle, { nonce: 1n })],
    [
      "PERMIT_USER_IS_CONTRACT",
      (_, chain) => requestFor(chain, scene().ciphertext.handle, { contracts: [contract, user] }),
    ],
    [
      "PERMIT_CONTRACT_NOT_LISTED",
      (_, chain) =>
        requestFor(chain, scene().ciphertext.handle, { contracts: [parseAddress(`0x${"bb".repeat(20)}`)] }),
    ],
    [
      "PERMIT_MALFORMED",
      (_, chain) => {
        const transportKey = transport.publicKey.slice(1)
        const change = { transportKeyHash: keccak(transportKey) }
        return { ...requestFor(chain, scene().ciphertext.handle, change), transportKey }
      },
    ],
    ["PERMIT_MALFORMED", (_, chain) => requestFor(chain, scene().ciphertext.handle, { contracts: [] })],
    [
      "PERMIT_REVOKED",
      (request, chain) => {
        chain.permitFloor = { nonce: 0n, invalidBefore: chain.head.timestamp + 1n }
        return request
      },
    ],
    [
      "COMMITMENT_FROZEN",
      (request, chain) => {
        for (const entry of chain.commitments.values()) entry.state = { ...entry.state, status: "frozen" }
        return request
      },
    ],
    [
      "PERMIT_WRONG_TRANSPORT_KEY",
      (request) => ({ ...request, transportKey: Uint8Array.from(request.transportKey, (byte) => byte ^ 1) }),
    ],
    [
      "NOT_ALLOWED_FOR_USER",
      (request, chain) => {
        chain.allowed.delete(`${request.handles[0]?.handle}/${user}`)
        return request
      },
    ],
    [
      "NOT_ALLOWED_FOR_USER",
      (request, chain) => {
        chain.allowed.delete(`${request.handles[0]?.handle}/${contract}`)
        return request
      },
    ],
    [
      "COMMITMENT_NOT_FINAL",
      (request, chain) => {
        for (const entry of chain.commitments.values()) entry.state = { ...entry.state, status: "pending" }
        return request
      },
    ],
  ]
  test.each(refusals)("%s is refused by every node", async (code, spoil) => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext] })
    const request = spoil(requestFor(chain, ciphertext.handle), chain)
    for (const { service } of committee.nodes)
      expect(await rejectionCodeOf(() => service.user.answer(request))).toBe(code)
  })

  test("NOT_APPROVED: one node with its own view of the chain gives nothing away", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext], down: [1, 2] })
    const code = rejectionCodeOf(async () =>
      committee.nodes[2]?.service.user.answer(requestFor(chain, ciphertext.handle)),
    )
    await committee.run(16_000)
    expect(await code).toBe("NOT_APPROVED")
  })

  test("CONFLICTING_RELEASE: another session for a released handle and user is refused after a restart, too", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext] })
    const answers = Promise.all(
      committee.nodes.map(({ service }) => service.user.answer(requestFor(chain, ciphertext.handle))),
    )
    await committee.run(1000)
    await answers
    const other = replaceWords(chain, ciphertext.handle, "weight, again")
    const stores = new Map(committee.nodes.map(({ party, store }) => [party as number, store]))
    const restarted = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext, other], stores })
    for (const { service } of restarted.nodes)
      expect(await rejectionCodeOf(() => service.user.answer(requestFor(chain, ciphertext.handle)))).toBe(
        "CONFLICTING_RELEASE",
      )
  })

  test("a node that hears of a request late is told what the others approved", async () => {
    const { chain, ciphertext } = scene()
    let cut = true
    const connected = (from: number, to: number) => !cut || (from !== 4 && to !== 4)
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext], connected })
    const request = requestFor(chain, ciphertext.handle)
    const [a, b, c, late] = committee.nodes
    const early = Promise.all([a, b, c].map((node) => node?.service.user.answer(request)))
    await committee.run(5000)
    await early
    cut = false
    const answer = late?.service.user.answer(request)
    await committee.run(5000)
    expect((await answer)?.party).toBe(4)
  })

  test("a repeat is answered at once from the same quorum, with the same session, but is judged anew", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext] })
    const request = requestFor(chain, ciphertext.handle)
    const answers = Promise.all(committee.nodes.map(({ service }) => service.user.answer(request)))
    await committee.run(1000)
    const [first] = await answers
    const again = await committee.nodes[0]?.service.user.answer(request)
    expect(again?.sealedShares[0]?.sessionId).toBe(first?.sealedShares[0]?.sessionId)
    chain.permitFloor = { nonce: 1n, invalidBefore: 0n }
    expect(await rejectionCodeOf(async () => committee.nodes[0]?.service.user.answer(request))).toBe(
      "PERMIT_REVOKED",
    )
  })

  test("after its time a quorum's word serves no repeat any more", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext] })
    const request = requestFor(chain, ciphertext.handle)
    const answers = Promise.all(committee.nodes.map(({ service }) => service.user.answer(request)))
    await committee.run(1000)
    await answers
    await committee.run(16_000)
    const code = rejectionCodeOf(async () => committee.nodes[0]?.service.user.answer(request))
    await committee.run(16_000)
    expect(await code).toBe("NOT_APPROVED")
  })

  test("QUOTA_EXCEEDED for the user's own requests, never for those of a stranger in the user's name", async () => {
    const { chain, ciphertext } = scene()
    const committee = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext], down: [1, 2] })
    const [, , node] = committee.nodes
    const ask = (request: UserRequest) => rejectionCodeOf(async () => node?.service.user.answer(request))
    const forged = requestFor(chain, ciphertext.handle, {}, seededRng("mallory")(32))
    const codes = Promise.all([
      ...Array.from({ length: 20 }, () => ask(forged)),
      ...Array.from({ length: 9 }, (_, i) =>
        ask(requestFor(chain, ciphertext.handle, { notAfter: chain.head.timestamp + 600n + BigInt(i) })),
      ),
    ])
    await committee.run(16_000)
    const counted = (code: string, all: readonly string[]) => all.filter((other) => other === code).length
    const all = await codes
    expect(counted("PERMIT_BAD_SIGNATURE", all)).toBe(20)
    expect(counted("QUOTA_EXCEEDED", all)).toBe(1)
    expect(counted("NOT_APPROVED", all)).toBe(8)
  })
})
