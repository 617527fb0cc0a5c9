import { fromHex, keccak } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import { hashUserDecryptionPermit, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { certificateFromBody, resultFromBody } from "@twinlock/sdk/protocol/http"
import { parseAddress, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { generateTransportKey, openShare } from "@twinlock/sdk/threshold/sealedShare"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import {
  addCiphertext,
  addRequest,
  blockAt,
  createScriptedChain,
  createTestCommittee,
  createTestHolder,
  DOMAIN,
  EPOCH,
  KEY_ID,
  lyingHolder,
  type ScriptedChain,
  SIGNING,
} from "../../../test/support/decryptionNetwork.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import type { UserRequest } from "./authoriseUser.ts"
import { batchDigest, batchOf } from "./signing/batch.ts"

const size = { n: 4, t: 1 }

function tallyScene() {
  const chain = createScriptedChain()
  const ciphertexts = [
    addCiphertext(chain, "yes", 1234n),
    addCiphertext(chain, "no", 65_535n),
    addCiphertext(chain, "abstain", 0n),
  ]
  return { chain, ciphertexts, handles: ciphertexts.map(({ handle }) => handle) }
}

const words = (plaintexts: Uint8Array) =>
  Array.from({ length: plaintexts.length / 32 }, (_, i) =>
    BigInt(`0x${Buffer.from(plaintexts.slice(32 * i, 32 * i + 32)).toString("hex")}`),
  )
const counted = async (metrics: { text(): Promise<string> }, line: RegExp) => line.test(await metrics.text())

describe("public decryption", () => {
  test("a request is opened and certified by the group over exactly its result", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    const requestId = addRequest(chain, "tally", handles)
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(3000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined) throw new Error("nothing was delivered")
    const result = resultFromBody(first.result)
    const certificate = certificateFromBody(first.certificate)
    expect(result.requestId).toBe(requestId)
    expect(result.handles).toEqual(handles)
    expect(words(result.plaintexts)).toEqual([1234n, 65_535n, 0n])
    const signers = partiesOfBitmap(certificate.signers, size.n)
    expect(signers).toHaveLength(3)
    const seat = { key: { keyId: KEY_ID, epoch: EPOCH, domain: DOMAIN }, signing: SIGNING } as never
    expect(
      verifyGroupSignature(
        groupKey(committee.groupKey),
        batchDigest(seat, batchOf([result]), signers),
        certificate,
      ),
    ).toBe(true)
    const other = {
      ...result,
      plaintexts: Uint8Array.from(result.plaintexts, (byte, i) => (i === 31 ? byte ^ 1 : byte)),
    }
    expect(
      verifyGroupSignature(
        groupKey(committee.groupKey),
        batchDigest(seat, batchOf([other]), signers),
        certificate,
      ),
    ).toBe(false)
  })

  test.each([1, 2, 3, 4])(
    "with party %i down the others certify, and do not name it in the list",
    async (down) => {
      const { chain, ciphertexts, handles } = tallyScene()
      addRequest(chain, "tally", handles)
      const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [down] })
      await committee.run(12_000, () => committee.delivered.length > 0)
      const [first] = committee.delivered
      if (first === undefined) throw new Error("nothing was delivered")
      expect(partiesOfBitmap(certificateFromBody(first.certificate).signers, size.n)).not.toContain(down)
    },
  )

  test.each([1, 2, 3, 4])(
    "a lie of party %i in one bit changes nothing and names it at every honest node",
    async (liar) => {
      const { chain, ciphertexts, handles } = tallyScene()
      addRequest(chain, "tally", handles)
      const honest = createTestHolder(parsePartyIndex(liar, size.n), size.n, size.t, ciphertexts)
      const committee = createTestCommittee({
        ...size,
        chain,
        ciphertexts,
        holders: new Map([[liar, lyingHolder(honest)]]),
      })
      await committee.run(3000)
      const [first] = committee.delivered
      if (first === undefined) throw new Error("nothing was delivered")
      expect(words(resultFromBody(first.result).plaintexts)).toEqual([1234n, 65_535n, 0n])
      for (const { party, metrics } of committee.nodes) {
        if (party === liar) continue
        expect(await counted(metrics, new RegExp(`twinlock_culprits_total\\{party="${liar}"\\} 1`))).toBe(
          true,
        )
        expect(await counted(metrics, new RegExp(`twinlock_culprits_total\\{party="[^${liar}]"`))).toBe(false)
      }
    },
  )

  test("without a quorum of approvals no share leaves", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    let asked = 0
    const counting = {
      decryptionShare: async () => {
        asked += 1
        return new Uint8Array(256)
      },
    }
    const holders = new Map([3, 4].map((party) => [party, counting]))
    const committee = createTestCommittee({ ...size, chain, ciphertexts, down: [1, 2], holders })
    await committee.run(5000)
    expect(asked).toBe(0)
    expect(committee.delivered).toEqual([])
  })

  const refusals: readonly (readonly [
    string,
    (chain: ScriptedChain, handle: ReturnType<typeof tallyScene>["handles"][number]) => void,
  ])[] = [
    ["NOT_ALLOWED_FOR_DECRYPTION", (chain, handle) => chain.publiclyAllowed.delete(handle)],
    [
      "COMMITMENT_NOT_FINAL",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.state = { ...entry.state, status: "pending" }
      },
    ],
    [
      "COMMITMENT_FROZEN",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.state = { ...entry.state, status: "frozen" }
      },
    ],
    [
      "COMMITMENT_MISMATCH",
      (chain, handle) => {
        const entry = chain.commitments.get(handle)
        if (entry) entry.details = { ...entry.details, squashedDigest: keccak(new Uint8Array(1)) }
      },
    ],
    [
      "REQUEST_CANCELLABLE",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, uncancellableFrom: chain.head.timestamp + 1n })
      },
    ],
    [
      "REQUEST_EXPIRED",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, deadline: chain.head.timestamp - 1n })
      },
    ],
    [
      "REQUEST_NOT_OPEN",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, status: "cancelled" })
      },
    ],
    [
      "WRONG_KEY",
      (chain) => {
        for (const [id, request] of chain.requests)
          chain.requests.set(id, { ...request, keyId: keccak(new Uint8Array(2)) as never })
      },
    ],
  ]
  test.each(refusals)("%s: no node approves, nothing is delivered", async (code, spoil) => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const [handle] = handles
    if (handle !== undefined) spoil(chain, handle)
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(1500)
    expect(committee.delivered).toEqual([])
    for (const { metrics } of committee.nodes)
      expect(await counted(metrics, new RegExp(`twinlock_refusals_total\\{code="${code}"\\} 1`))).toBe(true)
  })

  test("a request is served as soon as its cancel window is over", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles, { uncancellableFrom: chain.head.timestamp + 5n })
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(1000)
    expect(committee.delivered).toEqual([])
    chain.head = blockAt(101n, chain.head.timestamp + 5n)
    await committee.run(3000, () => committee.delivered.length > 0)
    expect(committee.delivered).not.toEqual([])
  })

  test("signers refuse a list with a party that is not live, and another list is found", async () => {
    const { chain, ciphertexts, handles } = tallyScene()
    addRequest(chain, "tally", handles)
    const probe = createTestCommittee({ ...size, chain: createScriptedChain(), ciphertexts: [] })
    const expired = probe.nodes[1]?.signer
    if (expired === undefined) throw new Error("no party")
    chain.nodes.set(expired, {
      ...nodeRecord(expired),
      liveUntil: chain.head.timestamp + 1n,
    })
    const committee = createTestCommittee({ ...size, chain, ciphertexts })
    await committee.run(5000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined) throw new Error("nothing was delivered")
    expect(partiesOfBitmap(certificateFromBody(first.certificate).signers, size.n)).toEqual([1, 3, 4])
  })
})

