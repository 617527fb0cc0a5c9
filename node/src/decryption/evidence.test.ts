import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { type Digest, parsePartyIndex, parseRequestId, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, DecryptionShares, Endorsement } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { seatSigners } from "../../../test/support/decryptionNetwork.ts"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { EPOCH, KEY_ID, SIGNING, ZERO } from "../../../test/support/scriptedChain.ts"
import { testSeat } from "../../../test/support/testSeat.ts"
import { createEvidenceShelf } from "./evidence.ts"
import { signAs } from "./seat.ts"

const [alice, bob] = [1, 2].map((index) => parsePartyIndex(index, 4)) as [never, never]
const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: seatSigners(4) })
const { publicKey } = generateFrostGroup(4, 1, "evidence")
const shelfOf = (...said: Uint8Array[]) =>
  createEvidenceShelf(() => said, { committee, signing: SIGNING, publicKey })
const seat = testSeat(1)
const subject = taggedHash("subject")
const session = (number: number) => parseSessionId(taggedHash("session", number))
const approval = (block: bigint, of = subject): Uint8Array =>
  encodeMessage(
    signAs<Approval>(seat, {
      ...{ kind: "approval", approved: [{ subject: of, sessions: [session(0)] }] },
      ...{ blockNumber: block, blockHash: ZERO, verdict: 1, commitments: [] },
    }),
  )
const share = (number: number, byte: number): Uint8Array =>
  encodeMessage(
    signAs<DecryptionShares>(seat, {
      kind: "decryption-shares",
      shares: [{ subject, sessionId: session(number), share: new Uint8Array(64).fill(byte) }],
    }),
  )

test("of much that was said, the two messages that contradict each other are kept", () => {
  const said = [approval(1n), share(0, 1), share(1, 1), share(2, 1), share(1, 2), share(3, 1), approval(2n)]
  const shelf = shelfOf(...said)
  shelf.note(alice, subject)
  expect(shelf.all()).toEqual([{ party: alice, subject, messages: [share(1, 1), share(1, 2)] }])
})

test("without a contradiction the newest messages about the subject are kept, and few of them", () => {
  const other = approval(9n, taggedHash("another subject"))
  const said = [...[1n, 2n, 3n, 4n].map((block) => approval(block)), other]
  const shelf = shelfOf(...said)
  shelf.note(alice, subject)
  expect(shelf.all()[0]?.messages).toEqual([approval(2n), approval(3n), approval(4n)])
})

/** Of no request: no endorsement by any seat. */
const falseEndorsement = encodeMessage(
  signAs<Endorsement>(seat, {
    ...{ kind: "endorsement", subjects: [parseRequestId(taggedHash("request"))], root: ZERO },
    endorsement: new Uint8Array(65).fill(1),
  }),
)
const fault = (number: number): Digest => taggedHash("fault", number)

test("a proof is kept as it is; after four faults of a party there is room for others' alone", () => {
  const shelf = shelfOf()
  for (let i = 0; i < 9; i++) shelf.note(alice, fault(i), [approval(BigInt(i))])
  shelf.note(bob, subject, [])
  expect(shelf.all()).toEqual([
    ...[0, 1, 2, 3].map((i) => ({ party: alice, subject: fault(i), messages: [approval(BigInt(i))] })),
    { party: bob, subject, messages: [] },
  ])
})

test("what a third party can judge takes the place of what it cannot, which never takes its place", () => {
  const shelf = shelfOf(share(1, 1), share(1, 2))
  const own = () => shelf.all().map((item) => item.subject)
  for (let i = 0; i < 4; i++) shelf.note(alice, fault(i))
  shelf.note(alice, fault(4), [approval(1n)])
  expect(own()).toEqual([1, 2, 3, 4].map(fault))
  shelf.note(alice, subject)
  for (let i = 5; i < 8; i++) shelf.note(alice, fault(i), [falseEndorsement])
  expect(own()).toEqual([subject, ...[5, 6, 7].map(fault)])
  for (let i = 8; i < 12; i++) shelf.note(alice, fault(i), [falseEndorsement])
  for (let i = 12; i < 16; i++) shelf.note(alice, fault(i))
  expect(own()).toEqual([subject, ...[5, 6, 7].map(fault)])
})

test("one fault of a subject is one entry, and its proof takes the place of the bare messages", () => {
  const said = [approval(1n)]
  const shelf = shelfOf(...said)
  shelf.note(alice, subject)
  shelf.note(alice, subject)
  expect(shelf.all()).toEqual([{ party: alice, subject, messages: said }])
  const proven = { party: alice, subject, messages: [falseEndorsement] }
  shelf.note(alice, subject, proven.messages)
  shelf.note(alice, subject, proven.messages)
  shelf.note(alice, subject)
  expect(shelf.all()).toEqual([proven])
})

test("messages that its party did not sign prove nothing", () => {
  const forged = falseEndorsement.slice().fill(0, -32)
  const shelf = shelfOf()
  for (let i = 0; i < 4; i++) shelf.note(alice, fault(i), [forged])
  shelf.note(alice, subject, [falseEndorsement])
  expect(shelf.all().at(-1)).toEqual({ party: alice, subject, messages: [falseEndorsement] })
})
