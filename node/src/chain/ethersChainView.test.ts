import { hashWords, taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import {
  type Address,
  type Digest,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
} from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import { beforeEach, describe, expect, test } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import { batchAnswer, callsOf } from "./batchCall.fixture.ts"
import type { BlockRef } from "./chainView.ts"
import { createContractReader } from "./contractReader.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface,
  coprocessorInterface,
  decryptionGatewayInterface,
  decryptionVerifierInterface,
  keyRegistryInterface,
  nodeRegistryInterface,
} from "./contracts.ts"
import { createEthersChainView } from "./ethersChainView.ts"
import { createEventReader } from "./eventReader.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

const word = (byte: number): Digest => parseDigest(toHex(new Uint8Array(32).fill(byte)))
const address = (byte: number): Address => parseAddress(toHex(new Uint8Array(20).fill(byte)))
const ZERO = parseDigest(`0x${"0".repeat(64)}`)

const contracts: ContractAddresses = {
  nodeRegistry: address(0xc1),
  keyRegistry: address(0xc2),
  decryptionVerifier: address(0xc3),
  decryptionGateway: address(0xc4),
  coprocessor: address(0xc5),
  ciphertextCommitments: address(0xc6),
}
const interfaces = new Map<Address, Interface>([
  [contracts.nodeRegistry, nodeRegistryInterface],
  [contracts.keyRegistry, keyRegistryInterface],
  [contracts.decryptionVerifier, decryptionVerifierInterface],
  [contracts.decryptionGateway, decryptionGatewayInterface],
  [contracts.coprocessor, coprocessorInterface],
  [contracts.ciphertextCommitments, ciphertextCommitmentsInterface],
])
const at: BlockRef = { number: 20_000n, hash: word(0xbb), timestamp: 1_000n }
const keyId = parseKeyId(word(1))
const handle = parseHandle(word(2))
const requestId = parseRequestId(word(3))

/** Results by method; a function sees the arguments. */
let answers: Record<string, readonly unknown[] | ((...args: unknown[]) => readonly unknown[])>
let logs: {
  readonly address: Address
  readonly event: string
  readonly block: bigint
  readonly args: unknown[]
}[]
let raw: RpcAnswer
let calls: { readonly method: string; readonly params: readonly unknown[] }[]

function ethCall([transaction]: readonly unknown[]): RpcAnswer {
  const calls = callsOf(transaction)
  if (calls !== null) return batchAnswer(calls.map((call) => ethCall([call])))
  const { to, data } = transaction as { to: Address; data: string }
  const abi = interfaces.get(to)
  const call = abi?.parseTransaction({ data })
  if (abi === undefined || call == null) return raw
  const answer = answers[call.name]
  if (answer === undefined) return { kind: "reverted", data: "0x" }
  const values = typeof answer === "function" ? answer(...call.args) : answer
  return { kind: "result", result: abi.encodeFunctionResult(call.name, [...values]) }
}

const hashAt = (block: bigint): Digest => (block === at.number ? at.hash : taggedHash("block", block))

const among = (wanted: unknown, value: unknown): boolean =>
  Array.isArray(wanted) ? wanted.includes(value) : wanted === null || wanted === value

function getLogs([query]: readonly unknown[]): RpcAnswer {
  const { fromBlock, toBlock, blockHash, topics, address: of } = query as Record<string, string>
  const [from, to] = blockHash === undefined ? [fromBlock, toBlock] : [0n, at.number]
  const result = logs
    .map((log, i) => {
      const encoded = interfaces.get(log.address)?.encodeEventLog(log.event, log.args)
      return {
        address: log.address,
        topics: encoded?.topics ?? [],
        data: encoded?.data ?? "0x",
        blockNumber: `0x${log.block.toString(16)}`,
        blockHash: hashAt(log.block),
        transactionHash: word(8),
        logIndex: `0x${i.toString(16)}`,
      }
    })
    .filter((log) => among(of, log.address))
    .filter(({ blockHash: of }) => blockHash === undefined || of === blockHash)
    .filter(
      ({ blockNumber }) => BigInt(blockNumber) >= BigInt(from ?? 0) && BigInt(blockNumber) <= BigInt(to ?? 0),
    )
    .filter((log) => [...(topics ?? [])].every((topic, i) => among(topic, log.topics[i])))
  return { kind: "result", result }
}

const header = (block: bigint): RpcAnswer => ({
  kind: "result",
  result: { number: `0x${block.toString(16)}`, hash: hashAt(block), parentHash: hashAt(block - 1n) },
})

