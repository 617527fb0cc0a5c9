import { Wallet } from "ethers"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import {
  commitmentEvents,
  commitmentOf,
  committee,
  epoch,
  fakeClient,
  healthyAnswers,
  keyId,
  seatKeys,
  sessionOf,
  signingDomain,
} from "../../../test/support/fakeNetwork.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { concatBytes, fromHex, tagHash, toHex } from "../protocol/codec.ts"
import type { Commitment } from "../protocol/commitment.ts"
import { partyIndexes } from "../protocol/committee.ts"
import { hashUserDecryptionPermit, typedDigest } from "../protocol/eip712.ts"
import { culprits } from "../protocol/errors.ts"
import { permitFromBody, type UserDecryptionRequest } from "../protocol/http.ts"
import { type Hex, parseAddress, parseSessionId } from "../protocol/ids.ts"
import { recoverSigner, signDigest } from "../protocol/signature.ts"
import { encode, scalar } from "../threshold/galoisRing.ts"
import { sealedShareDigest, sealShare, transportKeyHash } from "../threshold/sealedShare.ts"
import { share } from "../threshold/shamir.ts"
import { signPermit } from "./signPermit.ts"
import { userDecrypt } from "./userDecrypt.ts"

const contract = parseAddress(`0x${"c".repeat(40)}`)
const weight = commitmentOf("weight", 3)
const choice = commitmentOf("choice", 2)
const wallet = new Wallet(`0x${"42".repeat(32)}`)
const user = parseAddress(wallet.address)
const handles = [weight, choice].map(({ handle }) => ({ handle, contract }))
const clear = new Map([
  [weight.handle, 513n],
  [choice.handle, 2n],
])

type SealedBody = { handle: Hex; sessionId: Hex; sealed: Hex; signature: Hex }
type AnswerBody = { keyId: Hex; epoch: number; party: number; sealedShares: readonly SealedBody[] }
/** What a party does to its share of each ciphertext before it seals and signs it. */
type Change = (share: Uint8Array, ciphertext: Commitment) => Uint8Array

/** Every party's shares of a ciphertext's blocks. */
function dealt({ handle, blockCount }: Commitment): Uint8Array[] {
  const value = clear.get(handle) ?? 0n
  const rng = seededRng(handle)
  const blocks = Array.from({ length: blockCount }, (_, k) =>
    share(scalar((((value >> BigInt(4 * k)) & 15n) << 123n) + 12345n), 4, 1, rng),
  )
  return [0, 1, 2, 3].map((i) => concatBytes(...blocks.map((block) => encode(block[i]?.value ?? scalar(0n)))))
}

/** What the nodes answer. */
function answers(body: unknown, changes: ReadonlyMap<number, Change> = new Map()): AnswerBody[] {
  const { permit: permitBody, transportKey } = body as UserDecryptionRequest
  const permitHash = typedDigest(signingDomain, hashUserDecryptionPermit(permitFromBody(permitBody)))
  return partyIndexes(committee).map((party) => {
    const secretKey = seatKeys[party - 1] ?? new Uint8Array()
    const sealedShares = [weight, choice].map((ciphertext) => {
      const { handle } = ciphertext
      const sessionId = sessionOf(ciphertext)
      const context = { keyId, epoch, sessionId, chainId: 31337n, handle, user, permitHash, party }
      const own = dealt(ciphertext)[party - 1] ?? new Uint8Array()
      const bytes = changes.get(party)?.(own, ciphertext) ?? own
      const sealed = sealShare(fromHex(transportKey), context, bytes, seededRng(`${party}${handle}`))
      const signature = signDigest(sealedShareDigest(context, sealed), secretKey)
      return { handle, sessionId, sealed: toHex(sealed), signature: toHex(signature) }
    })
    return { keyId, epoch, party, sealedShares }
  })
}

const chain = {
  answers: healthyAnswers([weight, choice]),
  events: commitmentEvents([weight, choice]),
}
const clientOf = (answer: (body: unknown) => readonly unknown[], own: Partial<typeof chain> = {}) =>
  fakeClient({ ...chain, ...own }, { "POST /v1/user-decryptions": (body) => ({ responses: answer(body) }) })

