import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { type Address, type Digest, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { decodeBundle } from "../ceremony/bundle.ts"
import { COMMITTEE, PROPOSAL } from "../ceremony/party.fixture.ts"
import { createWorld, SIGNING } from "../ceremony/world.fixture.ts"
import { batchAnswer, callsOf } from "../chain/batchCall.fixture.ts"
import {
  decryptionVerifierInterface,
  keyRegistryInterface,
  nodeRegistryInterface,
} from "../chain/contracts.ts"
import type { RpcAnswer } from "../chain/jsonRpc.ts"
import { chainAudit } from "./chainAudit.ts"

const account = (byte: number): Address => parseAddress(toHex(new Uint8Array(20).fill(byte)))
const [KEYS, NODES] = [account(0xc1), account(0xc2)]
const HEAD = 50n
const blockAt = (number: bigint) => ({
  number: `0x${number.toString(16)}`,
  hash: taggedHash("block", number),
  timestamp: `0x${(1_000n + number).toString(16)}`,
})

/** The contracts of one active key, as an endpoint shows them. */
const parts = new Interface([
  "function keyRegistry() view returns (address)",
  "function nodeRegistry() view returns (address)",
])
const abis = new Map<string, readonly Interface[]>([
  [SIGNING.verifyingContract, [parts, decryptionVerifierInterface]],
  [KEYS, [keyRegistryInterface]],
  [NODES, [nodeRegistryInterface]],
])

async function endpoint(answers: Readonly<Record<string, readonly unknown[]>>): Promise<Server> {
  const ethCall = ({ to, data }: { readonly to: string; readonly data: string }): RpcAnswer => {
    const calls = callsOf({ data })
    if (calls !== null) return batchAnswer(calls.map(ethCall))
    for (const abi of abis.get(to.toLowerCase()) ?? []) {
      const call = abi.parseTransaction({ data })
      const values = call === null ? undefined : answers[call.name]
      if (call !== null && values !== undefined)
        return { kind: "result", result: abi.encodeFunctionResult(call.name, [...values]) }
    }
    return { kind: "reverted", data: "0x" }
  }
  const answerTo = (method: string, params: readonly unknown[]): RpcAnswer => {
    switch (method) {
      case "eth_chainId":
        return { kind: "result", result: "0x7a69" }
      case "eth_getBlockByNumber": {
        const number = params[0] === "finalized" ? HEAD : BigInt(String(params[0]))
        return { kind: "result", result: number > HEAD ? null : blockAt(number) }
      }
      default:
        return ethCall(params[0] as { readonly to: string; readonly data: string })
    }
  }
  const server = createServer((request, response) => {
    const text: Buffer[] = []
    request.on("data", (part: Buffer) => text.push(part))
    request.on("end", () => {
      const { id, method, params } = JSON.parse(Buffer.concat(text).toString("utf8"))
      const answer = answerTo(method, params)
      const error = { code: 3, message: "execution reverted", data: "data" in answer ? answer.data : "0x" }
      const body = answer.kind === "result" ? { result: answer.result } : { error }
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...body }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return server
}
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

let bundle: ReturnType<typeof decodeBundle>
let honest: Server
let lying: Server

const ZERO = `0x${"0".repeat(64)}` as Digest
const keyStruct = (transcriptDigest: Digest) => {
  const { publicKeyDigest, serverKeyDigest, crsDigest } = bundle.signed.activation
  const { coprocessor, gateway, chainId } = PROPOSAL.host
  return [
    [2, 1, PROPOSAL.deadline, 6, [chainId, coprocessor, gateway], PROPOSAL.parametersHash],
    [publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest],
  ].flat()
}

beforeAll(async () => {
  const world = createWorld()
  await world.run()
  bundle = decodeBundle(world.transcripts.get(1) ?? new Uint8Array())
  const { transcriptDigest, groupX, groupV } = bundle.signed.activation
  const answers = {
    keyRegistry: [KEYS],
    nodeRegistry: [NODES],
    keyOf: [keyStruct(transcriptDigest)],
    committeeOf: [[PROPOSAL.n, PROPOSAL.t, PROPOSAL.parties]],
    executorsOf: [PROPOSAL.executors, PROPOSAL.k],
    headerOf: [[groupX, groupV, 4, 3, PROPOSAL.host.gateway]],
    nodeOf: [
      {
        ...{ operator: account(7), role: 1, revoked: false, inGrace: false, expiresAt: 9_000, attestedAt: 1 },
        ...{ challengeBlock: 5, ppid: `0x${"ab".repeat(16)}`, piid: `0x${"cd".repeat(16)}`, entryId: 1 },
        ...{ peerIdHash: taggedHash("peer"), configHash: taggedHash("config") },
      },
    ],
    liveUntil: [8_000],
  }
  honest = await endpoint(answers)
  lying = await endpoint({ ...answers, keyOf: [keyStruct(ZERO)] })
})
afterAll(() => {
  honest.close()
  lying.close()
})

describe("a chain, as the contract that the reader named leads to it", () => {
  test("key, registry, blocks and registrations", async () => {
    const chain = chainAudit([urlOf(honest)], SIGNING.verifyingContract, bundle)
    expect(await chain.chainId()).toBe(31_337n)
    const head = await chain.head()
    expect(head.number).toBe(HEAD)
    expect(await chain.nodeRegistry(head)).toBe(NODES)
    const record = await chain.key(COMMITTEE.keyId, head)
    const { keyId, epoch, ...activation } = bundle.signed.activation
    expect(record).toMatchObject({ keyId, epoch, status: "active", proposal: bundle.proposal, activation })
    const block = await chain.block(7n)
    expect(block).toEqual({ number: 7n, hash: taggedHash("block", 7n), timestamp: 1_007n })
    expect(await chain.node(PROPOSAL.parties[0] ?? account(1), block)).toMatchObject({
      operator: account(7),
      role: "keyholder",
      liveUntil: 8_000n,
    })
  })

  test("two endpoints that differ say nothing", async () => {
    const chain = chainAudit([urlOf(honest), urlOf(lying)], SIGNING.verifyingContract, bundle)
    const head = await chain.head()
    expect(await rejectionCodeOf(() => chain.key(COMMITTEE.keyId, head))).toBe("CHAIN_DISAGREEMENT")
  })

  test("a block that the chain does not have yet, and no endpoint at all", async () => {
    expect(
      await rejectionCodeOf(() =>
        chainAudit([urlOf(honest)], SIGNING.verifyingContract, bundle).block(HEAD + 1n),
      ),
    ).toBe("CHAIN_UNAVAILABLE")
    expect(
      await rejectionCodeOf(() =>
        chainAudit(["http://127.0.0.1:1"], SIGNING.verifyingContract, bundle).head(),
      ),
    ).toBe("CHAIN_UNAVAILABLE")
  })
})