const pool: RpcPool = {
  async readParts(method, params, _count, parse) {
    calls.push({ method, params })
    return parse(ethCall(params)).map((value) => ({ value }))
  },
  async read(method, params, parse) {
    calls.push({ method, params })
    if (method === "eth_getBlockByNumber") return parse(header(BigInt(String(params[0]))))
    return parse(method === "eth_getLogs" ? getLogs(params) : ethCall(params))
  },
  first: () => Promise.reject(new Error("unused")),
  head: async () => at,
  block: async () => at,
  checkChain: async () => {},
  broadcast: async () => word(0),
}
const node = (role: number) => ({
  operator: address(role === 0 ? 0 : 7),
  role,
  revoked: false,
  inGrace: false,
  expiresAt: 2_000,
  attestedAt: 1_000,
  challengeBlock: 5,
  ppid: `0x${"ab".repeat(16)}`,
  piid: `0x${"cd".repeat(16)}`,
  peerIdHash: word(4),
  configHash: word(5),
  entryId: 1,
})
const createView = () =>
  createEthersChainView({
    pool,
    reader: createContractReader(pool),
    events: createEventReader(pool),
    contracts,
    hint: { onHead: () => () => {} },
    logger: silentLogger,
    chainId: 31337n,
    deployedAt: 100n,
  })

beforeEach(() => {
  calls = []
  logs = []
  raw = { kind: "result", result: "0x" }
  answers = {
    nodeOf: [node(1)],
    liveUntil: [1_500],
    keyOf: [
      [
        2,
        1,
        900,
        6,
        [31337, contracts.coprocessor, contracts.decryptionGateway],
        word(10),
        word(11),
        word(12),
        word(13),
        word(14),
      ],
    ],
    committeeOf: [[4, 1, [1, 2, 3, 4].map(address)]],
    executorsOf: [[5, 6].map(address), 2],
    keyOfHost: [keyId],
    headerOf: [[123n, 27, 4, 3, contracts.decryptionGateway]],
    finalOf: [word(15), false],
    requestOf: [[address(9), 400, 1, "0x00000000", 5_000, 0, 10, 3, 2, true, hashWords([handle, word(6)])]],
    cancelWindow: [30],
    isAllowedForDecryption: [true],
    isAllowed: (_handle, account) => [account === address(9)],
    permitFloor: [3, 77],
  }
})

const requested = (
  block: bigint,
  id: Digest = word(3),
  handles: Digest[] = [handle as string as Digest, word(6)],
) => ({
  address: contracts.decryptionGateway,
  event: "DecryptionRequested",
  block,
  args: [id, address(9), handles, "0x00000000", 0, 5_000, 10],
})

