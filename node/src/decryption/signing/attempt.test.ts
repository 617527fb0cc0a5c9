import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { expect, test } from "vitest"
import { generateFrostGroup } from "../../../../test/support/frostGroup.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import { testSeat } from "../../../../test/support/testSeat.ts"
import { chooseSigners } from "./attempt.ts"
import { createCommitmentBook } from "./commitmentBook.ts"

const [alice, bob, carol, dave] = [1, 2, 3, 4].map((index) => parsePartyIndex(index, 4)) as [
  ReturnType<typeof parsePartyIndex>,
  ReturnType<typeof parsePartyIndex>,
  ReturnType<typeof parsePartyIndex>,
  ReturnType<typeof parsePartyIndex>,
]
const seat = testSeat(1)
const group = generateFrostGroup(4, 1, "lists")
const pairOf = (label: string) => {
  const share = group.keyShares.get(alice)
  if (share === undefined) throw new Error("no share")
  return createNonces(share, seededRng(label)).commitment
}

test("a list is this node and the first candidates with a commitment, ascending", () => {
  const book = createCommitmentBook()
  for (const party of [bob, dave]) book.add(party, [pairOf(`of ${party}`)])
  const list = chooseSigners(seat, [dave, carol, alice, bob], book, () => pairOf("own"))
  expect(list?.map(({ party }) => party)).toEqual([alice, bob, dave])
})

test("a list that lacks a signer uses up nobody's commitments and makes no own one", () => {
  const book = createCommitmentBook()
  book.add(bob, [pairOf("of bob")])
  const own = () => {
    throw new Error("no nonces for a list that does not come about")
  }
  for (let i = 0; i < 3; i++) expect(chooseSigners(seat, [bob, carol], book, own)).toBe(null)
  book.add(carol, [pairOf("of carol")])
  const list = chooseSigners(seat, [bob, carol], book, () => pairOf("own"))
  expect(list?.map(({ party }) => party)).toEqual([alice, bob, carol])
})
