/**
 * The whole life of a ciphertext under a key that a ceremony made: proof in WASM, native verification, computation, noise
 * squashing, decryption shares, opening. Takes minutes the first time, since the key is made; then it is cached.
 */
import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { promisify } from "node:util"
import { proveInputs } from "@twinlock/sdk/fhe/ciphertext"
import { loadNodeTfhe } from "@twinlock/sdk/fhe/load"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  bitsOf,
  blobBytesOf,
  blockCountOf,
  FHE_TYPES,
  type FheType,
  wordFormatOf,
} from "@twinlock/sdk/protocol/fheType"
import { parseDigest, parseKeyId, parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type DealtKey, dealtKey } from "../../../test/support/keyDealer.ts"
import { loadWebTfhe } from "../../../test/support/webTfhe.ts"
import { expectedResults, SELF_TEST_RESULT_BYTES } from "../ceremony/selfTestResults.ts"
import { selfTestMetadata, selfTestValues } from "../ceremony/verdict.ts"
import { encryptSelfTest, verifyInputList } from "./inputProofs.ts"
import type { ShareWork } from "./keyShare.ts"
import { packedNoise, secretOf } from "./packedNoise.fixture.ts"
import { loadServerKey, type ServerKey, type ServerKeyFile } from "./serverKey.ts"

const METADATA = new TextEncoder().encode("metadata of alice")
const SESSION = parseSessionId(`0x${"09".repeat(32)}`)
const VALUES = [true, 200n, 0x0123_4567_89ab_cdefn] as const
const code = (name: string) => (error: unknown) => isProtocolError(error, name)

let key: DealtKey
let serverKeyFile: ServerKeyFile
let server: ServerKey
let list: Uint8Array
let inputs: readonly Uint8Array[]

beforeAll(async () => {
  key = await dealtKey({ n: 4, t: 1 })
  serverKeyFile = { path: key.serverKeyPath, sha256: key.serverKeySha256 }
  server = await loadServerKey(serverKeyFile)
  list = proveInputs(await loadNodeTfhe(), {
    publicKey: key.publicKey,
    crs: key.crs,
    metadata: METADATA,
    values: [
      { type: "bool", value: VALUES[0] },
      { type: "uint8", value: VALUES[1] },
      { type: "uint64", value: VALUES[2] },
    ],
  })
  inputs = (await server.expandInputs(list, key, METADATA)).map(({ ciphertext }) => ciphertext)
})

afterAll(() => {
  server.destroy()
  for (const share of key.shares) share.destroy()
})

const workOf = (words: Uint8Array, fheType: FheType): ShareWork => ({
  session: SESSION,
  format: wordFormatOf(fheType),
  words,
})

/** Squashes, asks the named parties for shares and opens them. */
async function decrypt(ciphertext: Uint8Array, fheType: FheType, parties = [1, 2, 3]): Promise<bigint> {
  const words = await server.squash(ciphertext, fheType)
  expect(words.length).toBe(blobBytesOf(fheType))
  return open(words, fheType, parties)
}

async function open(words: Uint8Array, fheType: FheType, parties: readonly number[]): Promise<bigint> {
  const opening = createOpening({ n: key.n, t: key.t, blocks: blockCountOf(fheType) })
  for (const party of parties) {
    const [share] = (await key.shares[party - 1]?.decryptionShares([workOf(words, fheType)])) ?? []
    if (share === undefined) throw new Error("no such party")
    const state = opening.add(parsePartyIndex(party, key.n), share)
    if (state.status === "opened") return decodePlaintext(state.values, fheType)
  }
  throw new Error("not enough shares")
}

const input = (index: number): Uint8Array => {
  const ciphertext = inputs[index]
  if (ciphertext === undefined) throw new Error("no such input")
  return ciphertext
}

