import { expect, test } from "vitest"
import { createMemoryStore } from "../storage/memoryStore.ts"
import { createRequestCursor } from "./requestCursor.ts"

const NAME = "0x11/1"

test("the cursor is kept across restarts, and written only when it is worth it", async () => {
  const store = createMemoryStore()
  const cursor = createRequestCursor(store, NAME, 100n)
  expect(await cursor.load()).toBe(100n)
  await cursor.save(163n)
  expect(await createRequestCursor(store, NAME, 100n).load()).toBe(100n)
  await cursor.save(164n)
  expect(await createRequestCursor(store, NAME, 100n).load()).toBe(164n)
})

test("a cursor before the deployment, and one that moves back, change nothing", async () => {
  const store = createMemoryStore()
  const cursor = createRequestCursor(store, NAME, 0n)
  await cursor.save(500n)
  await cursor.save(10n)
  expect(await createRequestCursor(store, NAME, 0n).load()).toBe(500n)
  expect(await createRequestCursor(store, NAME, 1000n).load()).toBe(1000n)
})