const nodeRecord = (signer: ReturnType<typeof parseAddress>) => ({
  signer,
  operator: signer,
  role: "keyholder" as const,
  peerIdHash: keccak(new Uint8Array()),
  configHash: keccak(new Uint8Array()),
  ppid: signer,
  liveUntil: 0n,
  revoked: false,
})

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
    const other = addCiphertext(chain, "weight, again", 778n)
    const stores = new Map(committee.nodes.map(({ party, store }) => [party as number, store]))
    const entry = chain.commitments.get(other.handle)
    if (entry === undefined) throw new Error("no commitment")
    // The same handle now stands for other words: what a second k-quorum of executors would try.
    const { commitmentLeaf } = await import("@twinlock/sdk/protocol/commitment")
    const details = { ...entry.details, handle: ciphertext.handle }
    chain.commitments.set(ciphertext.handle, {
      details,
      state: { leaf: commitmentLeaf(DOMAIN, { ...details, fheType: 3 }), status: "final" },
    })
    const restarted = createTestCommittee({ ...size, chain, ciphertexts: [ciphertext, other], stores })
    for (const { service } of restarted.nodes)
      expect(await rejectionCodeOf(() => service.user.answer(requestFor(chain, ciphertext.handle)))).toBe(
        "CONFLICTING_RELEASE",
      )
  })
})
