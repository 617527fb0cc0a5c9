/** What every SealedStore must do; each implementation's test runs this suite. */
import { MAX_RECORD_BYTES, type SealedStore } from "@twinlock/node/storage/sealedStore"
import { describe, expect, test } from "vitest"

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

/** @param create an empty store. */
export function describeSealedStore(name: string, create: () => SealedStore): void {
  describe(`${name} as a SealedStore`, () => {
    test("what was put is read back, the newest wins, nothing else is there", async () => {
      const store = create()
      await store.put("share", "a", bytes(1))
      await store.put("share", "a", bytes(2, 3))
      await store.put("share", "b", bytes())
      expect(await store.get("share", "a")).toEqual(bytes(2, 3))
      expect(await store.get("share", "b")).toEqual(bytes())
      expect(await store.get("share", "c")).toBeNull()
      expect(await store.get("other", "a")).toBeNull()
      await store.close()
    })

    test("the store keeps copies", async () => {
      const store = create()
      const given = bytes(1, 2)
      await store.put("k", "a", given)
      given[0] = 9
      const got = (await store.get("k", "a")) ?? bytes()
      expect(got).toEqual(bytes(1, 2))
      got[1] = 9
      const inserted = await store.putIfAbsent("k", "a", bytes(7))
      expect(inserted).toEqual(bytes(1, 2))
      inserted[0] = 9
      expect(await store.get("k", "a")).toEqual(bytes(1, 2))
      await store.close()
    })

    test("putIfAbsent inserts once, and the first of concurrent writers wins for all", async () => {
      const store = create()
      const answers = await Promise.all([1, 2, 3, 4].map((v) => store.putIfAbsent("release", "h", bytes(v))))
      expect(new Set(answers.map(String)).size).toBe(1)
      expect(await store.putIfAbsent("release", "h", bytes(9))).toEqual(answers[0])
      await store.close()
    })

    test("putMany writes all records, also over old ones and into several kinds", async () => {
      const store = create()
      await store.put("k", "a", bytes(1))
      const given = bytes(2)
      await store.putMany([
        { kind: "k", id: "a", bytes: given },
        { kind: "k", id: "b", bytes: bytes(3) },
        { kind: "l", id: "b", bytes: bytes(4) },
        { kind: "k", id: "b", bytes: bytes(5) },
      ])
      given[0] = 9
      await store.putMany([])
      expect(await store.get("k", "a")).toEqual(bytes(2))
      expect(await store.get("k", "b")).toEqual(bytes(5))
      expect(await store.get("l", "b")).toEqual(bytes(4))
      await store.close()
    })

    test.each([
      ["STORE_BAD_NAME", { kind: "k", id: "", bytes: bytes(1) }],
      ["STORE_TOO_LARGE", { kind: "k", id: "c", bytes: new Uint8Array(MAX_RECORD_BYTES + 1) }],
    ])("putMany with one bad record (%s) writes none", async (code, bad) => {
      const store = create()
      await store.put("k", "a", bytes(1))
      const records = [{ kind: "k", id: "a", bytes: bytes(2) }, { kind: "k", id: "b", bytes: bytes(3) }, bad]
      await expect(store.putMany(records)).rejects.toMatchObject({ detail: { code } })
      expect(await store.get("k", "a")).toEqual(bytes(1))
      expect(await store.get("k", "b")).toBeNull()
      await store.close()
    })

    test("delete says whether a record was there", async () => {
      const store = create()
      await store.put("k", "a", bytes(1))
      expect(await store.delete("k", "a")).toBe(true)
      expect(await store.delete("k", "a")).toBe(false)
      expect(await store.get("k", "a")).toBeNull()
      await store.close()
    })

    test("list is sorted and of one kind", async () => {
      const store = create()
      for (const id of ["b", "a", "c/1"]) await store.put("k", id, bytes(1))
      await store.put("kk", "z", bytes(1))
      expect(await store.list("k")).toEqual(["a", "b", "c/1"])
      expect(await store.list("none")).toEqual([])
      await store.close()
    })

    test.each([
      ["empty kind", "", "a"],
      ["empty id", "k", ""],
      ["space", "k", "a b"],
      ["zero byte", "k", "a\u0000"],
      ["long", "k", "a".repeat(201)],
    ])("a bad name is refused: %s", async (_name, kind, id) => {
      const store = create()
      await expect(store.put(kind, id, bytes(1))).rejects.toMatchObject({
        detail: { code: "STORE_BAD_NAME" },
      })
      await expect(store.get(kind, id)).rejects.toMatchObject({ detail: { code: "STORE_BAD_NAME" } })
      await store.close()
    })

    test("a record above the maximum is refused", async () => {
      const store = create()
      const large = new Uint8Array(MAX_RECORD_BYTES + 1)
      await expect(store.put("k", "a", large)).rejects.toMatchObject({ detail: { code: "STORE_TOO_LARGE" } })
      await store.close()
    })

    test("a closed store refuses, and closing twice is fine", async () => {
      const store = create()
      await store.close()
      await store.close()
      await expect(store.get("k", "a")).rejects.toMatchObject({ detail: { code: "STORE_CLOSED" } })
    })
  })
}
