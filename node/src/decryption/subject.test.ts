import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import type { Opening } from "@twinlock/sdk/threshold/robustReconstruct"
import { expect, test } from "vitest"
import { seatSigners } from "../../../test/support/decryptionNetwork.ts"
import { EPOCH, KEY_ID } from "../../../test/support/scriptedChain.ts"
import type { Authorised } from "./authorisePublic.ts"
import { createInbox } from "./inbox.ts"
import type { ApprovalStatement, ShareStatement } from "./statement.ts"
import { newSubject, step } from "./subject.ts"

const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: seatSigners(4) })
const subject = taggedHash("subject")
const session = parseSessionId(taggedHash("session"))
const authorised = { subject, ciphertexts: [{ session }] } as unknown as Authorised
const approval = (blockNumber: bigint, byte: number, sessions = [session]): ApprovalStatement => ({
  ...{ kind: "approval", party: parsePartyIndex(2, 4), subject, sessions, blockNumber },
  commitments: [new Uint8Array(66).fill(byte)],
})
const [old, last] = [approval(5n, 1), approval(6n, 2)]

test("an older word of a party replaces no newer one, but contradicts it where it names other sessions", () => {
  const start = newSubject(authorised, () => {
    throw new Error("nothing is opened here")
  })
  const after = [old, last, old].reduce((state, event) => step(state, event, committee).subject, start)
  expect([...after.approvals.values()]).toEqual([last])
  const other = approval(5n, 1, [parseSessionId(taggedHash("other"))])
  expect(step(after, other, committee).effects).toEqual([{ kind: "culprits", parties: [old.party] }])
})

test("shares that came before it was opened are at hand where the subject is begun anew, once for each party", () => {
  const added: number[] = []
  const opening = {
    state: { status: "waiting" },
    add: (party: number) => {
      added.push(party)
      return { culprits: [] }
    },
  } as unknown as Opening
  const share = (byte: number): ShareStatement => ({
    ...{ kind: "share", party: old.party, subject, sessionId: session },
    share: new Uint8Array(64).fill(byte),
  })
  const start = newSubject(authorised, () => opening)
  const waiting = [share(1), share(2)].reduce((state, event) => step(state, event, committee).subject, start)
  expect([...waiting.heardShares.values()]).toEqual([share(1)])
  expect(added).toHaveLength(2)
  const approved = [1, 2, 3].map((index) => ({ ...last, party: parsePartyIndex(index, 4) }))
  const live = new Set(approved.map(({ party }) => party))
  const released = [...approved, { kind: "standing", live } as const].reduce(
    (state, event) => step(state, event, committee).subject,
    waiting,
  )
  expect(released.status).toBe("released")
  const later = { ...share(3), party: parsePartyIndex(3, 4) }
  const lingering = step(released, later, committee).subject
  expect([...lingering.heardShares.values()]).toEqual([share(1), later])
})

test("before the subject is judged, neither an older word nor one that is played back replaces a newer one", () => {
  const inbox = createInbox()
  for (const statement of [last, old]) inbox.keep(statement)
  inbox.keep(approval(6n, 3), true)
  expect(inbox.take(subject)).toEqual([last])
  inbox.keep(old, true)
  inbox.keep(last)
  expect(inbox.take(subject)).toEqual([last])
})