async function decrypt(answer: (body: unknown) => readonly unknown[], own: Partial<typeof chain> = {}) {
  const client = clientOf(answer, own)
  const permit = await signPermit(client, { signer: wallet, contracts: [contract] })
  return userDecrypt(client, { permit, handles })
}
const values = [
  { handle: weight.handle, type: "uint16", value: 513n },
  { handle: choice.handle, type: "uint8", value: 2n },
]
const without = (party: number) => (body: unknown) => answers(body).filter((answer) => answer.party !== party)

describe("signPermit", () => {
  test("the user signs a permit for a fresh transport key", async () => {
    const client = clientOf(answers)
    const { permit, signature, transportKey } = await signPermit(client, {
      signer: wallet,
      contracts: [contract],
      duration: 3600,
    })
    expect(permit).toMatchObject({ user, contracts: [contract], nonce: 7n, chainId: 31337n })
    expect(permit.notAfter - permit.notBefore).toBe(3600n)
    expect(permit.notBefore).toBeLessThan(1_000_000n)
    expect(permit.transportKeyHash).toBe(transportKeyHash(transportKey.publicKey))
    expect(recoverSigner(typedDigest(signingDomain, hashUserDecryptionPermit(permit)), signature)).toBe(user)
    const again = await signPermit(client, { signer: wallet, contracts: [contract] })
    expect(again.permit.transportKeyHash).not.toBe(permit.transportKeyHash)
    expect(JSON.stringify({ transportKey })).not.toContain(toHex(transportKey.secretKey).slice(2))
  })

  test("never starts before the user's own floor", async () => {
    const floor = { ...chain.answers, "coprocessor.permitFloor": () => [0n, 999_999n] }
    const { permit } = await signPermit(clientOf(answers, { answers: floor }), {
      signer: wallet,
      contracts: [contract],
    })
    expect(permit.notBefore).toBe(999_999n)
  })

  test.each([
    ["no contract", { contracts: [] }],
    ["eleven contracts", { contracts: Array(11).fill(contract) }],
    ["the user as contract", { contracts: [user] }],
    ["no time", { contracts: [contract], duration: 0 }],
    ["two years", { contracts: [contract], duration: 63_072_000 }],
    ["half a second", { contracts: [contract], duration: 0.5 }],
  ])("with %s is refused", async (_, params) => {
    const sign = () => signPermit(clientOf(answers), { signer: wallet, ...params })
    expect(await rejectionCodeOf(sign)).toBe("PERMIT_INVALID")
  })
})

