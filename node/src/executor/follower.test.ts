import { OPERATOR } from "@twinlock/sdk/chain/abi"
import { sha256Digest, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { inputDigest } from "@twinlock/sdk/protocol/handles"
import { type Handle, parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { CoprocessorEvent } from "../chain/coprocessorEvents.ts"
import type { Computer } from "./computer.ts"
import {
  alice,
  bob,
  domain,
  handleOf,
  honestComputer,
  keyId,
  type Log,
  scene,
  vote,
  zeroWord,
} from "./executor.fixture.ts"
import { KEPT_BLOCKS } from "./follower.ts"
import { operandsDigest } from "./operations.ts"

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
