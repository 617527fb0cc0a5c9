import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fromHex, sha256Digest, taggedHash } from "@twinlock/sdk/protocol/codec"
import { parseKeyId } from "@twinlock/sdk/protocol/ids"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createKeyFiles, type ExecutorKeyFiles } from "./keyFiles.ts"

const chunk = Uint8Array.of(1, 2, 3)
const [one, two] = [parseKeyId(taggedHash("one")), parseKeyId(taggedHash("two"))]
const sha256 = fromHex(sha256Digest(Uint8Array.of(4)))

let folder: string
let files: ExecutorKeyFiles
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keys-"))
  files = createKeyFiles(join(folder, "keys"), { get: async () => chunk })
})
afterAll(() => rm(folder, { recursive: true }))

describe("an executor's files", () => {
  test("a key is accepted by the digest of its file, and by nothing else", async () => {
    expect(await files.stored()).toEqual([])
    await files.fetchChunk(one, 0, sha256Digest(chunk), chunk.length)
    expect(new Uint8Array(await files.readChunk(one, 0))).toEqual(chunk)
    expect(await files.accepted(one)).toBeNull()
    await files.removeChunks(one)
    await files.accept(one, sha256)
    expect(await files.accepted(one)).toEqual({ path: files.serverKeyPath(one), sha256 })
    expect(await files.accepted(two)).toBeNull()
  })

  test("a record that says no digest is an error, no missing key", async () => {
    await mkdir(join(folder, "keys", two.slice(2)))
    await writeFile(join(folder, "keys", two.slice(2), "server.key.sha256"), "0x12")
    await expect(files.accepted(two)).rejects.toMatchObject({ detail: { code: "BAD_DIGEST" } })
  })

  test("all of one key is removed, the others stay", async () => {
    await files.fetchChunk(two, 0, sha256Digest(chunk), chunk.length)
    expect((await files.stored()).toSorted()).toEqual([one, two].toSorted())
    await files.remove(two)
    expect(await files.stored()).toEqual([one])
    expect(await readdir(join(folder, "keys"))).toEqual([one.slice(2)])
    expect(await files.accepted(one)).not.toBeNull()
  })
})
