/**
 * What users and executors do: handles on chain, both executors' commitments, requests. All of it through the real
 * contracts; ciphertexts are ready before anything is measured.
 */

import type { Deployment } from "@twinlock/contracts/deploy"
import { readArtifact } from "@twinlock/contracts/deploy"
import { BASE_FEE_WEI } from "@twinlock/devnet/network/contracts"
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import { ContractFactory, Interface, type JsonRpcProvider, type Log, Wallet } from "ethers"
import type { ChainControl } from "./chainControl.ts"
import type { Ciphertexts } from "./ciphertexts.ts"
import type { Delivered } from "./coordinatorStub.ts"
import { requesterContract } from "./requesterContract.ts"
import { fulfilment } from "./submission.ts"

/** A handle that may be opened, and what must come out. */
export type Openable = { readonly handle: string; readonly value: bigint }
export type Asked = Openable & { readonly requestId: string }

export type Load = {
  /** Makes and commits that many handles. */
  prepare(count: number): Promise<readonly Openable[]>
  /** Sends requests of one handle each, many to a transaction; they wait for a block. */
  send(handles: readonly Openable[]): Promise<void>
  /** Requests of a block for handles that were sent. */
  asked(block: number): Promise<readonly Asked[]>
  /** Brings results to the gateway, many to a transaction, with the next block: settled requests are no work any more. */
  fulfil(delivered: readonly Delivered[]): Promise<void>
  /** Requests that the gateway counts as fulfilled. */
  fulfilled(): Promise<number>
}

export type LoadOptions = {
  readonly provider: JsonRpcProvider
  readonly control: ChainControl
  readonly contracts: Deployment
  readonly keyId: KeyId
  readonly ciphertexts: Ciphertexts
  /** Pays for the users' transactions. */
  readonly userKey: string
  readonly executorKeys: readonly string[]
}

/** Below 2^24, the most that one transaction may take. */
const TRANSACTION_GAS = 16_000_000
const MAKE_AT_ONCE = 100
const COMMIT_AT_ONCE = 100
const ASK_AT_ONCE = 64
const TRANSACTIONS_PER_BLOCK = 40
/** Results in one transaction, at 150,000 gas each. */
const FULFIL_AT_ONCE = 100
const DIGEST = `0x${"11".repeat(32)}`

/** Sends without waiting, with its own count of nonces. */
function createSender(provider: JsonRpcProvider, key: string) {
  const wallet = new Wallet(key, provider)
  let nonce: number | null = null
  return {
    wallet,
    async send(to: string, data: string, value = 0n): Promise<void> {
      nonce ??= await provider.getTransactionCount(wallet.address)
      const price = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 0n }
      const transaction = await wallet.signTransaction({
        ...{ to, data, value, nonce, type: 2, chainId: 31_337n, gasLimit: TRANSACTION_GAS },
        ...price,
      })
      nonce += 1
      await provider.send("eth_sendRawTransaction", [transaction])
    },
  }
}

function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

/** In order, so many at a time that their weights stay within `most`, or one alone. */
function together<T>(
  list: readonly T[],
  weigh: (item: T) => number,
  most: number,
): readonly (readonly T[])[] {
  const parts: T[][] = []
  let left = 0
  for (const item of list) {
    if (weigh(item) > left) {
      parts.push([])
      left = most
    }
    parts.at(-1)?.push(item)
    left -= weigh(item)
  }
  return parts
}

const resultsIn = (submission: SubmissionBody): number =>
  submission.kind === "batch" ? submission.results.length : 1

