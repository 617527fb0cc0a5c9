/** Registrations of many signers in one agreed read, kept for the newest blocks: an agreed answer never changes. */
import type { Address } from "@twinlock/sdk/protocol/ids"
import { resultDecoder } from "./abiWords.ts"
import type { BatchReader } from "./batchReader.ts"
import { createBoundedCache } from "./boundedCache.ts"
import { chainError } from "./chainError.ts"
import type { BlockRef, NodeRecord } from "./chainView.ts"
import { nodeRegistryInterface as nodesAbi } from "./contracts.ts"
import { nodeRecordOf } from "./contractTypes.ts"
import type { Agreed } from "./endpointVotes.ts"

export type NodeRecords = {
  /** Null: never registered. An error where its own answer was not agreed on. @throws CHAIN_UNAVAILABLE */
  read(signers: readonly Address[], at: BlockRef): Promise<ReadonlyMap<Address, Agreed<NodeRecord | null>>>
}

const KEPT_BLOCKS = 4
/** Signers of a block; who asks for more asks again. */
const KEPT_SIGNERS = 256

const decodeNode = resultDecoder(nodesAbi, "nodeOf")
const decodeLiveUntil = resultDecoder(nodesAbi, "liveUntil")

type Answer = Agreed<NodeRecord | null>

function recordOf(signer: Address, node?: Agreed<string>, liveUntil?: Agreed<string>): Answer {
  if (node === undefined || liveUntil === undefined)
    return { error: chainError("CHAIN_MALFORMED", "an answer is missing") }
  if ("error" in node) return node
  if ("error" in liveUntil) return liveUntil
  try {
    const record = nodeRecordOf(signer, decodeNode(node.value))
    const [until] = Object.values(decodeLiveUntil(liveUntil.value))
    return { value: record === null ? null : { ...record, liveUntil: BigInt(String(until)) } }
  } catch (error) {
    return { error: chainError("CHAIN_MALFORMED", `the registration of ${signer} does not decode`, error) }
  }
}

export function createNodeRecords(batch: BatchReader, nodeRegistry: Address): NodeRecords {
  const kept = createBoundedCache<string, Map<Address, Promise<Answer>>>(KEPT_BLOCKS)

  async function ask(signers: readonly Address[], at: BlockRef): Promise<readonly Answer[]> {
    const calls = signers.flatMap((argument) =>
      ["nodeOf", "liveUntil"].map((method) => ({ to: nodeRegistry, abi: nodesAbi, method, argument })),
    )
    const answers = await batch.read(calls, at)
    return signers.map((signer, i) => recordOf(signer, answers[2 * i], answers[2 * i + 1]))
  }

  return {
    async read(signers, at) {
      const ofBlock = kept.get(at.hash) ?? new Map<Address, Promise<Answer>>()
      kept.set(at.hash, ofBlock)
      const missing = [...new Set(signers)].filter((signer) => !ofBlock.has(signer))
      const asked = missing.length === 0 ? null : ask(missing, at)
      const own = new Map<Address, Promise<Answer>>()
      missing.forEach((signer, i) => {
        const answer = (asked as Promise<readonly Answer[]>).then((all) => all[i] as Answer)
        own.set(signer, answer)
        if (ofBlock.size < KEPT_SIGNERS) ofBlock.set(signer, answer)
        const forget = (): void => void ofBlock.delete(signer)
        // What failed is asked again.
        answer.then((found) => "error" in found && forget(), forget)
      })
      const found = await Promise.all(
        signers.map(async (signer) => [signer, await (own.get(signer) ?? ofBlock.get(signer))] as const),
      )
      return new Map(found.map(([signer, answer]) => [signer, answer as Answer]))
    },
  }
}
