import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { OPERATOR } from "@twinlock/sdk/chain/abi"
import { fromHex, keccak, sha256Digest, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { hashInputAttestation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import { formatHandle, inputDigest } from "@twinlock/sdk/protocol/handles"
import { type Digest, type Handle, parseAddress, parseDigest, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import type { Commitment } from "../chain/chainView.ts"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import { Secret } from "../secret.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { createCiphertextStore } from "./ciphertextStore.ts"
import type { ComputeRequest, Computer } from "./computer.ts"
import { createFollower } from "./follower.ts"
import { createInputs, type ServedKey } from "./inputs.ts"
import { computeRequest, operandHandles, operandsDigest, type SymbolicOperation } from "./operations.ts"

const alice = parseAddress(`0x${"a1".repeat(20)}`)
const bob = parseAddress(`0x${"b0".repeat(20)}`)
const vote = parseAddress(`0x${"07".repeat(20)}`)
const keyId = parseKeyId(`0x${"11".repeat(32)}`)
const domain = { chainId: 31_337n, coprocessor: parseAddress(`0x${"c0".repeat(20)}`) }
const signing = { chainId: 31_337n, verifyingContract: parseAddress(`0x${"dd".repeat(20)}`) }
const zeroWord = `0x${"00".repeat(32)}` as const
const handleOf = (digest: Digest, fheType: FheType, index = 255): Handle =>
  formatHandle({ hash: digest, index, chainId: 31_337n, fheType })
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Ciphertexts are texts: "add(a,b)"; a list "alice:x,y" is proven for alice. */
const computer: Computer = {
  compute: async ({ operator, operands, scalar }: ComputeRequest) =>
    utf8ToBytes(`${operator}(${[...operands.map(text), ...(scalar ? [String(scalar[31])] : [])].join(",")})`),
  squash: async (ciphertext) => utf8ToBytes(`squashed ${text(ciphertext)}`),
  expandInputs: async (list, _, metadata) => {
    const [who, values = ""] = text(list).split(":")
    const expected = who === "alice" ? alice : bob
    if (!Buffer.from(metadata).toString("hex").includes(expected.slice(2)))
      throw new Error("the proof was not valid")
    return values.split(",").map((value) => ({ fheType: 3 as const, ciphertext: utf8ToBytes(value) }))
  },
}
const key: ServedKey = {
  keyId,
  domain,
  signing,
  crsDigest: keccak(new Uint8Array()),
  files: { publicKey: new Uint8Array(), crs: new Uint8Array() },
}

async function scene(log: readonly (readonly [bigint, CoprocessorEvent])[] = []) {
  const store = await createCiphertextStore(await mkdtemp(join(tmpdir(), "twinlock-executor-")))
  const blobs = new Map<Digest, Uint8Array>()
  const votes: Commitment[] = []
  let next = 0n
  const publish = async (digest: Digest, bytes: Uint8Array) => void blobs.set(digest, bytes)
  const inputs = createInputs({
    key,
    computer,
    store,
    signer: new Secret(seededRng("executor")(32)),
    publish,
  })
  const follower = createFollower({
    computer,
    store,
    inputs,
    sink: { put: publish },
    events: async (from, to) =>
      log.filter(([block]) => block >= from && block <= to).map(([, event]) => event),
    list: async (digest) => {
      const list = blobs.get(digest)
      if (list === undefined) throw new Error("nobody has it")
      return list
    },
    commit: async (commitments) => void votes.push(...commitments),
    cursor: {
      load: async () => next,
      save: async (value) => {
        next = value
      },
    },
    logger: silentLogger,
  })
  const at = (number: bigint) => ({ number, hash: keccak(new Uint8Array([1])), timestamp: 0n })
  return { store, blobs, votes, inputs, follower, at, cursor: () => next }
}

describe("inputs", () => {
  test("an attested input carries the executor's signature over exactly its handles", async () => {
    const { inputs, blobs } = await scene()
    const list = utf8ToBytes("alice:x,y")
    const answer = await inputs.attest({ list, contract: vote, user: alice })
    const statement = {
      keyId,
      coprocessor: domain.coprocessor,
      contractAddress: vote,
      user: alice,
      listDigest: sha256Digest(list),
      handles: answer.handles,
    }
    expect(
      recoverSigner(typedDigest(signing, hashInputAttestation(statement)), fromHex(answer.signature)),
    ).toBe(answer.signer)
    expect(answer.handles).toHaveLength(2)
    expect(blobs.get(sha256Digest(list))).toEqual(list)
  })

  test("INPUT_REFUSED: a list copied from another user", async () => {
    const { inputs } = await scene()
    expect(
      await rejectionCodeOf(() => inputs.attest({ list: utf8ToBytes("alice:x"), contract: vote, user: bob })),
    ).toBe("INPUT_REFUSED")
  })

  test("INPUT_TOO_LARGE before anything is computed", async () => {
    const { inputs } = await scene()
    expect(
      await rejectionCodeOf(() =>
        inputs.attest({ list: new Uint8Array(65_537), contract: vote, user: alice }),
      ),
    ).toBe("INPUT_TOO_LARGE")
  })
})

describe("operations", () => {
  const a = handleOf(taggedHash("a"), 3)
  const b = handleOf(taggedHash("b"), 3)
  const c = handleOf(taggedHash("c"), 0)
  const base = { result: a, third: zeroWord, digest: taggedHash("op"), scalar: false, lhs: a, rhs: b }
  const cases: readonly (readonly [string, SymbolicOperation, readonly Handle[], Partial<ComputeRequest>])[] =
    [
      ["add", { ...base, operator: OPERATOR.add }, [a, b], { operator: "add" }],
      [
        "eq with a clear value",
        { ...base, operator: OPERATOR.eq, scalar: true, rhs: `0x${"00".repeat(31)}02` },
        [a],
        { operator: "eq" },
      ],
      [
        "select",
        { ...base, operator: OPERATOR.select, lhs: c, rhs: a, third: b },
        [c, a, b],
        { operator: "select" },
      ],
      [
        "cast",
        { ...base, operator: OPERATOR.cast, lhs: b, rhs: zeroWord },
        [b],
        { operator: "cast", toType: 3 },
      ],
      ["not", { ...base, operator: OPERATOR.not, rhs: zeroWord }, [a], { operator: "not" }],
      ["bitwise and", { ...base, operator: OPERATOR.bitAnd }, [a, b], { operator: "and" }],
      [
        "trivial",
        { ...base, operator: OPERATOR.trivialEncrypt, lhs: `0x${"00".repeat(31)}07`, rhs: zeroWord },
        [],
        { operator: "trivial", toType: 3 },
      ],
    ]
  test.each(cases)("%s", (_, operation, operands, request) => {
    expect(operandHandles(operation)).toEqual(operands)
    expect(computeRequest(operation, [])).toMatchObject(request)
  })
  test("the clear value of a scalar operation is passed as it stands on chain", () => {
    const operation = { ...base, operator: OPERATOR.eq, scalar: true, rhs: `0x${"00".repeat(31)}02` as const }
    expect(computeRequest(operation, []).scalar?.[31]).toBe(2)
  })
})

describe("follower", () => {
  const list = utf8ToBytes("alice:x,y")
  const origin = (index: number) => ({
    keyId,
    listDigest: sha256Digest(list),
    index,
    contract: vote,
    user: alice,
  })
  const [x, y] = [0, 1].map((index) => handleOf(inputDigest(domain, origin(index)), 3, index)) as [
    Handle,
    Handle,
  ]
  const sum = handleOf(taggedHash("sum"), 3)
  const input: CoprocessorEvent = {
    kind: "input",
    keyId,
    contract: vote,
    user: alice,
    listDigest: sha256Digest(list),
    handles: [x, y],
  }
  const add: CoprocessorEvent = {
    kind: "operation",
    operator: OPERATOR.add,
    result: sum,
    lhs: x,
    rhs: y,
    third: zeroWord,
    scalar: false,
    digest: taggedHash("sum"),
  }
  const log = [
    [5n, input],
    [5n, add],
    [5n, { kind: "allowed", handle: sum, account: vote, by: vote }],
    [6n, { kind: "allowed", handle: x, account: alice, by: vote }],
    [7n, { kind: "allowed-for-decryption", handle: sum }],
  ] as const satisfies readonly (readonly [bigint, CoprocessorEvent])[]

  test("computes in order, squashes what may be decrypted, and commits to every digest", async () => {
    const { inputs, follower, votes, blobs, at, cursor } = await scene(log)
    await inputs.attest({ list, contract: vote, user: alice })
    await follower.advance(at(6n))
    expect(votes.map(({ handle }) => handle)).toEqual([x])
    await follower.advance(at(9n))
    const tally = votes[1]
    if (tally === undefined) throw new Error("no commitment")
    const words = utf8ToBytes("squashed add(x,y)")
    expect(tally).toEqual({
      handle: sum,
      operationDigest: taggedHash("sum"),
      inputsDigest: operandsDigest([sha256Digest(utf8ToBytes("x")), sha256Digest(utf8ToBytes("y"))]),
      ciphertextDigest: sha256Digest(utf8ToBytes("add(x,y)")),
      squashedDigest: sha256Digest(words),
      fheType: 3,
      blockCount: 4,
    })
    expect(blobs.get(tally.squashedDigest)).toEqual(words)
    expect(cursor()).toBe(10n)
  })

  test("an executor that did not attest an input fetches its list and ends with the same commitments", async () => {
    const first = await scene(log)
    await first.inputs.attest({ list, contract: vote, user: alice })
    await first.follower.advance(first.at(9n))
    const second = await scene(log)
    second.blobs.set(sha256Digest(list), list)
    await second.follower.advance(second.at(9n))
    expect(second.votes).toEqual(first.votes)
  })

  test("a step that failed is done again from its start; nothing is skipped", async () => {
    const { inputs, follower, votes, blobs, at, cursor } = await scene(log)
    await expect(follower.advance(at(9n))).rejects.toThrow("nobody has it")
    expect(cursor()).toBe(0n)
    await inputs.attest({ list, contract: vote, user: alice })
    blobs.clear()
    await follower.advance(at(9n))
    expect(votes).toHaveLength(2)
  })

  test("CIPHERTEXT_UNKNOWN: an operand that nobody made", async () => {
    const { follower, at } = await scene([
      [5n, { ...add, lhs: handleOf(parseDigest(taggedHash("nobody")), 3) }],
    ])
    expect(await rejectionCodeOf(() => follower.advance(at(9n)))).toBe("CIPHERTEXT_UNKNOWN")
  })
})