describe("chain view", () => {
  test("every call names the agreed block by its hash", async () => {
    await createView().isAllowedForDecryption(handle, at)
    expect(calls[0]?.params[1]).toEqual({ blockHash: at.hash, requireCanonical: true })
  })

  test("an answer of a block is asked once, a failed one again", async () => {
    const view = createView()
    await Promise.all([view.isAllowedForDecryption(handle, at), view.isAllowedForDecryption(handle, at)])
    expect(calls.length).toBe(1)
    await view.isAllowedForDecryption(handle, { ...at, hash: word(0xbc) })
    expect(calls.length).toBe(2)
  })

  test("node: the effective standing, not the stored expiry", async () => {
    expect(await createView().node(address(1), at)).toEqual({
      signer: address(1),
      operator: address(7),
      role: "keyholder",
      revoked: false,
      liveUntil: 1_500n,
      peerIdHash: word(4),
      configHash: word(5),
      ppid: `0x${"ab".repeat(16)}`,
    })
  })

  test("node: unknown signer", async () => {
    answers["nodeOf"] = [node(0)]
    expect(await createView().node(address(1), at)).toBeNull()
  })

  test("key: active, with the group key of the verifier", async () => {
    expect(await createView().key(keyId, at)).toEqual({
      keyId,
      nonce: 6n,
      epoch: 1,
      status: "active",
      proposal: {
        n: 4,
        t: 1,
        k: 2,
        parties: [1, 2, 3, 4].map(address),
        executors: [5, 6].map(address),
        parametersHash: word(10),
        host: { chainId: 31337n, coprocessor: contracts.coprocessor, gateway: contracts.decryptionGateway },
        deadline: 900n,
      },
      activation: {
        publicKeyDigest: word(11),
        serverKeyDigest: word(12),
        crsDigest: word(13),
        transcriptDigest: word(14),
        groupX: 123n,
        groupV: 27,
      },
    })
  })

  test.each([
    [1, "proposed"],
    [3, "discarded"],
  ])("key: status %i is %s, of the epoch to come", async (code, status) => {
    answers["keyOf"] = [[code, 0, 900, 6, [31337, address(5), address(4)], word(10), ZERO, ZERO, ZERO, ZERO]]
    expect(await createView().key(keyId, at)).toMatchObject({ status, epoch: 1, activation: null })
  })

  test("key: unknown", async () => {
    answers["keyOf"] = [[0, 0, 0, 0, [0, address(0), address(0)], ZERO, ZERO, ZERO, ZERO, ZERO]]
    expect(await createView().key(keyId, at)).toBeNull()
  })

  test("committee and executors", async () => {
    const view = createView()
    expect(await view.committee(keyId, parseEpoch(1), at)).toMatchObject({ n: 4, t: 1, epoch: 1 })
    expect(await view.executors(keyId, at)).toEqual({ members: [5, 6].map(address), k: 2 })
    answers["committeeOf"] = [[0, 0, []]]
    expect(await view.committee(keyId, parseEpoch(2), at)).toBeNull()
  })

  test.each<[string, unknown[], string]>([
    ["none", [ZERO, false], "none"],
    ["final", [word(15), false], "final"],
    ["frozen", [word(15), true], "frozen"],
  ])("commitment: %s", async (_name, answer, status) => {
    answers["finalOf"] = answer
    expect(await createView().commitment(handle, at)).toEqual({ leaf: answer[0], status })
  })

  const fields = (byte: number) => ({
    handle,
    operationDigest: word(byte),
    inputsDigest: word(21),
    ciphertextDigest: word(22),
    squashedDigest: word(23),
    fheType: 3 as const,
    blockCount: 4,
  })
  const leafOf = (byte: number): Digest =>
    commitmentLeaf({ chainId: 31337n, coprocessor: contracts.coprocessor }, fields(byte))
  const voted = (leaf: Digest, byte: number, block = 300n) => ({
    address: contracts.ciphertextCommitments,
    event: "CommitmentVoted",
    block,
    args: [handle, leaf, address(5), Object.values(fields(byte))],
  })

  test("commitment details come from an event with the final leaf, and hash to it", async () => {
    answers["finalOf"] = [leafOf(20), false]
    logs = [voted(leafOf(66), 66), voted(leafOf(20), 20)]
    expect(await createView().commitmentDetails(handle, at)).toEqual(fields(20))
    logs = [voted(leafOf(20), 66)]
    expect(await createView().commitmentDetails(handle, at)).toBeNull()
    answers["finalOf"] = [ZERO, false]
    expect(await createView().commitmentDetails(handle, at)).toBeNull()
  })

  test("request: found far back in the chain, its handles checked against their hash", async () => {
    logs = [requested(150n)]
    expect(await createView().request(requestId, at)).toEqual({
      requestId,
      requester: address(9),
      keyId,
      handles: [handle, word(6)],
      blockNumber: 150n,
      blockHash: hashAt(150n),
      uncancellableFrom: 430n,
      deadline: 5_000n,
      status: "open",
      policy: { endorsements: 3, freshQuotes: 2, groupOnly: true },
    })
  })

  test("request: handles that the endpoints made up are refused", async () => {
    logs = [requested(150n, word(3), [word(6), word(6)])]
    await expect(createView().request(requestId, at)).rejects.toMatchObject({
      detail: { code: "CHAIN_MALFORMED" },
    })
  })

  test("request facts: all handles, and nothing lost where one request cannot be read", async () => {
    logs = [requested(150n), requested(151n, word(33), [word(6), word(6)]), voted(leafOf(20), 20)]
    answers["requestOf"] = (id) =>
      id === word(34)
        ? [[address(0), 0, 0, "0x00000000", 0, 0, 0, 0, 0, false, ZERO]]
        : [[address(9), 400, 1, "0x00000000", 5_000, 0, 10, 0, 0, false, hashWords([handle, word(6)])]]
    answers["isAllowedForDecryption"] = (of) => [of === handle]
    answers["finalOf"] = (of) => [of === handle ? leafOf(20) : ZERO, false]
    const ids = [requestId, word(33), word(34)].map(parseRequestId)
    const facts = await createView().requestFacts(ids, at)
    expect(new Set(facts.keys())).toEqual(new Set([requestId, word(34)]))
    expect(facts.get(parseRequestId(word(34)))).toBeNull()
    expect(facts.get(requestId)).toMatchObject({
      request: { requestId, blockHash: hashAt(150n), status: "open" },
      handles: [
        {
          handle,
          allowedForDecryption: true,
          commitment: { leaf: leafOf(20), status: "final" },
          details: fields(20),
        },
        { handle: word(6), allowedForDecryption: false, commitment: { status: "none" }, details: null },
      ],
    })
  })

  test("nodes: each signer, unknown ones too", async () => {
    answers["nodeOf"] = (signer) => [node(String(signer).toLowerCase() === address(1) ? 1 : 0)]
    const nodes = await createView().nodes([address(1), address(2)], at)
    expect(nodes.get(address(1))).toMatchObject({ signer: address(1), liveUntil: 1_500n })
    expect(nodes.get(address(2))).toBeNull()
    expect(nodes.size).toBe(2)
  })

  test("request: unknown", async () => {
    answers["requestOf"] = [[address(0), 0, 0, "0x00000000", 0, 0, 0, 0, 0, false, ZERO]]
    expect(await createView().request(requestId, at)).toBeNull()
  })

  test.each([
    [2, "cancelled"],
    [3, "fulfilled"],
    [4, "fulfilled"],
    [5, "refunded"],
    [6, "fulfilled"],
  ])("request: status %i is %s", async (code, status) => {
    logs = [requested(150n)]
    answers["requestOf"] = [
      [address(9), 400, code, "0x00000000", 5_000, 0, 10, 0, 0, false, hashWords([handle, word(6)])],
    ]
    expect(await createView().request(requestId, at)).toMatchObject({ status })
  })

  test("requests since a block come in chain order, in bounded ranges", async () => {
    logs = [
      requested(50n, word(30)),
      requested(150n, word(31)),
      requested(12_000n, word(32)),
      requested(30_000n, word(33)),
    ]
    expect(await createView().requestsSince(0n, at)).toEqual([word(31), word(32)])
    const ranges = calls
      .map(({ params }) => params[0] as { fromBlock?: string; toBlock?: string })
      .filter(({ fromBlock }) => fromBlock !== undefined)
    expect(ranges.map(({ fromBlock }) => Number(fromBlock))).toEqual([100, 5_100, 10_100, 15_100])
    for (const { fromBlock, toBlock } of ranges)
      expect(Number(toBlock) - Number(fromBlock)).toBeLessThan(5_000)
  })

  test("access control and permits", async () => {
    const view = createView()
    expect(await view.isAllowedForDecryption(handle, at)).toBe(true)
    answers["isAllowed"] = (_handle, account) => [String(account).toLowerCase() === address(9)]
    expect(await view.isAllowed(handle, address(9), at)).toBe(true)
    expect(await view.isAllowed(handle, address(8), at)).toBe(false)
    expect(await view.permitFloor(address(9), at)).toEqual({ nonce: 3n, invalidBefore: 77n })
  })

  test.each<[string, RpcAnswer, boolean]>([
    ["the magic value", { kind: "result", result: `0x1626ba7e${"0".repeat(56)}` }, true],
    ["another value", { kind: "result", result: `0x${"0".repeat(64)}` }, false],
    ["the magic value with garbage", { kind: "result", result: `0x1626ba7e${"1".repeat(56)}` }, false],
    ["no code", { kind: "result", result: "0x" }, false],
    ["a revert", { kind: "reverted", data: "0x" }, false],
  ])("contract signature: %s", async (_name, answer, valid) => {
    raw = answer
    const view = createView()
    expect(await view.isValidContractSignature(address(0x77), word(1), new Uint8Array(65), at)).toBe(valid)
    expect(calls[0]?.params[0]).toMatchObject({ to: address(0x77), gas: "0x7a120" })
  })

  test.each<[string, () => void]>([
    ["a contract that reverts", () => delete answers["isAllowedForDecryption"]],
    [
      "a contract of another shape",
      () =>
        interfaces.set(
          contracts.coprocessor,
          new Interface(["function isAllowedForDecryption(bytes32) view returns (bytes2)"]),
        ),
    ],
  ])("malformed: %s", async (_name, spoil) => {
    spoil()
    if (interfaces.get(contracts.coprocessor) !== coprocessorInterface)
      answers["isAllowedForDecryption"] = ["0xffff"]
    await expect(createView().isAllowedForDecryption(handle, at)).rejects.toMatchObject({
      detail: { code: "CHAIN_MALFORMED" },
    })
    interfaces.set(contracts.coprocessor, coprocessorInterface)
  })
})
