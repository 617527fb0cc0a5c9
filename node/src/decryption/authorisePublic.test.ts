import { type AcceptancePolicy, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { parseAddress, parseHandle, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import {
  addCiphertext,
  addRequest,
  createScriptedChain,
  EPOCH,
  KEY,
  KEY_ID,
  viewOf,
  ZERO,
} from "../../../test/support/scriptedChain.ts"
import type { HandleFacts, RequestFacts } from "../chain/chainView.ts"
import { authorisePublic } from "./authorisePublic.ts"

const seat = {
  key: KEY,
  committee: createCommittee({
    ...{ keyId: KEY_ID, epoch: EPOCH, t: 1 },
    parties: [1, 2, 3, 4].map((byte) => parseAddress(`0x${`0${byte}`.repeat(20)}`)),
  }),
}
/** Of the own clock, in milliseconds: some minutes after the final block. */
const NOW = 1_000_900_000

async function scene() {
  const chain = createScriptedChain()
  const ciphertexts = [addCiphertext(chain, "yes", 1n), addCiphertext(chain, "no", 2n)]
  const requestId = addRequest(
    chain,
    "tally",
    ciphertexts.map(({ handle }) => handle),
  )
  const facts = (await viewOf(chain).requestFacts([requestId], chain.head)).get(requestId)
  if (facts === undefined || facts === null) throw new Error("no facts")
  return { at: chain.head, requestId, facts, ciphertexts }
}

test("an open request over final commitments may be opened under the sessions of their words", async () => {
  const { at, requestId, facts, ciphertexts } = await scene()
  const authorised = authorisePublic(seat, requestId, facts, at, NOW)
  expect(authorised.recipient).toBe("public")
  expect(authorised.ciphertexts.map(({ session }) => session)).toEqual(
    ciphertexts.map(({ session }) => session),
  )
})

test("what can just be met in time and by all seats is not refused", async () => {
  const { at, requestId, facts } = await scene()
  const policy = { endorsements: 4, freshQuotes: 4, groupOnly: false }
  const request = { ...facts.request, deadline: 1_000_930n, policy }
  expect(authorisePublic(seat, requestId, { ...facts, request }, at, NOW).recipient).toBe("public")
})

const ofRequest =
  (change: Partial<RequestFacts["request"]>) =>
  (facts: RequestFacts): RequestFacts => ({ ...facts, request: { ...facts.request, ...change } })
const demanding = (policy: Partial<AcceptancePolicy>) =>
  ofRequest({ policy: { ...STANDING_POLICY, ...policy } })
const ofSecond =
  (change: (handle: HandleFacts) => Partial<HandleFacts>) =>
  (facts: RequestFacts): RequestFacts => ({
    ...facts,
    handles: facts.handles.map((handle, i) => (i === 1 ? { ...handle, ...change(handle) } : handle)),
  })
const commitment = (status: HandleFacts["commitment"]["status"]) =>
  ofSecond((handle) => ({ commitment: { ...handle.commitment, status } }))
const details = (change: Partial<NonNullable<HandleFacts["details"]>>) =>
  ofSecond((handle) => ({ details: handle.details && { ...handle.details, ...change } }))

const refusals: readonly (readonly [string, string, (facts: RequestFacts) => RequestFacts | null])[] = [
  ["no such request", "REQUEST_UNKNOWN", () => null],
  ["another key", "WRONG_KEY", ofRequest({ keyId: parseKeyId(taggedHash("other key")) })],
  ["cancelled", "REQUEST_NOT_OPEN", ofRequest({ status: "cancelled" })],
  ["fulfilled", "REQUEST_NOT_OPEN", ofRequest({ status: "fulfilled" })],
  ["refunded", "REQUEST_NOT_OPEN", ofRequest({ status: "refunded" })],
  ["past its deadline", "REQUEST_EXPIRED", ofRequest({ deadline: 999_999n })],
  ["past its deadline since the final block", "REQUEST_EXPIRED", ofRequest({ deadline: 1_000_899n })],
  ["too near its deadline to be on time", "REQUEST_EXPIRED", ofRequest({ deadline: 1_000_929n })],
  ["more endorsements than seats", "POLICY_UNMEETABLE", demanding({ endorsements: 5 })],
  ["more fresh quotes than seats", "POLICY_UNMEETABLE", demanding({ freshQuotes: 5 })],
  ["still to be cancelled", "REQUEST_CANCELLABLE", ofRequest({ uncancellableFrom: 1_000_001n })],
  ["facts of fewer handles", "REQUEST_UNKNOWN", (facts) => ({ ...facts, handles: facts.handles.slice(1) })],
  [
    "facts of another handle",
    "REQUEST_UNKNOWN",
    ofSecond(() => ({ handle: parseHandle(taggedHash("another handle")) })),
  ],
  [
    "facts in another order",
    "REQUEST_UNKNOWN",
    (facts) => ({ ...facts, handles: facts.handles.toReversed() }),
  ],
  ["not allowed", "NOT_ALLOWED_FOR_DECRYPTION", ofSecond(() => ({ allowedForDecryption: false }))],
  ["not committed", "COMMITMENT_NOT_FINAL", commitment("none")],
  ["pending", "COMMITMENT_NOT_FINAL", commitment("pending")],
  ["frozen", "COMMITMENT_FROZEN", commitment("frozen")],
  ["without details", "COMMITMENT_NOT_FINAL", ofSecond(() => ({ details: null }))],
  ["other words than committed", "COMMITMENT_MISMATCH", details({ squashedDigest: ZERO })],
  ["another width than the handle's", "COMMITMENT_MISMATCH", details({ blockCount: 16 })],
  ["details of another handle", "COMMITMENT_MISMATCH", details({ handle: parseHandle(taggedHash("other")) })],
]
test.each(refusals)("%s: %s", async (_, code, change) => {
  const { at, requestId, facts } = await scene()
  expect(codeOf(() => authorisePublic(seat, requestId, change(facts), at, NOW))).toBe(code)
})
