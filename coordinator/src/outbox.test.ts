import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { BatchBody, CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { resultsOfBatch } from "./batches.ts"
import { temporary } from "./http.fixture.ts"
import { createOutbox, type Outbox } from "./outbox.ts"
import { batchOf, endorsed, idOf } from "./submission.fixture.ts"

const open = async (directory: string, most = 100, unreadable: string[] = []) =>
  createOutbox(directory, most, (path) => void unreadable.push(path))
const idsOf = (batch: BatchBody) => batch.results.map(({ requestId }) => requestId)
const whole = (outbox: Outbox, batch: BatchBody) => outbox.put(batch, idsOf(batch))
const single = (outbox: Outbox, item: CertificatesRequest) => outbox.put(item, [item.result.requestId])
const filesIn = async (directory: string) =>
  (await readdir(directory)).filter((name) => name.endsWith(".json"))

describe("what is kept", () => {
  test("is one file for a batch, also after a restart, until none of it waits", async () => {
    const directory = await temporary()
    await whole(await open(directory), batchOf(3))
    expect(await filesIn(directory)).toHaveLength(1)
    const outbox = await open(directory)
    expect(await outbox.get(idOf(2))).toMatchObject({ submission: batchOf(3), waiting: idsOf(batchOf(3)) })
    for (const i of [1, 2]) await outbox.remove(idOf(i))
    expect(outbox.together(idOf(3)).waiting).toEqual([idOf(3)])
    await outbox.remove(idOf(3))
    expect(await filesIn(directory)).toEqual([])
  })

  test("of a batch is kept for those that wait, and for nobody else after a restart", async () => {
    const directory = await temporary()
    await (await open(directory)).put(batchOf(3), [idOf(2)])
    expect((await open(directory)).list()).toEqual([idOf(2)])
  })

  test("is the newest certificate of a request, also after a restart", async () => {
    const directory = await temporary()
    const outbox = await open(directory)
    const [stale] = resultsOfBatch(batchOf(1, "5")) as [CertificatesRequest]
    const [fresh] = resultsOfBatch(batchOf(1, "6")) as [CertificatesRequest]
    await single(outbox, stale)
    const { name } = outbox.together(idOf(1))
    await single(outbox, fresh)
    expect((await outbox.get(idOf(1)))?.submission).toEqual(fresh)
    expect(await filesIn(directory)).toHaveLength(1)
    // What was judged is gone already: the newer one stays.
    await outbox.remove(idOf(1), name)
    expect((await (await open(directory)).get(idOf(1)))?.submission).toEqual(fresh)
  })

  test("a newer certificate takes one request out of its batch, and leaves it the others", async () => {
    const directory = await temporary()
    const outbox = await open(directory)
    await whole(outbox, batchOf(2))
    await outbox.put(endorsed, [idOf(1)])
    for (const kept of [outbox, await open(directory)]) {
      expect((await kept.get(idOf(1)))?.submission).toEqual(endorsed)
      expect(kept.together(idOf(2)).waiting).toEqual([idOf(2)])
    }
  })

  test("nobody takes a batch apart by bringing its results one by one; a batch replaces them", async () => {
    const directory = await temporary()
    const outbox = await open(directory)
    const items = resultsOfBatch(batchOf(2))
    for (const item of items) await single(outbox, item)
    expect(await filesIn(directory)).toHaveLength(2)
    await whole(outbox, batchOf(2))
    for (const item of items) await single(outbox, item)
    expect(await filesIn(directory)).toHaveLength(1)
    expect(outbox.together(idOf(1)).waiting).toEqual([idOf(1), idOf(2)])
  })

  test("is written once, however many bring it at the same time", async () => {
    const directory = await temporary()
    const outbox = await open(directory)
    await Promise.all([1, 2, 3, 4].map(() => whole(outbox, batchOf(4))))
    expect(await filesIn(directory)).toEqual(["000000000000.json"])
  })
})

describe("room", () => {
  test("is for all of a submission or for none of it", async () => {
    const directory = await temporary()
    const outbox = await open(directory, 3)
    expect(await rejectionCodeOf(() => whole(outbox, batchOf(4)))).toBe("QUEUE_FULL")
    expect(await filesIn(directory)).toEqual([])
    await whole(outbox, batchOf(3))
    await whole(outbox, batchOf(3, "6"))
  })

  test("is counted with calls at the same time and with what a restart finds", async () => {
    const directory = await temporary()
    const items = resultsOfBatch(batchOf(4))
    const outbox = await open(directory, 3)
    const outcomes = await Promise.allSettled(items.map((item) => single(outbox, item)))
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"])
    const restarted = await open(directory, 3)
    const [, , , last] = items as [never, never, never, CertificatesRequest]
    expect(await rejectionCodeOf(() => single(restarted, last))).toBe("QUEUE_FULL")
    await restarted.remove(idOf(1))
    await single(restarted, last)
    expect(restarted.list()).toHaveLength(3)
  })
})

test("nobody is told that a result is kept before it is durable", async () => {
  const directory = await temporary()
  const outbox = await open(directory)
  await rm(directory, { recursive: true })
  const put = () => whole(outbox, batchOf(2))
  const outcomes = await Promise.allSettled([put(), put(), put()])
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"])
  await mkdir(directory)
  await put()
  expect(outbox.list()).toHaveLength(2)
})

describe("a file that cannot be read", () => {
  test("is put aside at the start, and takes nobody's place", async () => {
    const directory = await temporary()
    await whole(await open(directory), batchOf(2))
    await writeFile(join(directory, "000000000007.json"), '{"submission":')
    const unreadable: string[] = []
    const outbox = await open(directory, 3, unreadable)
    expect(unreadable).toEqual([join(directory, "unreadable", "000000000007.json")])
    expect(await readFile(unreadable[0] ?? "", "utf8")).toBe('{"submission":')
    expect(outbox.list()).toHaveLength(2)
    await outbox.put(endorsed, [idOf(1)])
    expect(await filesIn(directory)).toEqual(["000000000000.json", "000000000008.json"])
  })

  test("since another version wrote it, or a crash left it half written, is put aside, and said", async () => {
    const directory = await temporary()
    const names = [`${"ab".repeat(32)}.json`, "000000000003.json.new"]
    for (const name of names) await writeFile(join(directory, name), "{}")
    const unreadable: string[] = []
    await open(directory, 3, unreadable)
    expect(unreadable).toEqual(names.toSorted().map((name) => join(directory, "unreadable", name)))
    expect(await readdir(directory)).toEqual(["unreadable"])
    await open(directory, 3, unreadable)
    expect(unreadable).toHaveLength(2)
  })

  test("and is damaged later is not tried for ever", async () => {
    const directory = await temporary()
    const unreadable: string[] = []
    const outbox = await open(directory, 3, unreadable)
    await whole(outbox, batchOf(2))
    await writeFile(join(directory, "000000000000.json"), "{}")
    expect(await outbox.get(idOf(1))).toBeNull()
    expect(outbox.list()).toEqual([])
    expect(unreadable).toHaveLength(1)
  })
})
