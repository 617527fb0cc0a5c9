import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { createManualClock } from "../../clock.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

const [alice, bob] = [parsePartyIndex(1, 4), parsePartyIndex(2, 4)]
const message = (party: PartyIndex, name: string) => ({ party, name })
const names = (found: readonly { readonly message: { readonly name: string } }[]) =>
  found.map((entry) => entry.message.name)

test("messages leave once, with what they waited for", () => {
  const room = createWaitingRoom<ReturnType<typeof message>>(createManualClock(), 1000)
  room.keep("x", message(alice, "one"))
  room.keep("x", message(bob, "two"))
  room.keep("y", message(alice, "three"))
  expect(names(room.take("x"))).toEqual(["one", "two"])
  expect(room.take("x")).toEqual([])
  expect(names(room.take("y"))).toEqual(["three"])
})

test("a flood pushes out only the flooder's own messages", () => {
  const room = createWaitingRoom<ReturnType<typeof message>>(createManualClock(), 1000, 3)
  room.keep("x", message(bob, "honest"))
  for (let i = 0; i < 100; i++) room.keep(i % 2 ? "x" : `${i}`, message(alice, `${i}`))
  expect(names(room.take("x"))).toEqual(["honest", "97", "99"])
})

test("what waited too long is gone, however often it was kept again", () => {
  const clock = createManualClock()
  const room = createWaitingRoom<ReturnType<typeof message>>(clock, 1000)
  room.keep("x", message(alice, "old"))
  clock.advance(600)
  const [again] = room.take("x")
  if (again === undefined) throw new Error("nothing waited")
  room.keep("y", again.message, again.since)
  clock.advance(600)
  expect(room.take("y")).toEqual([])
})