describe("proven inputs", () => {
  test("verify under their metadata and expand to what was encrypted", async () => {
    const types = [FHE_TYPES.bool, FHE_TYPES.uint8, FHE_TYPES.uint64] as const
    expect(await verifyInputList(list, key.publicKey, key.crs, METADATA)).toEqual(types)
    const opened = await Promise.all(types.map((type, index) => decrypt(input(index), type)))
    expect(opened).toEqual([1n, VALUES[1], VALUES[2]])
  })

  test("of the library's build for browsers verify and expand to what was encrypted", async () => {
    const fromBrowser = proveInputs(await loadWebTfhe(), {
      publicKey: key.publicKey,
      crs: key.crs,
      metadata: METADATA,
      values: [{ type: "uint8", value: 77n }],
    })
    const [expanded] = await server.expandInputs(fromBrowser, key, METADATA)
    expect(expanded?.fheType).toBe(FHE_TYPES.uint8)
    expect(await decrypt(expanded?.ciphertext ?? new Uint8Array(), FHE_TYPES.uint8)).toBe(77n)
  })

  test("of another user are refused", async () => {
    const other = new TextEncoder().encode("metadata of bob")
    const verified = verifyInputList(list, key.publicKey, key.crs, other)
    await expect(verified).rejects.toSatisfy(code("INPUT_PROOF_INVALID"))
    await expect(server.expandInputs(list, key, other)).rejects.toSatisfy(code("INPUT_PROOF_INVALID"))
  })

  test("that were changed or cut are refused", async () => {
    for (let step = 0; step < 20; step++) {
      const changed = list.slice()
      const position = (step * 7919 + 13) % changed.length
      changed[position] = (changed[position] ?? 0) ^ (1 << (step % 8))
      const refused = verifyInputList(changed, key.publicKey, key.crs, METADATA)
      await expect(refused, `byte ${position}`).rejects.toSatisfy(
        (error) => code("INPUT_PROOF_INVALID")(error) || code("INPUT_LIST_MALFORMED")(error),
      )
      const cut = verifyInputList(
        list.subarray(0, Math.floor((step * list.length) / 20)),
        key.publicKey,
        key.crs,
        METADATA,
      )
      await expect(cut).rejects.toSatisfy(code("INPUT_LIST_MALFORMED"))
    }
  })

  test("under another CRS or key file are refused", async () => {
    const short = verifyInputList(list, key.publicKey, key.crs.subarray(1), METADATA)
    await expect(short).rejects.toSatisfy(code("CRS_LENGTH"))
    const other = verifyInputList(list, key.publicKey.subarray(1), key.crs, METADATA)
    await expect(other).rejects.toSatisfy(code("PUBLIC_KEY_INVALID"))
  })
})

describe("computation", () => {
  test("adds, compares and selects", async () => {
    const one = new Uint8Array(32).fill(1, 31)
    const sum = await server.compute({ operator: "add", operands: [input(2)], scalar: one })
    expect(await decrypt(sum, FHE_TYPES.uint64, [2, 3, 4])).toBe(VALUES[2] + 1n)
    const greater = await server.compute({ operator: "gt", operands: [sum, input(2)] })
    expect(await decrypt(greater, FHE_TYPES.bool)).toBe(1n)
    const chosen = await server.compute({ operator: "select", operands: [greater, input(2), sum] })
    expect(await decrypt(chosen, FHE_TYPES.uint64)).toBe(VALUES[2])
  })

  test("squashes known values as well", async () => {
    const scalar = new Uint8Array(32).fill(77, 31)
    const known = await server.compute({ operator: "trivial", operands: [], scalar, toType: FHE_TYPES.uint8 })
    expect(await decrypt(known, FHE_TYPES.uint8)).toBe(77n)
  })

  test("refuses what no contract emits", async () => {
    const mixed = server.compute({ operator: "add", operands: [input(1), input(2)] })
    await expect(mixed).rejects.toSatisfy(code("OPERATION_INVALID"))
    const cut = server.compute({ operator: "not", operands: [input(1).subarray(1)] })
    await expect(cut).rejects.toSatisfy(code("CIPHERTEXT_MALFORMED"))
    const wrongType = server.squash(input(1), FHE_TYPES.uint16)
    await expect(wrongType).rejects.toSatisfy(code("CIPHERTEXT_TYPE"))
  })

  test("gives the same bytes in another process", async () => {
    const request = { operator: "mul", operands: [input(1), input(1)] }
    const product = await server.compute(request)
    const wide = await server.compute({ operator: "cast", operands: [product], toType: FHE_TYPES.uint32 })
    const words = await server.squash(product, FHE_TYPES.uint8)
    const packed = await server.squash(wide, FHE_TYPES.uint32)
    const expected = createHash("sha256").update(product).update(words).update(packed).digest("hex")
    const fixture = new URL("./recompute.fixture.ts", import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, [fixture], {
      env: {
        ...process.env,
        TWINLOCK_SERVER_KEY: serverKeyFile.path,
        TWINLOCK_SERVER_KEY_SHA256: Buffer.from(serverKeyFile.sha256).toString("base64"),
        TWINLOCK_OPERAND: Buffer.from(input(1)).toString("base64"),
        RAYON_NUM_THREADS: "1",
      },
    })
    expect(stdout.trim()).toBe(expected)
  })
})

describe("decryption shares", () => {
  test("are the same for the same words, and every quorum opens the same value", async () => {
    const words = await server.squash(input(1), FHE_TYPES.uint8)
    const [alice] = key.shares
    const work = workOf(words, FHE_TYPES.uint8)
    const shares = await Promise.all([1, 2].map(() => alice?.decryptionShares([work, work])))
    expect(shares[0]).toEqual(shares[1])
    expect(shares[0]?.[0]).toEqual(shares[0]?.[1])
    for (const parties of [
      [1, 2, 3],
      [1, 2, 4],
      [1, 3, 4],
      [4, 3, 2],
    ])
      expect(await open(words, FHE_TYPES.uint8, parties)).toBe(VALUES[1])
  })

  test("outvote a liar, who is named", async () => {
    const words = await server.squash(input(1), FHE_TYPES.uint8)
    const opening = createOpening({ n: key.n, t: key.t, blocks: blockCountOf(FHE_TYPES.uint8) })
    let state = opening.state
    for (const [i, holder] of key.shares.entries()) {
      const [share = words] = await holder.decryptionShares([workOf(words, FHE_TYPES.uint8)])
      state = opening.add(
        parsePartyIndex(i + 1, key.n),
        i === 2 ? new Uint8Array(randomBytes(share.length)) : share,
      )
    }
    if (state.status !== "opened") throw new Error("want an opened value")
    expect(decodePlaintext(state.values, FHE_TYPES.uint8)).toBe(VALUES[1])
    expect(state.culprits).toEqual([3])
  })
})

