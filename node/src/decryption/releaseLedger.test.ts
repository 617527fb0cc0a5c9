import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress, parseHandle, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createMemoryStore } from "../storage/memoryStore.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import { type Booking, createReleaseLedger, type Release } from "./releaseLedger.ts"

const NAME = "key/1"
const alice = parseAddress(`0x${"a1".repeat(20)}`)
const ciphertext = (handle: string, session: string, blockCount = 16) => ({
  handle: parseHandle(taggedHash("handle", taggedHash(handle))),
  session: parseSessionId(taggedHash("session", taggedHash(session))),
  blockCount,
})
const open = (...ciphertexts: Release["ciphertexts"]): Release => ({ recipient: "public", ciphertexts })
const codes = (bookings: readonly Booking[]) =>
  bookings.map((booking) => (isProtocolError(booking) ? booking.detail.code : booking))

/** Counts the durable steps. */
function counted(inner: SealedStore = createMemoryStore()) {
  const seen = { writes: 0 }
  const store: SealedStore = {
    ...inner,
    putMany: async (records) => {
      seen.writes += 1
      await inner.putMany(records)
    },
  }
  return { seen, store }
}

describe("release ledger", () => {
  test("many releases are one durable step; a repeat is known, also after a restart", async () => {
    const { seen, store } = counted()
    const releases = [open(ciphertext("a", "1"), ciphertext("b", "2")), open(ciphertext("c", "3"))]
    expect(codes(await createReleaseLedger(store, NAME).book(releases))).toEqual(["new", "new"])
    expect(seen.writes).toBe(1)
    const again = createReleaseLedger(store, NAME)
    expect(codes(await again.book(releases))).toEqual(["repeat", "repeat"])
    expect(await again.spent()).toBe(48)
  })

  test.each([
    ["in the same batch", [[open(ciphertext("a", "1")), open(ciphertext("a", "2"))]]],
    ["in a later batch", [[open(ciphertext("a", "1"))], [open(ciphertext("a", "2"))]]],
    ["in the same release", [[open(ciphertext("a", "1"), ciphertext("a", "2"))]]],
  ])("another session for a released handle is refused %s, and books nothing", async (_, batches) => {
    const ledger = createReleaseLedger(createMemoryStore(), NAME)
    const bookings: Booking[] = []
    for (const batch of batches) bookings.push(...(await ledger.book(batch)))
    expect(codes(bookings).at(-1)).toBe("CONFLICTING_RELEASE")
    expect(await ledger.spent()).toBe(16 * (bookings.length - 1))
  })

  test("a refused release spoils none of the others of its batch", async () => {
    const ledger = createReleaseLedger(createMemoryStore(), NAME)
    await ledger.book([open(ciphertext("a", "1"))])
    const bookings = await ledger.book([
      open(ciphertext("b", "2")),
      open(ciphertext("c", "3"), ciphertext("a", "other")),
      open(ciphertext("d", "4")),
    ])
    expect(codes(bookings)).toEqual(["new", "CONFLICTING_RELEASE", "new"])
    // Nothing of the refused one was booked: its first handle is still free.
    expect(codes(await ledger.book([open(ciphertext("c", "5"))]))).toEqual(["new"])
  })

  test("recipients are apart: a user may have a handle that is public under another session", async () => {
    const ledger = createReleaseLedger(createMemoryStore(), NAME)
    const user = (session: string): Release => ({
      recipient: alice,
      ciphertexts: [ciphertext("a", session)],
    })
    expect(codes(await ledger.book([open(ciphertext("a", "1")), user("2"), user("3")]))).toEqual([
      "new",
      "new",
      "CONFLICTING_RELEASE",
    ])
  })

  test("a session is booked once, whoever gets it", async () => {
    const ledger = createReleaseLedger(createMemoryStore(), NAME)
    await ledger.book([
      open(ciphertext("a", "1")),
      { recipient: alice, ciphertexts: [ciphertext("a", "1")] },
      open(ciphertext("b", "1")),
    ])
    expect(await ledger.spent()).toBe(16)
  })

  test("the budget is never exceeded, whatever is asked at once, and what fits is served", async () => {
    const ledger = createReleaseLedger(createMemoryStore(), NAME, 40)
    const asked = ["1", "2", "3", "4"].map((name) => ledger.book([open(ciphertext(name, name))]))
    expect(codes((await Promise.all(asked)).flat())).toEqual([
      "new",
      "new",
      "BLOCK_BUDGET_EXHAUSTED",
      "BLOCK_BUDGET_EXHAUSTED",
    ])
    expect(codes(await ledger.book([open(ciphertext("big", "b")), open(ciphertext("s", "s", 8))]))).toEqual([
      "BLOCK_BUDGET_EXHAUSTED",
      "new",
    ])
    expect(await ledger.spent()).toBe(40)
  })

  test("what was refused for the budget can be booked by a ledger with a larger one", async () => {
    const store = createMemoryStore()
    expect(codes(await createReleaseLedger(store, NAME, 8).book([open(ciphertext("a", "1"))]))).toEqual([
      "BLOCK_BUDGET_EXHAUSTED",
    ])
    expect(codes(await createReleaseLedger(store, NAME).book([open(ciphertext("a", "2"))]))).toEqual(["new"])
  })

  test("a failed write books nothing, and later calls go on", async () => {
    const inner = createMemoryStore()
    let failing = true
    const store: SealedStore = {
      ...inner,
      putMany: async (records) => {
        if (failing) throw new Error("disk full")
        await inner.putMany(records)
      },
    }
    const ledger = createReleaseLedger(store, NAME)
    await expect(ledger.book([open(ciphertext("a", "1"))])).rejects.toThrow("disk full")
    failing = false
    expect(codes(await ledger.book([open(ciphertext("a", "2"))]))).toEqual(["new"])
    expect(await ledger.spent()).toBe(16)
  })
})
