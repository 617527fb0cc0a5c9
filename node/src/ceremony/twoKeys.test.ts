import { fromHex, taggedHash } from "@twinlock/sdk/protocol/codec"
import { blobBytesOf } from "@twinlock/sdk/protocol/fheType"
import type { Epoch, KeyId } from "@twinlock/sdk/protocol/ids"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { describe, expect, test } from "vitest"
import type { KeyRecord } from "../chain/chainView.ts"
import { discardOf } from "./blame/blame.fixture.ts"
import { attemptFor, prepareCeremony } from "./ceremony.ts"
import { bytesDigest } from "./digest.ts"
import { COMMITTEE, PARTIES, party } from "./party.fixture.ts"
import { KEY_SHARE_KIND, seatName, shareContext } from "./shareVault.ts"
import { openToyShare, type ToyFiles, toyEngine, toyLayout } from "./toyEngine.fixture.ts"
import { createWorld, SEALING_KEY, type World } from "./world.fixture.ts"

const LAYOUT = toyLayout(6)
const UINT8 = 2
const METADATA = new Uint8Array(1)

/** The public files of the newest active key, by its digests on chain. */
function filesOf({ submitted, blobs }: World) {
  const activation = submitted.at(-1)?.activation
  if (activation === undefined) throw new Error("no key is active")
  const [publicKey, crs] = [activation.publicKeyDigest, activation.crsDigest].map((digest) =>
    blobs.get(digest),
  )
  if (publicKey === undefined || crs === undefined) throw new Error("a file of the key is missing")
  return { publicKey, crs, activation }
}
type Files = ReturnType<typeof filesOf>

/** Canonical words of x + y under a key, as an executor makes them from what its users encrypted. */
async function wordsOf({ publicKey, crs }: Files, x: number, y: number): Promise<Uint8Array> {
  const files: ToyFiles = new Map([["server key", publicKey]])
  const engine = toyEngine(LAYOUT, files)
  const list = await engine.encryptSelfTest(publicKey, crs, METADATA, [x, y])
  const serverKey = { path: "server key", sha256: fromHex(bytesDigest(publicKey)) }
  const results = await engine.evaluateSelfTest(serverKey, list, publicKey, crs, METADATA)
  return results.slice(0, blobBytesOf(UINT8)) // of the sum
}

type Key = { readonly keyId: KeyId; readonly epoch: Epoch }

const sealedShare = async ({ stores }: World, key: Key, index: number): Promise<Uint8Array> => {
  const sealed = await stores[index - 1]?.get(KEY_SHARE_KIND, seatName(key))
  if (sealed == null) throw new Error(`party ${index} holds no share of ${key.keyId}`)
  return sealed
}

async function decrypt(world: World, key: Key, words: Uint8Array): Promise<bigint> {
  const opening = createOpening({ n: COMMITTEE.n, t: COMMITTEE.t, blocks: 2 })
  for (const [at] of PARTIES.entries()) {
    const context = shareContext({ ...key, party: party(at + 1) })
    const share = openToyShare(await sealedShare(world, key, at + 1), SEALING_KEY, context)
    const [own] =
      (await share?.decryptionShares([{ words, format: "raw", session: key.keyId as never }])) ?? []
    opening.add(party(at + 1), own ?? new Uint8Array())
  }
  const { state } = opening
  if (state.status !== "opened") throw new Error("the shares lie on no polynomial")
  return decodePlaintext(state.values, UINT8)
}

describe("two keys of the same parties", () => {
  test("the second one is made while the first one serves; afterwards both serve", async () => {
    const world = createWorld({ chunks: 6 })
    const { epoch } = COMMITTEE
    await world.run()
    const first: Key = { keyId: world.chain.record.keyId, epoch }
    const firstFiles = filesOf(world)

    world.propose(PARTIES)
    const second: Key = { keyId: world.chain.record.keyId, epoch }
    const ceremony = world.run()
    const made = () => world.progress.filter((phase) => phase === "chunk-digests").length
    await expect.poll(made, { timeout: 300_000 }).toBe(2)
    expect(await decrypt(world, first, await wordsOf(firstFiles, 30, 12))).toBe(42n)
    expect(world.submitted).toHaveLength(1)
    expect((await ceremony).map(({ status }) => status)).toEqual(PARTIES.map(() => "finished"))

    const secondFiles = filesOf(world)
    expect(second.keyId).not.toBe(first.keyId)
    const digests = ({ activation }: Files) => [
      ...[activation.publicKeyDigest, activation.serverKeyDigest, activation.crsDigest],
      ...[activation.transcriptDigest, activation.groupX],
    ]
    expect(new Set([...digests(firstFiles), ...digests(secondFiles)]).size).toBe(10)
    expect(await decrypt(world, first, await wordsOf(firstFiles, 1, 2))).toBe(3n)
    expect(await decrypt(world, second, await wordsOf(secondFiles, 200, 100))).toBe(44n)
    for (const [at] of PARTIES.entries()) {
      const seat = { party: party(at + 1) }
      const stolen = await sealedShare(world, first, at + 1)
      expect(openToyShare(stolen, SEALING_KEY, shareContext({ ...second, ...seat }))).toBeNull()
      expect(await world.stores[at]?.list(KEY_SHARE_KIND)).toHaveLength(2)
    }
  }, 600_000)

  test("what a share of one key is worth does not depend on the fate of the other", async () => {
    const world = createWorld({ chunks: 6 })
    await world.run()
    const { keyId, epoch } = COMMITTEE
    const served = world.chain.record
    const files = filesOf(world)
    world.propose(PARTIES)
    const runner = await world.start(1)
    // Its last words wait for the others, who do not run.
    let stopped = false
    void runner.stop().then(() => {
      stopped = true
    })
    await world.until(() => stopped)
    const { vault } = world.deps(1)
    await vault.remove({ keyId: world.chain.record.keyId, epoch })
    // Revealing what a discarded key was made of is refused for the key that was signed for, and only for it.
    const discardedOf = (record: KeyRecord) =>
      discardOf({ ...record, status: "discarded", activation: null }, world)
    await vault.reveal(await discardedOf(world.chain.record))
    await expect(vault.reveal(await discardedOf(served))).rejects.toMatchObject({
      detail: { code: "CEREMONY_SIGNED_OR_REVEALED" },
    })
    expect(await decrypt(world, { keyId, epoch }, await wordsOf(files, 5, 6))).toBe(11n)
  }, 600_000)
})

describe("two parameter sets", () => {
  test("do not meet in one ceremony: who read another proposal gets nobody past the first round", async () => {
    const world: World = createWorld({
      prepare(index, honest) {
        if (index !== 4) return honest
        const { record } = world.chain
        const proposal = { ...record.proposal, parametersHash: taggedHash("another set") }
        const deps = world.deps(index)
        const other = { ...record, proposal }
        return prepareCeremony(other, attemptFor(other, deps.network.self), deps)
      },
    })
    const ends = await world.run()
    const codes = ends.map((end) => (end.status === "aborted" ? end.cause.code : end.status))
    expect(codes).not.toContain("finished")
    expect(codes.filter((code) => code === "CEREMONY_WRONG_ECHO").length).toBeGreaterThan(0)
    expect(world.progress).toEqual(["standing"])
  })
})