export async function createLoad(options: LoadOptions): Promise<Load> {
  const { provider, control, contracts, keyId, ciphertexts } = options
  const { fheType } = ciphertexts
  const coprocessor = new Interface(readArtifact("Coprocessor").abi as never)
  const commitments = new Interface(readArtifact("CiphertextCommitments").abi as never)
  const gateway = new Interface(readArtifact("DecryptionGateway").abi as never)
  const { abi, bytecode } = requesterContract()
  const requester = new Interface(abi as never)
  const user = createSender(provider, options.userKey)
  const executors = options.executorKeys.map((key) => createSender(provider, key))
  const values = new Map<string, bigint>()
  let made = 0

  const deploying = await new ContractFactory(abi, bytecode, user.wallet).deploy(
    contracts.coprocessor,
    contracts.decryptionGateway,
  )
  await control.mine()
  await deploying.waitForDeployment()
  const address = await deploying.getAddress()

  const logs = (event: Interface, name: string, from: number, to: number, at: string): Promise<Log[]> =>
    provider.getLogs({
      fromBlock: from,
      toBlock: to,
      address: at,
      topics: [event.getEvent(name)?.topicHash ?? null],
    })

  /** Sends in blocks of so many transactions. @returns first and last block */
  async function inBlocks(sends: readonly (() => Promise<void>)[]): Promise<readonly [number, number]> {
    const { number: before } = await control.latest()
    for (const block of chunks(sends, TRANSACTIONS_PER_BLOCK)) {
      for (const send of block) await send()
      await control.mine()
    }
    return [before + 1, (await control.latest()).number]
  }

  const { number: startBlock } = await control.latest()

  async function makeHandles(count: number) {
    const sends = chunks(Array.from({ length: count }), MAKE_AT_ONCE).map(({ length }) => () => {
      const data = requester.encodeFunctionData("make", [made, length, fheType])
      made += length
      return user.send(address, data)
    })
    const [from, to] = await inBlocks(sends)
    return (await logs(coprocessor, "Operation", from, to, contracts.coprocessor)).flatMap((log) => {
      const parsed = coprocessor.parseLog(log)
      return parsed === null
        ? []
        : [{ handle: String(parsed.args["result"]), operationDigest: String(parsed.args["digest"]) }]
    })
  }

  return {
    async prepare(count) {
      const handles = await makeHandles(count)
      if (handles.length !== count) throw new Error(`made ${handles.length} handles of ${count}`)
      const openable: Openable[] = []
      const leaves = handles.map((handle) => {
        const { value, digest } = ciphertexts.next()
        openable.push({ handle: handle.handle, value })
        values.set(handle.handle, value)
        return {
          ...handle,
          inputsDigest: DIGEST,
          ciphertextDigest: DIGEST,
          squashedDigest: `0x${digest}`,
          fheType,
          blockCount: blockCountOf(fheType),
        }
      })
      const sends = chunks(leaves, COMMIT_AT_ONCE).flatMap((part) => {
        const data = commitments.encodeFunctionData("commit", [keyId, part])
        return executors.map((executor) => () => executor.send(contracts.ciphertextCommitments, data))
      })
      const [from, to] = await inBlocks(sends)
      const final = await logs(commitments, "CommitmentFinal", from, to, contracts.ciphertextCommitments)
      if (final.length !== count) throw new Error(`${final.length} commitments of ${count} are final`)
      return openable
    },
    async send(handles) {
      for (const part of chunks(handles, ASK_AT_ONCE)) {
        const data = requester.encodeFunctionData("ask", [part.map(({ handle }) => handle)])
        await user.send(address, data, BASE_FEE_WEI * BigInt(part.length))
      }
    },
    async fulfil(delivered) {
      const submissions = [...new Set(delivered.map(({ submission }) => submission))]
      for (const part of together(submissions, resultsIn, FULFIL_AT_ONCE)) {
        const calls = part.map((submission) => {
          const { method, args } = fulfilment(submission)
          return gateway.encodeFunctionData(method, args)
        })
        await user.send(address, requester.encodeFunctionData("submit", [calls]))
      }
    },
    async fulfilled() {
      const { number } = await control.latest()
      return (await logs(gateway, "DecryptionFulfilled", startBlock, number, contracts.decryptionGateway))
        .length
    },
    async asked(block) {
      const found = await logs(gateway, "DecryptionRequested", block, block, contracts.decryptionGateway)
      return found.flatMap((log) => {
        const args = gateway.parseLog(log)?.args
        const handle = String(args?.["handles"][0])
        const value = values.get(handle)
        return value === undefined ? [] : [{ requestId: String(args?.["requestId"]), handle, value }]
      })
    },
  }
}
