import { mkdir, readdir, rm } from "node:fs/promises"
import { hashDecryptionResult } from "@twinlock/sdk/protocol/eip712"
import {
  type BatchBody,
  type CertifiedBody,
  type ResultBody,
  resultFromBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import {
  type Digest,
  parseAddress,
  parseDigest,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import { leafHash, rootOf, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { createKnownBatches, resultsOfBatch } from "./batches.ts"
import type { Gateway, RequestState } from "./gateway.ts"
import { address, bytes32, temporary } from "./http.fixture.ts"
import { createOutbox } from "./outbox.ts"
import { submissionBody } from "./schemas.ts"
import { createSubmitter } from "./submitter.ts"

const idOf = (i: number): RequestId => parseRequestId(`0x${i.toString(16).padStart(64, "0")}`)
const signed = { keyId: bytes32("aa"), epoch: 1, signers: "7" }

const resultOf = (i: number) =>
  ({
    chainId: "31337",
    gateway: address("9a"),
    requestId: idOf(i),
    handles: [bytes32("04")],
    sessions: [bytes32("05")],
    plaintexts: bytes32("06"),
  }) as unknown as ResultBody

/** Results 1 to `size` under one signature. */
const batchOf = (size: number, s = "5") =>
  ({
    kind: "batch",
    results: Array.from({ length: size }, (_, i) => resultOf(i + 1)),
    certificate: { ...signed, r: address("0f"), s },
  }) as unknown as BatchBody

const endorsed = {
  kind: "endorsed",
  result: resultOf(1),
  certificate: { ...signed, leaves: 1, index: 0, path: [], signatures: [`0x${"07".repeat(64)}`] },
} as unknown as CertifiedBody

type Rules = {
  /** States before anything is sent; pending otherwise. */
  readonly states?: Readonly<Record<RequestId, RequestState>>
  /** What the gateway refuses, in a simulation and in a transaction. */
  readonly refuses?: (submission: SubmissionBody) => boolean
  /** Requests that a batch skips. */
  readonly skips?: readonly RequestId[]
  /** Ends the first transaction of a single result. */
  readonly inclusion?: Promise<void>
}

async function scene(rules: Rules = {}, most = 100) {
  const { states = {}, refuses = () => false, skips = [], inclusion } = rules
  const now = new Map<RequestId, RequestState>(Object.entries(states) as [RequestId, RequestState][])
  const sent: { readonly kind: string; readonly ids: readonly RequestId[] }[] = []
  const refusal = new Error("refused")
  let counter = 0
  const settle = (kind: string, ids: readonly RequestId[]): Digest => {
    sent.push({ kind, ids })
    for (const id of ids) now.set(id, "fulfilled")
    counter += 1
    return parseDigest(idOf(1000 + counter))
  }
  const judge = (submission: SubmissionBody) => {
    if (refuses(submission)) throw refusal
  }
  const gateway: Gateway = {
    serves: () => true,
    requests: async (ids) =>
      ids.map((id) => ({ state: now.get(id) ?? "pending", requester: parseAddress(address("01")) })),
    simulate: async (submission) => judge(submission),
    fulfil: async (item) => {
      judge(item)
      await inclusion
      return settle(item.kind, [item.result.requestId])
    },
    fulfilMany: async (batch) => {
      judge(batch)
      const ids = batch.results.map(({ requestId }) => requestId)
      return settle(
        "batch",
        ids.filter((id) => (now.get(id) ?? "pending") === "pending" && !skips.includes(id)),
      )
    },
    isRefusal: (error) => error === refusal,
    describe: () => "Refused()",
    isLive: async () => true,
    key: async () => null,
  }
  const directory = await temporary()
  const results: string[] = []
  const start = async () =>
    createSubmitter({
      gateway,
      outbox: await createOutbox(directory, most),
      onResult: (result, requestId) => void results.push(`${result} ${BigInt(requestId)}`),
    })
  return { submitter: await start(), start, sent, results, directory, now }
}

describe("a batch", () => {
  test("goes in one transaction", async () => {
    const { submitter, sent, results, directory } = await scene()
    expect(await submitter.accept(batchOf(3))).toEqual(resultsOfBatch(batchOf(3)))
    await submitter.flush()
    expect(sent).toEqual([{ kind: "batch", ids: [idOf(1), idOf(2), idOf(3)] }])
    expect(results).toEqual(["fulfilled 1", "fulfilled 2", "fulfilled 3"])
    expect(submitter.transactionOf(idOf(2))).toBe(submitter.transactionOf(idOf(1)))
    expect(await readdir(directory)).toEqual([])
  })

  test("of which one request waits goes as that result alone, with its path", async () => {
    const { submitter, sent } = await scene({ states: { [idOf(1)]: "fulfilled", [idOf(3)]: "closed" } })
    const accepted = await submitter.accept(batchOf(3))
    expect(accepted.map(({ result }) => result.requestId)).toEqual([idOf(2)])
    await submitter.flush()
    expect(sent).toEqual([{ kind: "group", ids: [idOf(2)] }])
  })

  test("skips nobody for good: what it left out goes alone", async () => {
    const { submitter, sent, directory } = await scene({ skips: [idOf(2)] })
    await submitter.accept(batchOf(3))
    await submitter.flush()
    await submitter.flush()
    expect(sent).toEqual([
      { kind: "batch", ids: [idOf(1), idOf(3)] },
      { kind: "group", ids: [idOf(2)] },
    ])
    expect(await readdir(directory)).toEqual([])
  })

  test("that is refused as a whole after all goes result by result", async () => {
    let accepted = false
    const { submitter, sent } = await scene({ refuses: ({ kind }) => accepted && kind === "batch" })
    await submitter.accept(batchOf(2))
    accepted = true
    await submitter.flush()
    expect(sent.map(({ kind }) => kind)).toEqual(["group", "group"])
  })

  test("that the contract refuses is refused before any of its leaves is hashed", async () => {
    const { submitter } = await scene({ refuses: () => true })
    const { results, certificate } = batchOf(3)
    // A result of these handles cannot be hashed: whoever tried would throw another error.
    const unhashable = results.map((result) => ({ ...result, handles: ["0x" as never] }))
    expect(
      await rejectionCodeOf(() => submitter.accept({ kind: "batch", results: unhashable, certificate })),
    ).toBe("NOT_SUBMITTABLE")
  })

  test("of settled requests is neither judged nor kept", async () => {
    const { submitter, directory } = await scene({
      states: { [idOf(1)]: "fulfilled", [idOf(2)]: "fulfilled" },
      refuses: () => true,
    })
    expect(await submitter.accept(batchOf(2))).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test("is put together again from results that came one by one", async () => {
    const { promise: inclusion, resolve: include } = Promise.withResolvers<void>()
    const { submitter, sent } = await scene({ inclusion })
    // While the first is on its way the others come.
    for (const item of resultsOfBatch(batchOf(4))) await submitter.accept(item)
    include()
    await submitter.flush()
    expect(sent).toEqual([
      { kind: "group", ids: [idOf(1)] },
      { kind: "batch", ids: [idOf(2), idOf(3), idOf(4)] },
    ])
  })

  test("holds nothing against the evidence that one of its requests demands", async () => {
    const { submitter, sent } = await scene({ states: { [idOf(1)]: "demanding" } })
    const accepted = await submitter.accept(batchOf(3))
    expect(accepted.map(({ result }) => result.requestId)).toEqual([idOf(2), idOf(3)])
    const [group] = resultsOfBatch(batchOf(1))
    const evidence = { endorsers: "0", signatures: [], quotes: [] }
    await submitter.accept({ ...group, kind: "policy", evidence } as CertifiedBody)
    await submitter.flush()
    expect(sent).toContainEqual({ kind: "policy", ids: [idOf(1)] })
  })

  test("goes result by result after a restart: the rest of it is not known any more", async () => {
    const { start, sent, directory } = await scene()
    const outbox = await createOutbox(directory, 10)
    await outbox.put(resultsOfBatch(batchOf(2)))
    await (await start()).flush()
    expect(sent.map(({ kind }) => kind)).toEqual(["group", "group"])
  })
})

test("an endorsed result is submitted as one", async () => {
  const { submitter, sent } = await scene()
  expect(await submitter.accept(endorsed)).toEqual([endorsed])
  await submitter.flush()
  expect(sent).toEqual([{ kind: "endorsed", ids: [idOf(1)] }])
})

describe("the queue", () => {
  test("takes all of a batch or nothing, and makes room as it empties", async () => {
    const { submitter, directory } = await scene({}, 3)
    expect(await rejectionCodeOf(() => submitter.accept(batchOf(4)))).toBe("QUEUE_FULL")
    expect(await readdir(directory)).toEqual([])
    await submitter.accept(batchOf(3))
    await submitter.flush()
    expect(await submitter.accept(endorsed)).toEqual([])
  })

  test("counts calls at the same time, and what a restart finds", async () => {
    const directory = await temporary()
    const outbox = await createOutbox(directory, 3)
    const items = resultsOfBatch(batchOf(4))
    const outcomes = await Promise.allSettled(items.map((item) => outbox.put([item])))
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"])
    const restarted = await createOutbox(directory, 3)
    expect(await rejectionCodeOf(() => restarted.put(items.slice(3)))).toBe("QUEUE_FULL")
    await restarted.put(items.slice(0, 3))
    await restarted.remove(idOf(1))
    await restarted.put(items.slice(3))
    expect(await restarted.list()).toHaveLength(3)
  })
})

test("nobody is told that a result is kept before it is durable", async () => {
  const directory = await temporary()
  const outbox = await createOutbox(directory, 3)
  const items = resultsOfBatch(batchOf(2))
  await rm(directory, { recursive: true })
  const outcomes = await Promise.allSettled([outbox.put(items), outbox.put(items), outbox.put([endorsed])])
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"])
  await mkdir(directory)
  await outbox.put(items)
  expect(await outbox.list()).toHaveLength(2)
})

describe("batches", () => {
  test("give every result its own place under the same root", () => {
    const batch = batchOf(5)
    const leaves = batch.results.map((result) => leafHash(hashDecryptionResult(resultFromBody(result))))
    for (const [i, { certificate }] of resultsOfBatch(batch).entries()) {
      const leaf = leaves[i]
      if (leaf === undefined) throw new Error("no leaf")
      expect(rootOfPath({ ...certificate, leaf })).toBe(rootOf(leaves))
    }
  })

  test("are known once all of their results are, and not confused", () => {
    const known = createKnownBatches(2, 64)
    const [a, b] = resultsOfBatch(batchOf(2)) as [never, never]
    known.add(a)
    expect(known.batchOf(a)).toBeNull()
    for (const item of resultsOfBatch(batchOf(2, "6"))) known.add(item)
    expect(known.batchOf(a)).toBeNull()
    known.add(b)
    expect(known.batchOf(a)).toEqual(batchOf(2))
  })

  test("of one result, or beyond the contract's size, are none", () => {
    const known = createKnownBatches(2, 4)
    for (const size of [1, 5])
      for (const item of resultsOfBatch(batchOf(size))) {
        known.add(item)
        expect(known.batchOf(item)).toBeNull()
      }
  })

  test("are forgotten, the oldest first", () => {
    const known = createKnownBatches(1, 64)
    const first = resultsOfBatch(batchOf(2))
    for (const item of [...first, ...resultsOfBatch(batchOf(2, "6"))]) known.add(item)
    const [item] = first
    if (item === undefined) throw new Error("no result")
    expect(known.batchOf(item)).toBeNull()
  })
})

describe("bodies", () => {
  const evidence = {
    endorsers: "1",
    signatures: [`0x${"07".repeat(64)}`],
    quotes: [
      {
        party: 1,
        evidence: { quote: "0x01", auth: "0x", pckLeaf: "0x", caId: bytes32("01"), configDocument: "0x" },
      },
    ],
  }
  const [group] = resultsOfBatch(batchOf(1))
  const policy = { ...group, kind: "policy", evidence }

  test.each([
    ["group", group],
    ["batch", batchOf(64)],
    ["endorsed", endorsed],
    ["policy", policy],
  ])("%s is taken as it is", (_, body) => {
    expect(submissionBody.parse(body)).toEqual(body)
  })

  test.each([
    ["no kind", { ...group, kind: undefined }],
    ["an unknown kind", { ...group, kind: "other" }],
    ["a field too many", { ...group, evidence }],
    ["evidence missing", { ...policy, evidence: undefined }],
    ["a batch without results", { ...batchOf(1), results: [] }],
    ["a batch too large", batchOf(65)],
    ["a batch with a place", { ...batchOf(1), certificate: group?.certificate }],
    ["a signature too long", { ...policy, evidence: { ...evidence, signatures: [`0x${"07".repeat(65)}`] } }],
    [
      "sixteen quotes",
      { ...policy, evidence: { ...evidence, quotes: new Array(16).fill(evidence.quotes[0]) } },
    ],
  ])("%s is refused", (_, body) => {
    expect(submissionBody.safeParse(body).success).toBe(false)
  })
})
