/** The deployed contracts on an anvil of a test's own, with requests and commitments as the test wants them. */
import { deploy } from "@twinlock/contracts/deploy"
import { abiWord, concatBytes, keccak, toHex } from "@twinlock/sdk/protocol/codec"
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import {
  type Address,
  type Digest,
  type Handle,
  type Hex,
  parseAddress,
  parseHandle,
  parseRequestId,
  type RequestId,
} from "@twinlock/sdk/protocol/ids"
import { JsonRpcProvider } from "ethers"
import { type AnvilProcess, startAnvil } from "./anvilProcess.fixture.ts"
import type { Commitment } from "./chainView.ts"
import {
  type ContractAddresses,
  ciphertextCommitmentsInterface,
  decryptionGatewayInterface,
} from "./contracts.ts"

export type RequestChain = {
  readonly anvil: AnvilProcess
  readonly contracts: ContractAddresses
  /** Requests of these handles, all in one new block, in this order. */
  request(lists: readonly (readonly Handle[])[]): Promise<readonly RequestId[]>
  /** Final commitments of these handles, voted for in one new block. */
  commit(handles: readonly Handle[]): Promise<readonly Commitment[]>
  /** Blocks after which everything so far is final. */
  finalise(): Promise<void>
}

/** Emits its call data: four topics and the data behind them. */
const EMITTER = "0x60803603" + "60805f37" + "606035604035602035" + "5f35" + "608036035fa400"
const DEADLINE = 2 ** 40 - 1

export const handleOf = (number: number): Handle =>
  parseHandle(toHex(abiWord((BigInt(number) << 16n) + 0x0501n)))

const word = (byte: number): Digest => toHex(new Uint8Array(32).fill(byte)) as Digest

export async function startRequestChain(): Promise<RequestChain> {
  const anvil = await startAnvil("--hardfork", "osaka", "--gas-limit", "60000000")
  const provider = new JsonRpcProvider(`http://${anvil.endpoint.name}`, 31337, {
    ...{ staticNetwork: true, pollingInterval: 20 },
  })
  const signer = await provider.getSigner(0)
  const owner = await signer.getAddress()
  const deployed = await deploy({
    ...{ signer, chainId: 31337n, governance: owner, guardian: owner, treasury: owner },
    genesisHash: (await provider.getBlock(0))?.hash ?? "",
    rootKey: { x: 1n, y: 2n },
    ...{ baseFee: 0n, cancelWindow: 0n },
  })
  provider.destroy()
  const contracts = Object.fromEntries(
    Object.entries(deployed).map(([name, address]) => [name, parseAddress(address)]),
  ) as unknown as ContractAddresses
  const { decryptionGateway: gateway, ciphertextCommitments: commitments, coprocessor } = contracts
  await anvil.call("evm_setAutomine", false)
  const latest = async () =>
    (await anvil.call("eth_getBlockByNumber", "latest", false)) as { timestamp: string }

  /** All in one block. */
  async function send(to: Address, inputs: readonly string[]): Promise<readonly string[]> {
    const hashes: string[] = []
    for (const data of inputs) {
      const transaction = { from: owner, to, data, gas: "0x100000" }
      hashes.push(String(await anvil.call("eth_sendTransaction", transaction)))
    }
    await anvil.call("evm_mine")
    return hashes
  }

  return {
    anvil,
    contracts,
    async request(lists) {
      const deadline = Math.min(DEADLINE, Number((await latest()).timestamp) + 86_400)
      const inputs = lists.map((handles) =>
        decryptionGatewayInterface.encodeFunctionData("request", [handles, "0x00000000", 0, deadline]),
      )
      const ids: RequestId[] = []
      for (const hash of await send(gateway, inputs)) {
        const receipt = (await anvil.call("eth_getTransactionReceipt", hash)) as {
          readonly logs: readonly { readonly topics: readonly string[] }[]
        }
        ids.push(parseRequestId(String(receipt.logs[0]?.topics[1])))
      }
      return ids
    },
    async commit(handles) {
      const made = handles.map((handle, i): Commitment => {
        const digests = { operationDigest: word(1), inputsDigest: word(2), ciphertextDigest: word(3) }
        return {
          handle,
          ...digests,
          squashedDigest: keccak(abiWord(BigInt(i))) as Digest,
          fheType: 5,
          blockCount: 16,
        }
      })
      const code = await anvil.call("eth_getCode", commitments, "latest")
      await anvil.call("anvil_setCode", commitments, EMITTER)
      const logs: string[] = []
      for (const commitment of made) {
        const { handle, fheType } = commitment
        const leaf = commitmentLeaf({ chainId: 31337n, coprocessor }, { ...commitment, fheType })
        const values = [handle, leaf, owner, Object.values(commitment)]
        const { topics, data } = ciphertextCommitmentsInterface.encodeEventLog("CommitmentVoted", values)
        logs.push(`0x${topics.map((topic) => topic.slice(2)).join("")}${data.slice(2)}`)
        // The mapping of final leaves is the contract's first variable.
        const slot = keccak(concatBytes(abiWord(handle as Hex), abiWord(0)))
        await anvil.call("anvil_setStorageAt", commitments, slot, leaf)
      }
      await send(commitments, logs)
      await anvil.call("anvil_setCode", commitments, code)
      return made
    },
    finalise: async () => void (await anvil.call("anvil_mine", "0x3")),
  }
}
