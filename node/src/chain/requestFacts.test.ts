/** Which requests fall out of the facts where the endpoints do not agree about a part of them. */
import type { WordCall } from "@twinlock/sdk/chain/batchCall"
import { hashWords, toHex } from "@twinlock/sdk/protocol/codec"
import {
  type Digest,
  type Handle,
  parseAddress,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import type { BatchReader } from "./batchReader.ts"
import { chainError } from "./chainError.ts"
import type { ChainEvents, RequestEvent } from "./chainEvents.ts"
import type { BlockRef, NodeRecord } from "./chainView.ts"
import type { Agreed } from "./endpointVotes.ts"
import { createNodeRecords } from "./nodeRecords.ts"
import { handleOf } from "./requestChain.fixture.ts"
import { createRequestFacts, createRequestStatuses } from "./requestFacts.ts"

const word = (byte: number): Digest => toHex(new Uint8Array(32).fill(byte)) as Digest
const account = (byte: number) => parseAddress(toHex(new Uint8Array(20).fill(byte)))
const at: BlockRef = { number: 100n, hash: word(1), timestamp: 1_000n }
const contracts = {
  ...{ nodeRegistry: account(1), keyRegistry: account(2), decryptionVerifier: account(3) },
  ...{ decryptionGateway: account(4), coprocessor: account(5), ciphertextCommitments: account(6) },
}
const [A, B, C] = [1, 2, 3].map((byte) => parseRequestId(word(byte))) as [RequestId, RequestId, RequestId]
const handles: Readonly<Record<string, readonly Handle[]>> = {
  [A]: [handleOf(1), handleOf(2)],
  [B]: [handleOf(2), handleOf(3)],
  [C]: [handleOf(4)],
}

/** A batch whose answers to the calls that `spoilt` names are replaced. */
function world(spoilt: (call: WordCall) => Agreed<string> | null = () => null) {
  const asked: WordCall[][] = []
  const values = ({ method, argument = "0x" }: WordCall): unknown[] => {
    switch (method) {
      case "cancelWindow":
        return [30]
      case "keyOfHost":
        return [word(9)]
      case "requestOf":
        return [
          {
            ...{
              requester: account(7),
              requestedAt: 500,
              status: 1,
              callback: "0x00000000",
              deadline: 9_000,
            },
            ...{ callbackGas: 0, fee: 0, endorsements: 0, freshQuotes: 0, groupOnly: false },
            handlesHash: hashWords(handles[argument] ?? []),
          },
        ]
      case "isAllowedForDecryption":
        return [true]
      case "finalOf":
        return [word(0), false]
      default:
        throw new Error(method)
    }
  }
  const batch: BatchReader = {
    async read(calls) {
      asked.push([...calls])
      return calls.map(
        (call) => spoilt(call) ?? { value: call.abi.encodeFunctionResult(call.method, values(call)) },
      )
    },
  }
  const events = {
    request: (id: RequestId): RequestEvent | null => {
      const list = handles[id]
      return list === undefined ? null : { handles: list, blockNumber: 90n, blockHash: word(90) }
    },
    forgetRequest: () => {},
    findRequests: async () => new Map(),
    commitments: async () => new Map(),
  } as unknown as ChainEvents
  const deps = { batch, contracts, logger: silentLogger }
  return { asked, facts: createRequestFacts({ ...deps, events }), statuses: createRequestStatuses(deps) }
}
const split = { error: chainError("CHAIN_DISAGREEMENT", "split") }

test("everything about three requests is one batch, in which no handle stands twice", async () => {
  const { asked, facts } = world()
  const found = await facts([A, B, C], at)
  expect([...found.values()].map((of) => of?.handles.length)).toEqual([2, 2, 1])
  expect(asked).toHaveLength(1)
  expect(asked[0]).toHaveLength(2 + 3 + 2 * 4)
  expect(found.get(A)?.request).toMatchObject({
    ...{ requestId: A, requester: account(7), keyId: word(9), handles: handles[A], status: "open" },
    ...{ blockNumber: 90n, blockHash: word(90), uncancellableFrom: 530n, deadline: 9_000n },
  })
  expect(await world().facts([], at)).toEqual(new Map())
})

test("statuses are one call for each request, and those that were not agreed on are missing", async () => {
  const { asked, statuses } = world((call) => (call.argument === B ? split : null))
  expect(await statuses([A, B, C], at)).toEqual(
    new Map([A, C].map((id) => [id, { status: "open", deadline: 9_000n }])),
  )
  expect(asked.map((calls) => calls.map(({ method }) => method))).toEqual([Array(3).fill("requestOf")])
  expect(await statuses([], at)).toEqual(new Map())
})

test.each<[string, (call: WordCall) => boolean, readonly RequestId[]]>([
  ["one request", ({ method, argument }) => method === "requestOf" && argument === B, [A, C]],
  [
    "whether a handle of two requests is allowed",
    ({ method, argument }) => method === "isAllowedForDecryption" && argument === handleOf(2),
    [C],
  ],
  [
    "the commitment of a handle of one",
    ({ method, argument }) => method === "finalOf" && argument === handleOf(3),
    [A, C],
  ],
  ["all handles", ({ method }) => method === "finalOf", []],
])("no agreement about %s: the others stand", async (_name, isSpoilt, standing) => {
  for (const spoilt of [split, { value: "0x" }, { value: `${word(1)}ff` }]) {
    const found = await world((call) => (isSpoilt(call) ? spoilt : null)).facts([A, B, C], at)
    expect([...found.keys()].sort()).toEqual([...standing].sort())
  }
})

test.each(["cancelWindow", "keyOfHost"])(
  "no agreement about what holds for all, %s: nothing stands",
  async (method) => {
    const { facts } = world((call) => (call.method === method ? split : null))
    await expect(facts([A], at)).rejects.toThrow("CHAIN_DISAGREEMENT")
  },
)

test("a registration that was not agreed on is missing, asked again, and spoils no other one", async () => {
  const signers = [11, 12, 13].map(account)
  let spoilt = true
  const asked: number[] = []
  const record = {
    ...{ operator: account(7), role: 1, revoked: false, inGrace: false, expiresAt: 5_000, attestedAt: 1 },
    ...{ challengeBlock: 1, ppid: `0x${"ab".repeat(16)}`, piid: `0x${"00".repeat(16)}` },
    ...{ peerIdHash: word(3), configHash: word(4), entryId: 1 },
  }
  const nodes = createNodeRecords(
    {
      async read(calls) {
        asked.push(calls.length)
        return calls.map(({ abi, method, argument }) =>
          spoilt && method === "liveUntil" && argument === signers[1]
            ? split
            : { value: abi.encodeFunctionResult(method, [method === "nodeOf" ? record : 2_000]) },
        )
      },
    },
    contracts.nodeRegistry,
  )
  const first = await nodes.read(signers, at)
  const value = (answer: Agreed<NodeRecord | null> | undefined) =>
    answer !== undefined && "value" in answer ? answer.value?.liveUntil : "none"
  expect(signers.map((signer) => value(first.get(signer)))).toEqual([2_000n, "none", 2_000n])
  spoilt = false
  const second = await nodes.read([...signers, ...signers], at)
  expect(signers.map((signer) => value(second.get(signer)))).toEqual([2_000n, 2_000n, 2_000n])
  await nodes.read(signers, at)
  expect(asked).toEqual([6, 2])
  // Another block of the same number is another question; only the newest blocks are kept.
  for (let fork = 2; fork < 7; fork++) await nodes.read(signers, { ...at, hash: word(fork) })
  await nodes.read(signers, at)
  expect(asked).toEqual([6, 2, 6, 6, 6, 6, 6, 6])
})

test("a flood of signers is answered, but not kept", async () => {
  const unknown = {
    operator: account(0),
    role: 0,
    revoked: false,
    inGrace: false,
    expiresAt: 0,
    attestedAt: 0,
  }
  const record = {
    ...{ ...unknown, challengeBlock: 0, ppid: `0x${"00".repeat(16)}`, piid: `0x${"00".repeat(16)}` },
    ...{ peerIdHash: word(0), configHash: word(0), entryId: 0 },
  }
  let calls = 0
  const nodes = createNodeRecords(
    {
      async read(wanted) {
        calls += wanted.length
        return wanted.map(({ abi, method }) => ({
          value: abi.encodeFunctionResult(method, [method === "nodeOf" ? record : 0]),
        }))
      },
    },
    contracts.nodeRegistry,
  )
  const signers = Array.from({ length: 1_000 }, (_, i) =>
    parseAddress(`0x${i.toString(16).padStart(40, "0")}`),
  )
  expect((await nodes.read(signers, at)).size).toBe(1_000)
  expect(calls).toBe(2_000)
  expect((await nodes.read(signers, at)).size).toBe(1_000)
  expect(calls).toBe(2_000 + 2 * (1_000 - 256))
})
