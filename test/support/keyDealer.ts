/**
 * A real key for tests, made the real way: n parties of the addon run the key ceremony in one process, without network or
 * blame. Kept under .cache/keys, since it takes a minute. **Security:** the sealing key is public: for tests only.
 */
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import { type CeremonyParty, createCeremonyParty } from "@twinlock/node/threshold/ceremonyParty"
import { crsAssemble, crsUpdate, crsVerify } from "@twinlock/node/threshold/crsCeremony"
import {
  addInto,
  assemblePublicKey,
  assembleServerKey,
  keyLayout,
  PUBLIC_KEY_PART,
} from "@twinlock/node/threshold/keyAssembly"
import { type KeyShare, unsealKeyShare } from "@twinlock/node/threshold/keyShare"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"

export type DealtKey = {
  readonly n: number
  readonly t: number
  readonly publicSeed: Uint8Array
  /** Serialised CompactPublicKey. */
  readonly publicKey: Uint8Array
  /** Serialised CompactPkeCrs. */
  readonly crs: Uint8Array
  /** Serialised CompressedServerKey, 511 MB. */
  readonly serverKeyPath: string
  readonly serverKeySha256: Uint8Array
  /** By party index − 1. The caller may destroy them. */
  readonly shares: readonly KeyShare[]
}

/** Raise where a change makes cached keys wrong. */
const CACHE_VERSION = 1
const CACHE = join(import.meta.dirname, "../../.cache/keys")
const SEALING_KEY: Uint8Array = sha256(utf8ToBytes("twinlock/test/sealing-key"))
const sealingContext = (index: number): Uint8Array => utf8ToBytes(`twinlock/test/share/${index}`)

/** A key of that committee size, from the cache where there is one. */
export async function dealtKey({ n, t }: { readonly n: number; readonly t: number }): Promise<DealtKey> {
  const folder = join(CACHE, `v${CACHE_VERSION}-${n}-${t}`)
  if (!existsSync(folder)) await deal(n, t, folder)
  const read = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(join(folder, name)))
  const open = async (_: unknown, i: number): Promise<KeyShare> =>
    unsealKeyShare(await read(`share-${i + 1}`), SEALING_KEY, sealingContext(i + 1))
  return {
    n,
    t,
    publicSeed: await read("public-seed"),
    publicKey: await read("public-key"),
    crs: await read("crs"),
    serverKeyPath: join(folder, "server-key"),
    serverKeySha256: await read("server-key.sha256"),
    shares: await Promise.all(Array.from({ length: n }, open)),
  }
}

/** Deals into a folder of its own and renames it: a killed run leaves no half key, and the first of two wins. */
async function deal(n: number, t: number, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const scratch = await mkdtemp(join(CACHE, "dealing-"))
  try {
    await dealInto(scratch, n, t)
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function dealInto(folder: string, n: number, t: number): Promise<void> {
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes)
  const ceremonyId = new Uint8Array(randomBytes(32))
  const parties = Array.from({ length: n }, (_, i) =>
    createCeremonyParty({ ceremonyId, attempt: 1, n, t, index: i + 1 }),
  )
  const [first] = parties
  if (first === undefined) throw new Error("a committee has parties")
  await runRounds(parties, 0, first.rounds().length)
  const publicSeed = first.publicSeed()
  const chunkPaths: string[] = []
  for (const { index, part, wordBytes } of keyLayout().chunks) {
    const sum = await sumOfContributions(parties, index, wordBytes)
    if (part === PUBLIC_KEY_PART) await write("public-key", assemblePublicKey(publicSeed, sum))
    await write(`chunk-${index}`, sum)
    chunkPaths.push(join(folder, `chunk-${index}`))
  }
  await checkRows(parties, chunkPaths)
  const { sha256: digest } = await assembleServerKey(publicSeed, chunkPaths, join(folder, "server-key"))
  await Promise.all(chunkPaths.map((path) => rm(path)))
  for (const [i, party] of parties.entries()) {
    const share = party.finish()
    await write(`share-${i + 1}`, share.seal(SEALING_KEY, sealingContext(i + 1)))
    share.destroy()
  }
  await write("public-seed", publicSeed)
  await write("server-key.sha256", digest)
  await write("crs", await oneUpdateCrs(ceremonyId))
}

async function checkRows(parties: readonly CeremonyParty[], chunkPaths: readonly string[]): Promise<void> {
  const rounds = parties[0]?.rounds().length ?? 0
  const points = rounds + (parties[0]?.rowRounds().length ?? 0) - 1
  await runRounds(parties, rounds, points)
  for (const [chunk, path] of chunkPaths.entries()) {
    const body = new Uint8Array(await readFile(path))
    for (const party of parties) await party.absorb(chunk, body)
  }
  await runRounds(parties, points, points + 1)
}

async function runRounds(parties: readonly CeremonyParty[], first: number, end: number): Promise<void> {
  for (let round = first; round < end; round++) {
    const sent = await Promise.all(parties.map((party) => party.produce(round)))
    const broadcasts = sent.map(({ broadcast }) => broadcast)
    await Promise.all(
      parties.map((party, to) =>
        party.consume(
          round,
          broadcasts,
          sent.map(({ sealed }) => sealed[to] ?? null),
        ),
      ),
    )
  }
}

async function sumOfContributions(
  parties: readonly CeremonyParty[],
  chunk: number,
  wordBytes: 8 | 16,
): Promise<Uint8Array> {
  const [sum, ...others] = await Promise.all(parties.map((party) => party.contribution(chunk)))
  if (sum === undefined) throw new Error("a committee has parties")
  for (const contribution of others) addInto(sum, contribution, wordBytes)
  return sum
}

async function oneUpdateCrs(ceremonyId: Uint8Array): Promise<Uint8Array> {
  const context = { ceremonyId, round: 1, party: 1 }
  const state = await crsVerify(null, await crsUpdate(null, context), context)
  return crsAssemble(state, ceremonyId)
}
