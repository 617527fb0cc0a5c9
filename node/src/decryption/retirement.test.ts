import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { expect, test } from "vitest"
import { blockAt } from "../../../test/support/scriptedChain.ts"
import type { RequestStatus } from "../chain/chainView.ts"
import { createManualClock } from "../clock.ts"
import { newPending, type Pending, type RequestState } from "./requestQueue.ts"
import { createRetirement } from "./retirement.ts"
import type { SubjectStatus } from "./subject.ts"

const AT = blockAt(10n, 1000n)
const OPEN: RequestStatus = { status: "open", deadline: 2000n }

/** Requests in a state; the test says what chain, engine and signing say of each. */
function scene(count: number, state: RequestState, openedKept = 1_000_000) {
  const pending = new Map<RequestId, Pending>()
  for (let i = 0; i < count; i++) {
    const requestId = parseRequestId(taggedHash("request", i))
    pending.set(requestId, { ...newPending(requestId, 1n), state })
  }
  const ids = [...pending.keys()]
  const statuses = new Map<RequestId, RequestStatus | null>(ids.map((id) => [id, OPEN]))
  const asked: RequestId[][] = []
  const reconsidered: RequestId[] = []
  const subjects = new Map<string, SubjectStatus>()
  const parked: string[] = []
  const certified = new Map<RequestId, number>()
  const forgotten = new Set<RequestId>()
  const clock = createManualClock()
  const run = createRetirement({
    ...{ pending, clock, metrics: null, options: { openedKept, restMs: 60_000, deliveryMs: 1000 } },
    view: {
      async requestStatuses(wanted) {
        asked.push([...wanted])
        return new Map(wanted.flatMap((id) => (statuses.has(id) ? [[id, statuses.get(id) ?? null]] : [])))
      },
    },
    engine: {
      status: (subject) => subjects.get(subject) ?? null,
      park: (subject) => void parked.push(subject),
      forget: () => {},
    },
    signing: { certifiedAt: (id) => certified.get(id) ?? null, forget: (id) => void forgotten.add(id) },
    reconsider: async (entries) => void reconsidered.push(...entries.map(({ requestId }) => requestId)),
  })
  const statesOf = () => ids.map((id) => pending.get(id)?.state ?? null)
  return {
    ...{ pending, ids, statuses, asked, reconsidered, subjects, parked, certified, forgotten, clock, run },
    ...{ statesOf },
  }
}

test("each is asked for once per block, in as many runs as it takes, and what is settled is forgotten", async () => {
  const { pending, ids, statuses, asked, run } = scene(3000, "opened")
  const [first, second, third] = ids as [RequestId, RequestId, RequestId]
  statuses.set(first, { ...OPEN, status: "fulfilled" })
  statuses.set(second, null)
  statuses.set(third, { ...OPEN, deadline: AT.timestamp - 1n })
  for (let i = 0; i < 5; i++) await run(AT)
  expect(asked.length).toBe(3)
  expect(new Set(asked.flat()).size).toBe(3000)
  expect(asked.flat()).toHaveLength(3000)
  expect(pending.size).toBe(2997)
  // What could not be read stays, and is asked for at the next block.
  statuses.clear()
  for (let i = 0; i < 5; i++) await run(blockAt(11n, 1001n))
  expect(pending.size).toBe(2997)
  expect(asked.flat()).toHaveLength(3000 + 2997)
})

test("only what this node approved without a quorum so far is looked at with all its facts", async () => {
  const { ids, subjects, reconsidered, run } = scene(3, "approving")
  const [approving, released] = ids as [RequestId, RequestId]
  subjects.set(requestSubject(approving), "approving")
  subjects.set(requestSubject(released), "released")
  await run(AT)
  expect(reconsidered).toEqual([approving])
})

test("too many opened ones: the oldest certified rest first, and are taken up anew after a while", async () => {
  const { ids, certified, forgotten, clock, statesOf, statuses, pending, run } = scene(6, "opened", 3)
  const [, , third, fourth, fifth] = ids as [RequestId, RequestId, RequestId, RequestId, RequestId]
  for (const [id, at] of [
    [third, 5],
    [fourth, 1],
    [fifth, 600],
  ] as const)
    certified.set(id, clock.now() + at)
  // Their certificates are on the way: nothing rests that was not delivered.
  clock.advance(1000)
  await run(AT)
  expect(forgotten.size).toBe(0)
  clock.advance(2)
  await run(AT)
  expect(statesOf()).toEqual(["opened", "opened", "opened", "resting", "opened", "opened"])
  clock.advance(599)
  await run(AT)
  expect(statesOf()).toEqual(["opened", "opened", "resting", "resting", "resting", "opened"])
  clock.advance(60_000)
  await run(AT)
  expect(statesOf()).toEqual(["opened", "opened", "waiting", "waiting", "waiting", "opened"])
  // A request that rests is followed on chain like any other.
  statuses.set(ids[1] as RequestId, { ...OPEN, status: "cancelled" })
  await run(blockAt(11n, 1001n))
  expect(pending.has(ids[1] as RequestId)).toBe(false)
})

test("far too many opened ones: others rest, too, those first that were asked for first", async () => {
  const { statesOf, run } = scene(7, "opened", 3)
  await run(AT)
  expect(statesOf()).toEqual(["resting", ...Array(6).fill("opened")])
})

test("what was approved at a newer block is not judged again by an older one", async () => {
  const { ids, pending, subjects, reconsidered, run } = scene(1, "approving")
  const [id] = ids as [RequestId]
  subjects.set(requestSubject(id), "approving")
  const entry = pending.get(id)
  if (entry === undefined) throw new Error("nothing is pending")
  entry.lookedAt = AT.number + 1n
  await run(AT)
  expect(reconsidered).toEqual([])
  await run(blockAt(AT.number + 1n, 1001n))
  expect(reconsidered).toEqual([id])
})

test("shares of others that do not come: those that wait for longest begin anew, beyond a number", async () => {
  const { statesOf, parked, run } = scene(1030, "lingering")
  await run(AT)
  expect(parked).toHaveLength(6)
  expect(statesOf().slice(0, 8)).toEqual([...Array(6).fill("waiting"), "lingering", "lingering"])
})
