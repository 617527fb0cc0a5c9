import { Interface, type InterfaceAbi, type Log, makeError, type Network, toBeHex } from "ethers"
import * as abi from "../../sdk/src/chain/abi.ts"
import type { ContractName, Deployment } from "../../sdk/src/chain/deployments.ts"
import type { Endpoint } from "../../sdk/src/chain/endpoints.ts"
import { tagHash } from "../../sdk/src/protocol/codec.ts"
import { parseAddress } from "../../sdk/src/protocol/ids.ts"

const ABIS: Readonly<Record<ContractName, readonly unknown[]>> = {
  nodeRegistry: abi.nodeRegistryAbi,
  keyRegistry: abi.keyRegistryAbi,
  decryptionVerifier: abi.decryptionVerifierAbi,
  decryptionGateway: abi.decryptionGatewayAbi,
  ciphertextCommitments: abi.ciphertextCommitmentsAbi,
  coprocessor: abi.coprocessorAbi,
}
const address = (digit: number) => parseAddress(`0x${`${digit}`.repeat(40)}`)

export const fakeDeployment: Deployment = {
  chainId: 31337n,
  startBlock: 3n,
  nodeRegistry: address(1),
  keyRegistry: address(2),
  decryptionVerifier: address(3),
  decryptionGateway: address(4),
  ciphertextCommitments: address(5),
  coprocessor: address(6),
}

/** Answers of view functions; arguments are compared by their text. A function that returns null reverts. */
export type FakeAnswers = {
  readonly [call in `${ContractName}.${string}`]?: (...args: readonly string[]) => readonly unknown[] | null
}
export type FakeEvent = {
  readonly contract: ContractName
  readonly name: string
  readonly values: readonly unknown[]
}
export type FakeChain = {
  readonly answers: FakeAnswers
  readonly events?: readonly FakeEvent[]
  /** Input data of the transaction that emitted the event of that number. */
  readonly inputs?: readonly string[]
  readonly chainId?: bigint
  readonly finalised?: number
  /** Seconds; every block has the same. */
  readonly timestamp?: number
  /** Label of the fork: blocks of other forks have other hashes. */
  readonly fork?: string
  readonly down?: boolean
}

/** An RPC endpoint over these answers, through the contracts' real ABIs. */
export function fakeEndpoint(chain: FakeChain): Endpoint {
  const up = () => {
    if (chain.down === true) throw new Error("connection refused")
  }
  const hashOf = (number: number) => tagHash(`${chain.fork ?? "main"} ${number}`)
  const contracts = Object.entries(ABIS) as [ContractName, readonly unknown[]][]
  const endpoint = {
    async getNetwork() {
      up()
      return { chainId: chain.chainId ?? 31337n } as Network
    },
    async getBlock(tag: unknown) {
      up()
      const number = tag === "finalized" ? (chain.finalised ?? 100) : Number(tag)
      return { number, hash: hashOf(number), timestamp: chain.timestamp ?? 1_000_000 }
    },
    async call({ to, data }: { to: string; data: string }) {
      up()
      const [name, definition] = contracts.find(([contract]) => fakeDeployment[contract] === to) ?? []
      if (name === undefined || definition === undefined) return "0x"
      const codec = new Interface(definition as InterfaceAbi)
      const parsed = codec.parseTransaction({ data })
      if (parsed === null) throw new Error(`no function ${data.slice(0, 10)}`)
      const answer = chain.answers[`${name}.${parsed.name}`]?.(...parsed.args.map(String))
      if (answer === undefined) throw new Error(`the test answers no ${name}.${parsed.name}`)
      if (answer === null)
        throw makeError("reverted", "CALL_EXCEPTION", {
          action: "call",
          data: "0x12345678",
          reason: null,
          transaction: { to, data },
          invocation: null,
          revert: null,
        })
      return codec.encodeFunctionResult(parsed.name, [...answer])
    },
    async getTransaction(hash: string) {
      up()
      const data = chain.inputs?.[Number(hash)]
      return data === undefined ? null : { data }
    },
    async getLogs(filter: {
      address: string
      topics: (string | null)[]
      fromBlock: number
      toBlock: number
    }) {
      up()
      return (chain.events ?? []).flatMap(({ contract, name, values }, index) => {
        const codec = new Interface(ABIS[contract] as InterfaceAbi)
        const { data, topics } = codec.encodeEventLog(name, [...values])
        const matches =
          fakeDeployment[contract] === filter.address &&
          filter.topics.every((topic, i) => topic === null || topic === topics[i])
        const blockHash = hashOf(50)
        return matches
          ? [{ address: filter.address, data, topics, index, blockHash, transactionHash: toBeHex(index, 32) }]
          : []
      }) as unknown as Log[]
    },
  }
  return endpoint as unknown as Endpoint
}
