/** Verifier and gateway on an anvil of a test's own, with a committee whose keys the test knows. */
import { readArtifact } from "@twinlock/contracts/deploy"
import {
  type AcceptancePolicy,
  type BatchCertificate,
  type CompactSignature,
  compactSignature,
} from "@twinlock/sdk/protocol/certificate"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import {
  type Digest,
  parseAddress,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { addressOfPoint, Fn, Point } from "@twinlock/sdk/threshold/curve"
import { challengeOf, type GroupKey } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOf } from "@twinlock/sdk/threshold/merkle"
import { type Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet } from "ethers"
import { startAnvil } from "../../node/src/chain/anvilProcess.fixture.ts"
import { createGateway, type Gateway, type GatewayConfig } from "./gateway.ts"

const word = (byte: number): Digest => `0x${byte.toString(16).padStart(2, "0").repeat(32)}` as Digest
const seatKeys = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
/** Key of anvil's first account. */
const PAYER = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
const SECRET = 777n

const point = Point.BASE.multiply(SECRET)
const { x, y } = point.toAffine()
const group: GroupKey = { groupX: x, groupV: y & 1n ? 28 : 27 }
const keyId = parseKeyId(word(0xaa))
const epoch = parseEpoch(1)
const handle = parseHandle(word(4))
const NO_POLICY: AcceptancePolicy = { endorsements: 0, freshQuotes: 0, groupOnly: false }

export type AcceptingChain = {
  readonly gateway: Gateway
  /** What a coordinator needs to reach it, and the key that pays. */
  readonly config: GatewayConfig
  readonly payer: string
  /** Results of one handle for fresh requests, in the order of the policies. */
  request(
    wants: readonly { readonly policy?: AcceptancePolicy; readonly callbackGas?: number }[],
  ): Promise<readonly DecryptionResult[]>
  /** What the group signs for all of these, as parties 1 to 3. */
  certify(results: readonly DecryptionResult[]): BatchCertificate
  /** What the seats of these parties sign for all of these. */
  endorse(results: readonly DecryptionResult[], parties: readonly number[]): readonly CompactSignature[]
  gasOf(transaction: Digest): Promise<bigint>
  stop(): void
}

export async function startAcceptingChain(): Promise<AcceptingChain> {
  const anvil = await startAnvil("--hardfork", "osaka")
  const url = `http://${anvil.endpoint.name}`
  const provider = new JsonRpcProvider(url, 31337, { staticNetwork: true, pollingInterval: 20 })
  const owner = new NonceManager(new Wallet(word(0x11), provider))
  const account = await owner.getAddress()
  await anvil.call("anvil_setBalance", account, "0xde0b6b3a7640000")
  const create = async (name: string, ...args: readonly unknown[]): Promise<Contract> => {
    const { abi, bytecode } = readArtifact(name)
    const made = await new ContractFactory(abi, bytecode, owner).deploy(...args)
    await made.waitForDeployment()
    return made as Contract
  }
  // The test is both registries.
  const verifier = await create("DecryptionVerifier", account, account)
  const gateway = await create("DecryptionGateway", verifier.target, account, 0, 0, 1)
  const domain = { chainId: 31337n, verifyingContract: parseAddress(String(verifier.target)) }
  const at = parseAddress(String(gateway.target))
  const header = { ...group, n: 4, quorum: 3, gateway: at }
  const expiries = seatKeys.map(() => 2 ** 32 - 1)
  const installed = await verifier
    .getFunction("installEpoch")
    .send(keyId, epoch, header, expiries, seatKeys.map(addressOfSecretKey))
  await installed.wait()

  const treeOf = (results: readonly DecryptionResult[]) => ({
    root: rootOf(results.map((result) => leafHash(hashDecryptionResult(result)))),
    leaves: results.length,
  })

  const config = {
    rpc: [url],
    chainId: 31337,
    limits: { rpcTimeoutMs: 5000, maxFeeGwei: 200, maxTipGwei: 5 },
    contracts: { decryptionGateway: at, nodeRegistry: at, keyRegistry: at, coprocessor: at },
  }

  return {
    ...{ config, payer: PAYER },
    gateway: createGateway(config, PAYER, () => {}),
    async request(wants) {
      const results: DecryptionResult[] = []
      for (const { policy = NO_POLICY, callbackGas = 0 } of wants) {
        const { timestamp = 0 } = (await provider.getBlock("latest")) ?? {}
        const callback = callbackGas === 0 ? "0x00000000" : "0x12345678"
        const sent = await gateway
          .getFunction("requestWithPolicy")
          .send([handle], callback, callbackGas, timestamp + 86_400, policy)
        const receipt = await sent.wait()
        results.push({
          chainId: 31337n,
          gateway: at,
          requestId: parseRequestId(String(receipt?.logs[0]?.topics[1])),
          handles: [handle],
          sessions: [parseSessionId(word(5))],
          plaintexts: fromHex(word(6)),
        })
      }
      return results
    },
    certify(results) {
      const signers = 0b111n
      const digest = typedDigest(domain, hashResultBatch({ keyId, epoch, signers, ...treeOf(results) }))
      const nonce = Fn.create(BigInt(digest))
      const r = addressOfPoint(Point.BASE.multiply(nonce))
      const s = Fn.create(nonce + challengeOf(group, fromHex(digest), r) * SECRET)
      return { keyId, epoch, signers, r, s }
    },
    endorse(results, parties) {
      const digest = typedDigest(domain, hashEndorsedBatch({ keyId, epoch, ...treeOf(results) }))
      return parties.map((party) => {
        const key = seatKeys[party - 1]
        if (key === undefined) throw new Error(`no seat ${party}`)
        return compactSignature(signDigest(digest, key))
      })
    },
    gasOf: async (transaction) => (await provider.getTransactionReceipt(transaction))?.gasUsed ?? 0n,
    stop() {
      provider.destroy()
      anvil.stop()
    },
  }
}
