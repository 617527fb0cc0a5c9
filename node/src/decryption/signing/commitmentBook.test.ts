import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { expect, test } from "vitest"
import { generateFrostGroup } from "../../../../test/support/frostGroup.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import { createCommitmentBook } from "./commitmentBook.ts"

const [alice, bob] = [parsePartyIndex(1, 4), parsePartyIndex(2, 4)]
const keyShare = generateFrostGroup(4, 1, "book").keyShares.get(alice)
if (keyShare === undefined) throw new Error("no share")
const [first, second, third, fourth] = [1, 2, 3, 4].map(
  (i) => createNonces(keyShare, seededRng(`book ${i}`)).commitment,
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

test("each is taken once: what answered an own list, then the preferred ones in order, then the newest", () => {
  const book = createCommitmentBook()
  book.add(alice, [first, second, third])
  book.add(alice, [fourth], true)
  const wanted = [second, first]
  expect(book.take(alice, wanted)).toBe(fourth)
  expect(book.take(alice, wanted)).toBe(second)
  expect(book.take(alice, wanted)).toBe(first)
  expect(book.take(alice, wanted)).toBe(third)
  expect(book.take(alice, wanted)).toBe(null)
  for (const pair of [first, second, third, fourth]) expect(book.has(alice, pair)).toBe(true)
  expect(book.has(bob, first)).toBe(false)
})

test("what a party gave to this node comes last once the party is in doubt", () => {
  const book = createCommitmentBook()
  book.add(alice, [first], true)
  book.add(alice, [second])
  book.doubt(alice)
  expect(book.take(alice)).toBe(second)
  expect(book.take(alice)).toBe(first)
})

test("the oldest of a party go first", () => {
  const book = createCommitmentBook(2)
  book.add(alice, [first])
  book.add(bob, [fourth])
  book.add(alice, [second, third])
  expect([first, second, third].map((pair) => book.has(alice, pair))).toEqual([false, true, true])
  expect(book.has(bob, fourth)).toBe(true)
})
