import { readdir } from "node:fs/promises"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { createOutbox } from "./outbox.ts"
import type { RequestState } from "./storedRequest.ts"
import { endorsed, endorsedOf, flush, idOf } from "./submission.fixture.ts"
import { scene } from "./submitter.fixture.ts"

describe("a request that the endpoint does not know", () => {
  const keptFor = async (state: RequestState) => {
    const kept = await scene({ states: { [idOf(1)]: state } })
    await (await createOutbox(kept.directory, 10, () => {})).put(endorsed, [idOf(1)])
    return { ...kept, submitter: await kept.start() }
  }

  test("is not settled: its result stays, and goes once it is known", async () => {
    const { submitter, now, results } = await keptFor("unknown")
    await flush(submitter)
    expect(results).toEqual([])
    now.delete(idOf(1))
    await flush(submitter)
    expect(results).toEqual(["fulfilled 1"])
  })

  test("when its turn comes keeps its result", async () => {
    const { promise: mined, resolve: mine } = Promise.withResolvers<void>()
    const { submitter, now, results } = await scene({ inclusion: () => mined, atOnce: 1 })
    for (const i of [2, 1]) await submitter.accept(endorsedOf(i))
    now.set(idOf(1), "unknown")
    mine()
    await submitter.drained()
    expect(results).toEqual(["fulfilled 2"])
    now.delete(idOf(1))
    await flush(submitter)
    expect(results).toEqual(["fulfilled 2", "fulfilled 1"])
  })

  test("for a day is given up", async () => {
    const { submitter, results, directory, clock } = await keptFor("unknown")
    await flush(submitter)
    clock.now += 24 * 60 * 60 * 1000 - 1
    await flush(submitter)
    expect(results).toEqual([])
    clock.now += 1
    await flush(submitter)
    expect([results, await readdir(directory)]).toEqual([["refused 1"], []])
  })

  test("does not read as one for which nothing waits: its result is to come again", async () => {
    const { submitter } = await scene({ states: { [idOf(1)]: "unknown" } })
    expect(await rejectionCodeOf(() => submitter.accept(endorsed))).toBe("NOT_SUBMITTABLE")
  })
})
