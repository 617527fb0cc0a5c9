import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { Approval, DecryptionShares } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { seatSigners } from "../../../test/support/decryptionNetwork.ts"
import { DOMAIN, EPOCH, KEY_ID, SIGNING, ZERO } from "../../../test/support/scriptedChain.ts"
import { Secret } from "../secret.ts"
import { createEvidenceShelf } from "./evidence.ts"
import { type KeySeat, signAs } from "./seat.ts"

const [alice, bob] = [1, 2].map((index) => parsePartyIndex(index, 4)) as [never, never]
const seat: KeySeat = {
  key: { keyId: KEY_ID, epoch: EPOCH, domain: DOMAIN },
  committee: createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: seatSigners(4) }),
  self: alice,
  signing: SIGNING,
  signer: new Secret(new Uint8Array(32).fill(1)),
}
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
  const shelf = createEvidenceShelf(() => said)
  shelf.note(alice, subject)
  expect(shelf.all()).toEqual([{ party: alice, subject, messages: [share(1, 1), share(1, 2)] }])
})

test("without a contradiction the newest messages about the subject are kept, and few of them", () => {
  const other = approval(9n, taggedHash("another subject"))
  const said = [...[1n, 2n, 3n, 4n].map((block) => approval(block)), other]
  const shelf = createEvidenceShelf(() => said)
  shelf.note(alice, subject)
  expect(shelf.all()[0]?.messages).toEqual([approval(2n), approval(3n), approval(4n)])
})

test("a proof is kept as it is; after four faults of a party there is room for others' alone", () => {
  const shelf = createEvidenceShelf(() => [])
  for (let i = 0; i < 9; i++) shelf.note(alice, taggedHash("fault", i), [Uint8Array.of(i)])
  shelf.note(bob, subject, [])
  expect(shelf.all().map(({ party, messages }) => [party, messages.map((bytes) => bytes[0])])).toEqual([
    ...[0, 1, 2, 3].map((i) => [alice, [i]]),
    [bob, []],
  ])
})
