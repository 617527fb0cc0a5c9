import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseAddress, parseRequestId } from "@twinlock/sdk/protocol/ids"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AT_WORK, isAtWork, newPending, nextRequests, type Pending, RESERVED } from "./requestQueue.ts"

const AT = { number: 10n, timestamp: 1000n }
let count = 0
const entryOf = (requester: number, change: Partial<Pending> = {}): Pending => ({
  ...newPending(parseRequestId(taggedHash("request", count++)), 1n),
  state: "waiting",
  requester: parseAddress(`0x${requester.toString(16).padStart(40, "0")}`),
  ...change,
})
const many = (length: number, requester: number, change: Partial<Pending> = {}) =>
  Array.from({ length }, () => entryOf(requester, change))
const next = (pending: readonly Pending[], now = 0) => nextRequests(pending, AT, now)

describe("which requests come next", () => {
  test("one requester's single request comes in the first round, however many another one has", () => {
    const whale = many(10_000, 1)
    const single = entryOf(2)
    const chosen = next([...whale, single])
    expect(chosen).toHaveLength(AT_WORK)
    expect(chosen.indexOf(single)).toBeLessThanOrEqual(1)
  })

  test("it comes at once even where the other one's requests take all places", () => {
    const single = entryOf(2)
    expect(next([...many(AT_WORK, 1, { state: "approving" }), ...many(10_000, 1), single])).toEqual([single])
  })

  test("what is at work counts as turns taken", () => {
    const busy = many(20, 1, { state: "working" })
    const first = many(200, 1)
    const second = many(15, 2)
    const chosen = next([...busy, ...first, ...second])
    expect(chosen.slice(0, 15)).toEqual(second)
  })

  test("reserved places are for requesters with nothing at work, one each, and bounded", () => {
    const full = many(AT_WORK, 1, { state: "approving" })
    const others = Array.from({ length: 1000 }, (_, i) => many(2, 2 + i)).flat()
    const chosen = next([...full, ...others])
    expect(chosen).toHaveLength(RESERVED)
    expect(new Set(chosen.map(({ requester }) => requester)).size).toBe(RESERVED)
    const crowded = [...full, ...many(RESERVED, 5000, { state: "working" })]
    expect(next([...crowded, ...others])).toEqual([])
  })

  test("what failed before does not starve what did not, nor the other way round", () => {
    const failed = many(1000, 1, { failures: 3, lookedAt: 5n })
    const fresh = many(1000, 2)
    const chosen = next([...failed, ...fresh])
    const retries = chosen.filter(({ failures }) => failures > 0).length
    expect(retries).toBe(AT_WORK / 4)
    expect(chosen).toHaveLength(AT_WORK)
    expect(next(failed)).toHaveLength(AT_WORK)
  })

  test("among what failed, those looked at longest ago come first", () => {
    const old = entryOf(1, { failures: 1, lookedAt: 2n })
    const chosen = next([...many(500, 1, { failures: 1, lookedAt: 9n }), old])
    expect(chosen[0]).toBe(old)
  })

  const notDue: readonly (readonly [string, Partial<Pending>])[] = [
    ["not read yet", { state: "new" }],
    ["in its cancel window", { from: 1001n }],
    ["looked at in this block", { lookedAt: 10n }],
    ["pausing", { lookedAt: 10n, notBefore: 1 }],
    ["opened", { state: "opened" }],
    ["refused", { state: "refused" }],
    ["lingering", { state: "lingering" }],
  ]
  test.each(notDue)("%s: not now", (_, change) => {
    expect(next([entryOf(1, change)])).toEqual([])
  })

  test("a pause that is over counts at the same block, too", () => {
    const entry = entryOf(1, { lookedAt: 10n, notBefore: 1, failures: 1 })
    expect(next([entry], 1)).toEqual([entry])
  })

  const states = fc.constantFrom<Pending["state"]>("new", "waiting", "working", "approving", "opened")
  const entries = fc.array(
    fc
      .tuple(fc.nat(5), states, fc.nat(2))
      .map(([requester, state, failures]) => entryOf(requester, { state, failures })),
    { maxLength: 400 },
  )
  test("places are never exceeded, and while there is one nobody waits", () => {
    fc.assert(
      fc.property(entries, (pending) => {
        const chosen = next(pending)
        const working = pending.filter(isAtWork).length
        expect(new Set(chosen).size).toBe(chosen.length)
        expect(working + chosen.length).toBeLessThanOrEqual(Math.max(working, AT_WORK + RESERVED))
        const waiting = pending.filter((entry) => entry.state === "waiting")
        if (working + waiting.length <= AT_WORK) expect(new Set(chosen)).toEqual(new Set(waiting))
      }),
    )
  })
})
