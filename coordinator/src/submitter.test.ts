import { readdir } from "node:fs/promises"
import type { CertifiedBody, SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { resultsOfBatch } from "./batches.ts"
import { bytes32 } from "./http.fixture.ts"
import { createOutbox } from "./outbox.ts"
import { batchOf, endorsed, endorsedOf, flush, idOf } from "./submission.fixture.ts"
import { scene } from "./submitter.fixture.ts"

describe("a batch", () => {
  test("goes in one transaction", async () => {
    const { submitter, sent, results, directory } = await scene()
    expect(await submitter.accept(batchOf(3))).toEqual(resultsOfBatch(batchOf(3)))
    await flush(submitter)
    expect(sent).toEqual([{ kind: "batch", ids: [idOf(1), idOf(2), idOf(3)] }])
    expect(results).toEqual(["fulfilled 1", "fulfilled 2", "fulfilled 3"])
    expect(submitter.transactionOf(idOf(2))).toBe(submitter.transactionOf(idOf(1)))
    expect(await readdir(directory)).toEqual([])
  })

  test("goes in one transaction after a restart too", async () => {
    const { start, sent, directory } = await scene()
    const outbox = await createOutbox(directory, 10, () => {})
    await outbox.put(batchOf(3), [idOf(1), idOf(2), idOf(3)])
    await flush(await start())
    expect(sent).toEqual([{ kind: "batch", ids: [idOf(1), idOf(2), idOf(3)] }])
  })

  test("of which one request waits goes as that result alone, with its path", async () => {
    const { submitter, sent } = await scene({ states: { [idOf(1)]: "fulfilled", [idOf(3)]: "closed" } })
    const accepted = await submitter.accept(batchOf(3))
    expect(accepted.map(({ result }) => result.requestId)).toEqual([idOf(2)])
    await flush(submitter)
    expect(sent).toEqual([{ kind: "group", ids: [idOf(2)] }])
  })

  test("of which too few wait to be worth its gas goes result by result", async () => {
    const others = Array.from({ length: 60 }, (_, i) => [idOf(i + 5), "fulfilled"] as const)
    const { submitter, sent, results } = await scene({ states: Object.fromEntries(others) })
    await submitter.accept(batchOf(64))
    await flush(submitter)
    expect(sent.map(({ kind }) => kind)).toEqual(["group", "group", "group", "group"])
    expect(results.toSorted()).toEqual(["fulfilled 1", "fulfilled 2", "fulfilled 3", "fulfilled 4"])
  })

  test("skips nobody for good: what it left out goes alone", async () => {
    const { submitter, sent, directory } = await scene({ skips: [idOf(2)] })
    await submitter.accept(batchOf(3))
    await flush(submitter)
    expect(sent).toEqual([
      { kind: "batch", ids: [idOf(1), idOf(3)] },
      { kind: "group", ids: [idOf(2)] },
    ])
    expect(await readdir(directory)).toEqual([])
  })

  test("does not claim what somebody else's transaction has fulfilled", async () => {
    let settleOther = (): void => {}
    const { submitter, results, settle } = await scene({ refuses: () => settleOther() === null })
    await submitter.accept(batchOf(3))
    settleOther = () => void settle([idOf(2)])
    await flush(submitter)
    expect(submitter.transactionOf(idOf(1))).not.toBeNull()
    expect(submitter.transactionOf(idOf(2))).toBeNull()
    expect(results).toContain("already 2")
  })

  test("that is refused as a whole after all goes result by result", async () => {
    let accepted = false
    const { submitter, sent } = await scene({ refuses: ({ kind }) => accepted && kind === "batch" })
    await submitter.accept(batchOf(2))
    accepted = true
    await flush(submitter)
    expect(sent.map(({ kind }) => kind)).toEqual(["group", "group"])
  })

  test("that the contract refuses is refused before any of its leaves is hashed", async () => {
    const { submitter } = await scene({ refuses: () => true })
    const { results, certificate } = batchOf(3)
    // A result of these handles cannot be hashed: whoever tried would throw another error.
    const unhashable = results.map((result) => ({ ...result, handles: ["0x" as never] }))
    const submission: SubmissionBody = { kind: "batch", results: unhashable, certificate }
    expect(await rejectionCodeOf(() => submitter.accept(submission))).toBe("NOT_SUBMITTABLE")
  })

  test("of settled requests is neither judged nor kept", async () => {
    const { submitter, directory } = await scene({
      states: { [idOf(1)]: "fulfilled", [idOf(2)]: "fulfilled" },
      refuses: () => true,
    })
    expect(await submitter.accept(batchOf(2))).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test("holds nothing against the evidence that one of its requests demands", async () => {
    const { submitter, sent } = await scene({ states: { [idOf(1)]: "demanding" } })
    const accepted = await submitter.accept(batchOf(3))
    expect(accepted.map(({ result }) => result.requestId)).toEqual([idOf(2), idOf(3)])
    const [group] = resultsOfBatch(batchOf(1))
    const evidence = { endorsers: "0", signatures: [], quotes: [] }
    await submitter.accept({ ...group, kind: "policy", evidence } as CertifiedBody)
    await flush(submitter)
    expect(sent).toContainEqual({ kind: "policy", ids: [idOf(1)] })
  })
})

test("an endorsed result is submitted as one", async () => {
  const { submitter, sent } = await scene()
  expect(await submitter.accept(endorsed)).toEqual([endorsed])
  await flush(submitter)
  expect(sent).toEqual([{ kind: "endorsed", ids: [idOf(1)] }])
})

describe("a refused certificate", () => {
  const stale = ({ kind }: SubmissionBody) => kind === "endorsed"

  test("is judged once more, later, before it is given up", async () => {
    let refusing = false
    const { submitter, results, directory } = await scene({ refuses: (item) => refusing && stale(item) })
    await submitter.accept(endorsed)
    refusing = true
    await flush(submitter)
    expect(results).toEqual(["retry 1"])
    await flush(submitter)
    expect(results).toEqual(["retry 1", "refused 1"])
    expect(await readdir(directory)).toEqual([])
  })

  test("that an endpoint refused by mistake is submitted after all", async () => {
    let refusing = false
    const { submitter, results } = await scene({ refuses: () => refusing })
    await submitter.accept(endorsed)
    refusing = true
    await flush(submitter)
    refusing = false
    await flush(submitter)
    expect(results).toEqual(["retry 1", "fulfilled 1"])
  })

  test("makes way for the fresh one of its request", async () => {
    let refusing = false
    const { submitter, sent, results } = await scene({ refuses: (item) => refusing && stale(item) })
    await submitter.accept(endorsed)
    refusing = true
    await flush(submitter)
    await submitter.accept(resultsOfBatch(batchOf(1))[0] as CertifiedBody)
    await flush(submitter)
    expect(sent).toEqual([{ kind: "group", ids: [idOf(1)] }])
    expect(results).toEqual(["retry 1", "fulfilled 1"])
  })
})

describe("the queue", () => {
  test("takes all of a batch or nothing, and makes room as it empties", async () => {
    const { submitter, directory } = await scene({}, 3)
    expect(await rejectionCodeOf(() => submitter.accept(batchOf(4)))).toBe("QUEUE_FULL")
    expect(await readdir(directory)).toEqual([])
    await submitter.accept(batchOf(3))
    await flush(submitter)
    expect(await submitter.accept(endorsed)).toEqual([])
  })

  test("has many under way: one that is not mined holds up no other", async () => {
    const { promise: mined, resolve: mine } = Promise.withResolvers<void>()
    let first = true
    const inclusion = () => {
      const own = first ? mined : undefined
      first = false
      return own
    }
    const { submitter, results } = await scene({ inclusion })
    for (const i of [1, 2, 3]) await submitter.accept(endorsedOf(i))
    await expect.poll(() => results).toEqual(["fulfilled 2", "fulfilled 3"])
    mine()
    await flush(submitter)
    expect(results).toEqual(["fulfilled 2", "fulfilled 3", "fulfilled 1"])
  })

  test("is tried again although one of it is not mined", async () => {
    const { promise: mined, resolve: mine } = Promise.withResolvers<void>()
    const { submitter, sent } = await scene({ inclusion: () => mined })
    await submitter.accept(endorsed)
    await submitter.flush()
    await submitter.flush()
    mine()
    await submitter.drained()
    expect(sent).toHaveLength(1)
  })

  test("serves requesters in turn: many results of one hold up nobody", async () => {
    const { promise: mined, resolve: mine } = Promise.withResolvers<void>()
    const requesterOf = (id: RequestId) => (BigInt(id) === 9n ? "02" : "01")
    const { submitter, sent } = await scene({ inclusion: () => mined, requesterOf, atOnce: 1 })
    for (const i of [1, 2, 3, 4, 9]) await submitter.accept(endorsedOf(i))
    mine()
    await flush(submitter)
    expect(sent.map(({ ids: [id = bytes32("00")] }) => Number(BigInt(id)))).toEqual([1, 2, 9, 3, 4])
  })
})
