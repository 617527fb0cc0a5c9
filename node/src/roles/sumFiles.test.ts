import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createSumFiles } from "./sumFiles.ts"

const bytes = Uint8Array.of(1, 2, 3)
const digest = sha256Digest(bytes)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sums-"))
})
afterAll(() => rm(folder, { recursive: true }))

test("what is kept is read by its digest, and nothing stays once it is cleared", async () => {
  const sums = createSumFiles(join(folder, "sums"))
  await sums.clear()
  expect(await sums.get(digest)).toBeNull()
  await sums.put(digest, bytes)
  expect(new Uint8Array((await sums.get(digest)) ?? [])).toEqual(bytes)
  expect(await sums.get(sha256Digest(Uint8Array.of(4)))).toBeNull()
  await sums.clear()
  expect(await sums.get(digest)).toBeNull()
  expect(await readdir(folder)).toEqual([])
})