describe("userDecrypt", () => {
  test("puts the values together from the nodes' sealed shares", async () => {
    expect(await decrypt(answers)).toEqual({ values, culprits: [] })
  })

  test.each([1, 2, 3, 4])("goes on without party %i", async (party) => {
    expect(await decrypt(without(party))).toEqual({ values, culprits: [] })
  })

  test("needs 2t+1 agreeing shares", async () => {
    const two = (body: unknown) => answers(body).slice(0, 2)
    expect(await rejectionCodeOf(() => decrypt(two))).toBe("SHARES_NOT_ENOUGH")
  })

  const flip: Change = (bytes) => bytes.map((byte, i) => (i === 11 ? byte ^ 4 : byte))
  const lyingParty = (party: number, change: Change) => (body: unknown) =>
    answers(body, new Map([[party, change]]))

  test.each([
    ["is off the polynomial", flip],
    [
      "is of one ciphertext only",
      ((bytes, { handle }) => (handle === weight.handle ? flip(bytes, weight) : bytes)) as Change,
    ],
    ["has another length", ((bytes) => bytes.slice(64)) as Change],
  ])("drops and names a party whose share %s", async (_, change) => {
    const signer = committee.parties[2]
    expect(await decrypt(lyingParty(3, change))).toEqual({ values, culprits: [{ party: 3, signer }] })
  })

  test("names the culprits where too many shares are bad", async () => {
    const bad = (body: unknown) => answers(body, new Map([[1, flip]])).slice(0, 3)
    const error = await decrypt(bad).catch((caught: unknown) => caught)
    expect(await rejectionCodeOf(() => decrypt(bad))).toBe("SHARES_NOT_ENOUGH")
    expect(culprits(error)).toEqual([])
    const short: Change = (bytes) => bytes.slice(64)
    const shortened = (body: unknown) => answers(body, new Map([[1, short]])).slice(0, 3)
    expect(culprits(await decrypt(shortened).catch((caught: unknown) => caught))).toEqual([1])
  })

  const rewrite = (party: number, change: (answer: AnswerBody) => unknown) => (body: unknown) =>
    answers(body).map((answer) => (answer.party === party ? change(answer) : answer))
  const each = (change: (share: SealedBody) => unknown) => (answer: AnswerBody) => ({
    ...answer,
    sealedShares: answer.sealedShares.map(change),
  })

  test.each([
    ["altered sealed bytes", each((s) => ({ ...s, sealed: `${s.sealed.slice(0, -2)}00` }))],
    ["another party's name", (answer: AnswerBody) => ({ ...answer, party: 2 })],
    ["no signature", each((s) => ({ ...s, signature: "0x" }))],
    ["another epoch", (answer: AnswerBody) => ({ ...answer, epoch: 2 })],
    ["another key", (answer: AnswerBody) => ({ ...answer, keyId: tagHash("other") })],
    ["a party outside the committee", (answer: AnswerBody) => ({ ...answer, party: 5 })],
    ["no form", () => ({ party: "1" })],
    ["nothing", () => null],
  ])("an answer with %s is dropped and blamed on nobody: a relay may have made it", async (_, change) => {
    expect(await decrypt(rewrite(1, change))).toEqual({ values, culprits: [] })
    const three = (body: unknown) => rewrite(1, change)(body).slice(0, 3)
    expect(await rejectionCodeOf(() => decrypt(three))).toBe("SHARES_NOT_ENOUGH")
  })

  test("the session comes from the chain, not from the answer", async () => {
    const renamed = rewrite(
      1,
      each((s) => ({ ...s, sessionId: parseSessionId(tagHash("other")) })),
    )
    expect(await decrypt(renamed)).toEqual({ values, culprits: [] })
    const other = { ...weight, squashedDigest: tagHash("another ciphertext") }
    const events = commitmentEvents([other, choice])
    const moved = { answers: healthyAnswers([other, choice]), events }
    expect(await rejectionCodeOf(() => decrypt(answers, moved))).toBe("SHARES_NOT_ENOUGH")
  })

  test("two different signed shares of one party name it", async () => {
    const twice = (body: unknown) => [...answers(body), ...answers(body, new Map([[2, flip]]))]
    const signer = committee.parties[1]
    expect(await decrypt(twice)).toEqual({ values, culprits: [{ party: 2, signer }] })
  })

  test("an opened value that is none is refused, not reduced", async () => {
    const shifted: Change = (bytes) => {
      const out = Uint8Array.from(bytes)
      out[15] = (out[15] ?? 0) ^ 0x80
      return out
    }
    const all = (body: unknown) => answers(body, new Map([1, 2, 3, 4].map((party) => [party, shifted])))
    expect(await rejectionCodeOf(() => decrypt(all))).toBe("PLAINTEXT_RANGE")
  })

  test("a handle of a contract that the permit does not name is not asked for", async () => {
    const client = clientOf(answers)
    const permit = await signPermit(client, { signer: wallet, contracts: [contract] })
    const foreign = [{ handle: weight.handle, contract: parseAddress(`0x${"e".repeat(40)}`) }]
    expect(await rejectionCodeOf(() => userDecrypt(client, { permit, handles: foreign }))).toBe(
      "PERMIT_INVALID",
    )
  })

  test("a permit with another transport key than its own is not sent", async () => {
    const client = clientOf(answers)
    const permit = await signPermit(client, { signer: wallet, contracts: [contract] })
    const { transportKey } = await signPermit(client, { signer: wallet, contracts: [contract] })
    const mixed = { ...permit, transportKey }
    expect(await rejectionCodeOf(() => userDecrypt(client, { permit: mixed, handles }))).toBe(
      "PERMIT_INVALID",
    )
  })
})
