/** Hashes of the blocks that lead to an agreed one, from their headers' parent hashes. */
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { quantity } from "./agreedHead.ts"
import { createBoundedCache } from "./boundedCache.ts"
import { chainError, resultOf } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import { inParallel } from "./inParallel.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type HashedBlock = Pick<BlockRef, "number" | "hash">

/** Several services follow the same blocks. */
const KEPT = 8
/** Blocks that each endpoint is asked for at a time: many questions at once are what providers refuse. */
export const AT_ONCE = 8

const headerSchema = z.object({ number: quantity, hash: z.string(), parentHash: z.string() })

function parseHeader(answer: RpcAnswer): { number: string; hash: Digest; parentHash: Digest } {
  const { number, hash, parentHash } = headerSchema.parse(resultOf(answer))
  return { number, hash: parseDigest(hash), parentHash: parseDigest(parentHash) }
}

/** @returns reader of blocks from..head, oldest first; no question is asked where that is the head alone. */
export function createBlockHashes(
  pool: RpcPool,
): (from: bigint, head: HashedBlock) => Promise<readonly HashedBlock[]> {
  const kept = createBoundedCache<string, Promise<readonly HashedBlock[]>>(KEPT)

  async function read(from: bigint, head: HashedBlock): Promise<readonly HashedBlock[]> {
    const numbers = Array.from({ length: Number(head.number - from) }, (_, i) => head.number - BigInt(i))
    const headers = await inParallel(numbers, AT_ONCE, (number) =>
      pool.read("eth_getBlockByNumber", [`0x${number.toString(16)}`, false], parseHeader),
    )
    const blocks: HashedBlock[] = [{ number: head.number, hash: head.hash }]
    for (const [i, number] of numbers.entries()) {
      const header = headers[i]
      if (header === undefined || BigInt(header.number) !== number || header.hash !== blocks[0]?.hash)
        throw chainError("CHAIN_MALFORMED", `block ${number} does not lead to the agreed head ${head.hash}`)
      blocks.unshift({ number: number - 1n, hash: header.parentHash })
    }
    return blocks
  }

  return (from, head) => {
    const key = `${from}/${head.hash}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const asked = read(from, head)
    kept.set(key, asked)
    asked.catch(() => kept.delete(key))
    return asked
  }
}
