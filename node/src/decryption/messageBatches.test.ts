import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import {
  MAX_APPROVED_SESSIONS,
  MAX_ITEMS,
  MAX_SHARE_BYTES,
  type SessionShare,
} from "@twinlock/sdk/protocol/messages"
import fc from "fast-check"
import { expect, test } from "vitest"
import { blockAt } from "../../../test/support/scriptedChain.ts"
import type { Authorised } from "./authorisePublic.ts"
import { approvalMessages, shareMessages } from "./messageBatches.ts"

const shareOf = (name: number, blocks: number): SessionShare => ({
  subject: taggedHash("subject", name % 7),
  sessionId: parseSessionId(taggedHash("session", name)),
  share: new Uint8Array(64 * blocks),
})
const shares = fc.array(
  fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 64 })).map(([name, blocks]) => shareOf(name, blocks)),
  { maxLength: 200 },
)

test("every share leaves once, in order, in messages within their maxima", () => {
  fc.assert(
    fc.property(shares, (items) => {
      const messages = shareMessages(items)
      const names = (list: readonly SessionShare[]) => list.map((item) => item.subject + item.sessionId)
      expect(names(messages.flat())).toEqual([...new Set(names(items))])
      for (const message of messages) {
        expect(message.length).toBeGreaterThan(0)
        expect(message.length).toBeLessThanOrEqual(MAX_ITEMS)
        expect(message.reduce((sum, { share }) => sum + share.length, 0)).toBeLessThanOrEqual(MAX_SHARE_BYTES)
      }
    }),
  )
})

test("64 shares of the size of an uint64 travel in one message", () => {
  expect(shareMessages(Array.from({ length: 64 }, (_, i) => shareOf(i, 16)))).toHaveLength(1)
})

const authorisedOf = (name: number, sessions: number, block: number): Authorised => ({
  subject: taggedHash("subject", name),
  recipient: "public",
  ciphertexts: Array.from({ length: sessions }, () => ({}) as Authorised["ciphertexts"][number]),
  at: blockAt(BigInt(block), 0n),
})
const subjects = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 2 })), { maxLength: 200 })
  .map((items) => items.map(([sessions, block], i) => authorisedOf(i, sessions, block)))

test("every subject is approved once, in order, in messages of one block within their maxima", () => {
  fc.assert(
    fc.property(subjects, (items) => {
      const messages = approvalMessages(items)
      expect(messages.flat()).toEqual(items)
      for (const message of messages) {
        expect(message.length).toBeLessThanOrEqual(MAX_ITEMS)
        expect(new Set(message.map(({ at }) => at.hash)).size).toBe(1)
        const sessions = message.reduce((sum, { ciphertexts }) => sum + ciphertexts.length, 0)
        expect(sessions).toBeLessThanOrEqual(MAX_APPROVED_SESSIONS)
      }
    }),
  )
})
