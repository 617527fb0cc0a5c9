import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { OPERATOR } from "@twinlock/sdk/chain/abi"
import { fromHex, keccak, sha256Digest, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { hashInputAttestation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { FheType } from "@twinlock/sdk/protocol/fheType"
import { formatHandle, inputDigest } from "@twinlock/sdk/protocol/handles"
import { type Digest, type Handle, parseAddress, parseDigest, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import type { Commitment } from "../chain/chainView.ts"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import { createManualClock } from "../clock.ts"
import { Secret } from "../secret.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { createCiphertextStore } from "./ciphertextStore.ts"
import type { ComputeRequest, Computer } from "./computer.ts"
import { createFollower, KEPT_BLOCKS } from "./follower.ts"
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
const honestComputer: Computer = {
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

type Log = readonly (readonly [bigint, CoprocessorEvent])[]
type Change = {
  readonly computer?: Partial<Computer>
  /** Throws where the contract refuses these votes. */
  readonly judge?: (commitments: readonly Commitment[]) => void
}

async function scene(log: Log = [], { computer: change = {}, judge = () => {} }: Change = {}) {
  const clock = createManualClock()
  const computer = { ...honestComputer, ...change }
  const committed = new Set<Handle>()
  const transactions: (readonly Handle[])[] = []
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
      log
        .filter(([block]) => block >= from && block <= to)
        .map(([blockNumber, event]) => ({ blockNumber, event })),
    list: async (digest) => {
      const list = blobs.get(digest)
      if (list === undefined) throw new Error("nobody has it")
      return list
    },
    commit: async (commitments) => {
      judge(commitments)
      transactions.push(commitments.map(({ handle }) => handle))
      votes.push(...commitments)
    },
    committed: {
      has: async (handle) => committed.has(handle),
      add: async (handle) => void committed.add(handle),
    },
    clock,
    cursor: {
      load: async () => next,
      save: async (value) => {
        next = value
      },
    },
    logger: silentLogger,
  })
  const at = (number: bigint) => ({ number, hash: keccak(new Uint8Array([1])), timestamp: 0n })
  return { store, blobs, votes, transactions, inputs, follower, at, clock, cursor: () => next }
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

  const later = handleOf(taggedHash("later"), 3)
  const unary = (result: Handle, lhs: Handle): CoprocessorEvent => ({
    ...add,
    operator: OPERATOR.not,
    result,
    lhs,
    rhs: zeroWord,
  })

  test("an input whose list nobody has stays open with what needs it; the others go on, and it is made up for", async () => {
    const other = utf8ToBytes("alice:z")
    const z = handleOf(inputDigest(domain, { ...origin(0), listDigest: sha256Digest(other) }), 3, 0)
    const { inputs, blobs, follower, votes, at, cursor, clock } = await scene([
      ...log,
      [8n, { ...input, listDigest: sha256Digest(other), handles: [z] }],
      [9n, { kind: "allowed-for-decryption", handle: z }],
    ])
    await inputs.attest({ list: other, contract: vote, user: alice })
    await follower.advance(at(9n))
    expect(votes.map(({ handle }) => handle)).toEqual([z])
    expect(follower.open).toBe(4)
    // A kill now starts again at the first open event.
    expect(cursor()).toBe(5n)
    blobs.set(sha256Digest(list), list)
    await follower.advance(at(10n))
    expect(votes).toHaveLength(1)
    clock.advance(1000)
    await follower.advance(at(10n))
    expect(votes.map(({ handle }) => handle)).toEqual([z, x, sum])
    expect(follower.open).toBe(0)
    expect(cursor()).toBe(11n)
  })

  test("an operation that the addon refuses holds up only what depends on it, and is not tried in a hot loop", async () => {
    let tries = 0
    const compute: Computer["compute"] = async (request) => {
      if (request.operator !== "add") return honestComputer.compute(request)
      tries += 1
      throw new Error("unsupported")
    }
    const { inputs, follower, votes, at, clock } = await scene(
      [...log, [7n, unary(later, sum)], [7n, { kind: "allowed-for-decryption", handle: later }]],
      { computer: { compute } },
    )
    await inputs.attest({ list, contract: vote, user: alice })
    for (let block = 9n; block < 30n; block++) await follower.advance(at(block))
    expect(votes.map(({ handle }) => handle)).toEqual([x])
    expect(tries).toBe(1)
    clock.advance(600)
    await follower.advance(at(31n))
    expect(tries).toBe(2)
  })

  test("an event that stays open for a week of blocks is given up", async () => {
    const { follower, at, cursor, clock } = await scene(log)
    await follower.advance(at(9n))
    expect(follower.open).toBe(4)
    clock.advance(600_000)
    await follower.advance(at(8n + KEPT_BLOCKS))
    expect(follower.open).toBe(0)
    expect(cursor()).toBe(9n + KEPT_BLOCKS)
  })

  test("a commitment that the contract refuses does not take the others with it, and is squashed once", async () => {
    let squashes = 0
    const { inputs, follower, votes, transactions, at, clock } = await scene(log, {
      computer: {
        squash: (...args) => {
          squashes += 1
          return honestComputer.squash(...args)
        },
      },
      judge: (commitments) => {
        if (commitments.some(({ handle }) => handle === x))
          throw new ProtocolError({ code: "TRANSACTION_REVERTED", message: "BadHandle" })
      },
    })
    await inputs.attest({ list, contract: vote, user: alice })
    await follower.advance(at(9n))
    expect(votes.map(({ handle }) => handle)).toEqual([sum])
    clock.advance(1000)
    await follower.advance(at(9n))
    expect(transactions).toEqual([[sum]])
    expect(squashes).toBe(2)
  })

  test("a handle that is allowed to many is squashed and voted for once, also by a new process", async () => {
    const allowed = (account: typeof alice): CoprocessorEvent => ({
      kind: "allowed",
      handle: x,
      account,
      by: vote,
    })
    const { inputs, follower, transactions, at } = await scene([
      [5n, input],
      [6n, allowed(alice)],
      [6n, allowed(bob)],
      [8n, { kind: "allowed-for-decryption", handle: x }],
    ])
    await inputs.attest({ list, contract: vote, user: alice })
    await follower.advance(at(6n))
    await follower.advance(at(9n))
    expect(transactions).toEqual([[x]])
  })

  test("votes are sent in transactions of bounded size", async () => {
    const many = Array.from({ length: 40 }, (_, i) => handleOf(taggedHash(`result ${i}`), 3))
    const { inputs, follower, transactions, at } = await scene([
      [5n, input],
      ...many.flatMap(
        (handle): Log => [
          [6n, unary(handle, x)],
          [6n, { kind: "allowed-for-decryption", handle }],
        ],
      ),
    ])
    await inputs.attest({ list, contract: vote, user: alice })
    await follower.advance(at(6n))
    expect(transactions.map((handles) => handles.length)).toEqual([16, 16, 8])
  })

  test("a list that does not yield the handles of its event restores nothing wrong", async () => {
    const forged = handleOf(taggedHash("forged"), 3, 0)
    const { blobs, follower, votes, at } = await scene([
      [5n, { ...input, handles: [forged] }],
      [6n, { kind: "allowed-for-decryption", handle: forged }],
    ])
    blobs.set(sha256Digest(list), list)
    await follower.advance(at(9n))
    expect(votes).toEqual([])
    expect(follower.open).toBe(2)
  })

  test("an operand that nobody made leaves its operation open", async () => {
    const { follower, at } = await scene([
      [5n, { ...add, lhs: handleOf(parseDigest(taggedHash("nobody")), 3) }],
    ])
    await follower.advance(at(9n))
    expect(follower.open).toBe(1)
  })
})