describe("packed words", () => {
  const random = (bits: number): bigint =>
    BigInt.asUintN(bits, BigInt(`0x${Buffer.from(randomBytes(32)).toString("hex")}`))
  const scalarOf = (value: bigint): Uint8Array =>
    new Uint8Array(Buffer.from(value.toString(16).padStart(64, "0"), "hex"))

  /** An encryption of a known value of any width with the noise of a computed one: one of two, chosen by an encrypted bit. */
  async function encrypted(fheType: FheType, value: bigint): Promise<Uint8Array> {
    const known = (word: bigint) =>
      server.compute({ operator: "trivial", operands: [], scalar: scalarOf(word), toType: fheType })
    const [chosen, other] = [await known(value), await known(random(bitsOf(fheType)))]
    return server.compute({ operator: "select", operands: [input(0), chosen, other] })
  }

  test.each(["uint32", "uint64", "uint128", "uint160", "uint256"] as const)(
    "of %s decrypt to a random value, with noise far below what masks hide",
    async (name) => {
      const fheType = FHE_TYPES[name]
      const value = random(bitsOf(fheType))
      const words = await server.squash(await encrypted(fheType, value), fheType)
      expect(words.length).toBe(blobBytesOf(fheType))
      for (const parties of [
        [1, 2, 3],
        [4, 3, 2],
      ])
        expect(await open(words, fheType, parties)).toBe(value)
      const noise = packedNoise(secretOf(key), words, fheType, value)
      const widest = Math.max(...noise.map((e) => e.toString(2).length))
      process.stdout.write(`${name}: noise of ${noise.length} packed blocks has at most ${widest} bits\n`)
      expect(widest).toBeLessThanOrEqual(70)
    },
  )
})

test("the self-test of a ceremony gives what is expected of its two values, under both parts of the key", async () => {
  const names = {
    keyId: parseKeyId(`0x${"11".repeat(32)}`),
    serverKeyDigest: parseDigest(`0x${"22".repeat(32)}`),
    publicKeyDigest: parseDigest(`0x${"33".repeat(32)}`),
    crsDigest: parseDigest(`0x${"44".repeat(32)}`),
  }
  const metadata = selfTestMetadata(names)
  const proven = await encryptSelfTest(key.publicKey, key.crs, metadata, selfTestValues(names))
  const started = performance.now()
  const words = await server.selfTest(serverKeyFile, proven, key, metadata)
  process.stdout.write(`self-test: ${Math.round(performance.now() - started)} ms\n`)
  expect(words.length).toBe(SELF_TEST_RESULT_BYTES)
  const split = blobBytesOf(FHE_TYPES.uint8)
  const opened = [
    await open(words.slice(0, split), FHE_TYPES.uint8, [1, 2, 3]),
    await open(words.slice(split), FHE_TYPES.uint32, [4, 3, 2]),
  ]
  expect(opened).toEqual(expectedResults(names))
  await expect(server.selfTest(serverKeyFile, list, key, METADATA)).rejects.toSatisfy(code("SELF_TEST_LIST"))
  // The parts that serve this test alone are read from the same file, not from what lies at its path now.
  const exchanged = { ...serverKeyFile, sha256: new Uint8Array(32) }
  await expect(server.selfTest(exchanged, proven, key, metadata)).rejects.toSatisfy(
    code("SERVER_KEY_INVALID"),
  )
})

test("a server key of another digest is refused", async () => {
  const refused = loadServerKey({ ...serverKeyFile, sha256: new Uint8Array(32) })
  await expect(refused).rejects.toSatisfy(code("SERVER_KEY_INVALID"))
})

test("a destroyed share or key answers no more", async () => {
  const { shares } = await dealtKey({ n: 4, t: 1 })
  const [share] = shares
  if (share === undefined) throw new Error("no share")
  const work = workOf(new Uint8Array(65_552), FHE_TYPES.bool)
  const running = share.decryptionShares([work])
  share.destroy()
  expect((await running)[0]).toHaveLength(64)
  await expect(share.decryptionShares([work])).rejects.toSatisfy(code("NATIVE_DESTROYED"))
  expect(() => share.seal(new Uint8Array(32), METADATA)).toThrow(/^NATIVE_DESTROYED/)
  for (const other of shares) other.destroy()
})
