import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { type KeyId, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { COMMITTEE, PROPOSAL } from "../ceremony/party.fixture.ts"
import type { KeyRecord } from "../chain/chainView.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { createJudgedKeys } from "./judgedKeys.ts"
import { createKeyFiles, type ExecutorKeyFiles } from "./keyFiles.ts"

const keyNamed = (name: string): KeyId => parseKeyId(taggedHash(name))
const [one, two] = [keyNamed("one"), keyNamed("two")]
const chunk = Uint8Array.of(1, 2, 3)

let folder: string
let files: ExecutorKeyFiles
let statuses: Map<KeyId, KeyRecord["status"]>
let dropped: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "judged-"))
  files = createKeyFiles(folder, { get: async () => chunk })
  statuses = new Map()
  dropped = []
})
afterEach(() => rm(folder, { recursive: true }))

const judged = (reachable = true) =>
  createJudgedKeys({
    files,
    loaded: {
      test: () => Promise.reject(new Error("not here")),
      serve: () => Promise.reject(new Error("not here")),
      drop: (path) => void dropped.push(path),
    },
    chain: {
      async head() {
        if (!reachable) throw new Error("no endpoint")
        return { number: 1n, hash: taggedHash("head"), timestamp: 1n }
      },
      async key(id) {
        const keyId = parseKeyId(id)
        const status = statuses.get(keyId)
        const record = { keyId, nonce: 1n, epoch: COMMITTEE.epoch, proposal: PROPOSAL, activation: null }
        return status === undefined ? null : ({ ...record, status } as KeyRecord)
      },
    },
    logger: silentLogger,
  })
const fetched = (keyId: KeyId) => files.fetchChunk(keyId, 0, taggedHash("chunk"), chunk.length)
const file = (keyId: KeyId) => ({ path: files.serverKeyPath(keyId), sha256: new Uint8Array(32) })

describe("a key that was judged", () => {
  test("leaves nothing where it failed", async () => {
    await fetched(one)
    await judged().failed(one)
    expect(await files.stored()).toEqual([])
    expect(dropped).toEqual([files.serverKeyPath(one)])
  })

  test("stays where it passed, and where it fails in another process after that", async () => {
    const keys = judged()
    await fetched(one)
    await keys.passed(one, file(one))
    await writeFile(`${files.serverKeyPath(one)}.new`, "half")
    await keys.failed(one)
    expect(await readdir(join(folder, one.slice(2)))).toEqual(["server.key.sha256"])
    expect(await files.accepted(one)).toEqual(file(one))
    expect(dropped).toEqual([files.serverKeyPath(one)])
    await expect(files.readChunk(one, 0)).rejects.toThrow("ENOENT")
  })

  test("has nothing unfinished after a restart", async () => {
    for (const keyId of [one, two]) await fetched(keyId)
    await judged().tidy()
    for (const keyId of [one, two]) await expect(files.readChunk(keyId, 0)).rejects.toThrow("ENOENT")
  })

  test("goes with the next one that passes, once the chain has discarded it", async () => {
    const keys = judged()
    for (const keyId of [one, two]) await fetched(keyId)
    await keys.passed(one, file(one))
    statuses.set(one, "discarded")
    statuses.set(two, "proposed")
    await keys.passed(two, file(two))
    await keys.forgetDead()
    expect(await files.stored()).toEqual([two])
    expect(new Set(dropped)).toEqual(new Set([files.serverKeyPath(one)]))
  })

  test("stays where the chain cannot be read, and beside folders of other names", async () => {
    await mkdir(join(folder, "lost+found"))
    await fetched(one)
    statuses.set(one, "discarded")
    await judged(false).forgetDead()
    expect(await files.stored()).toEqual([one])
    await judged().forgetDead()
    expect(await files.stored()).toEqual([])
  })
})
