/** The newest final block that a majority of endpoints names (protocol §8), usually in one question to each. */
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { resultOf } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import { type EndpointVotes, keyOf } from "./endpointVotes.ts"
import type { RpcAnswer } from "./jsonRpc.ts"

export const quantity: z.ZodType<string> = z.string().regex(/^0x(0|[1-9a-f][0-9a-f]*)$/)
const blockSchema = z.object({ number: quantity, hash: z.string(), timestamp: quantity })
type RawBlock = z.infer<typeof blockSchema>

export function parseBlock(answer: RpcAnswer): RawBlock {
  const { number, hash, timestamp } = blockSchema.parse(resultOf(answer))
  return { number, hash: parseDigest(hash), timestamp }
}

export const refOf = ({ number, hash, timestamp }: RawBlock): BlockRef => ({
  number: BigInt(number),
  hash: parseDigest(hash),
  timestamp: BigInt(timestamp),
})

const METHOD = "eth_getBlockByNumber"

/**
 * @returns reader of the head; it never goes back, and readers at the same time share one question.
 * @param block the block that a majority holds at a number
 */
export function createAgreedHead(
  { majority, poll, unavailable, contradiction }: EndpointVotes,
  endpoints: number,
  block: (number: bigint) => Promise<BlockRef>,
): () => Promise<BlockRef> {
  let best: BlockRef | null = null
  let reading: Promise<BlockRef> | null = null

  const advance = (found: BlockRef): BlockRef => {
    if (best === null || found.number > best.number) best = found
    return best
  }

  /**
   * The block that a majority names, or else a number that a majority has reached. Decided as soon as a majority
   * answered: a slow endpoint delays nothing. Its late vote still counts, so that a fast one that stands still holds
   * nobody back.
   */
  const finalised = (): Promise<BlockRef | bigint> =>
    new Promise((resolve, reject) => {
      let agreed: RawBlock | null = null
      const question = {
        ...{ method: METHOD, params: ["finalized", false] },
        parse: (answer: RpcAnswer) => [parseBlock(answer)],
      }
      const alarm = (endpoint: string, block: RawBlock | undefined): void => {
        if (block?.number === agreed?.number && keyOf(block) !== keyOf(agreed))
          contradiction(endpoint, "finalised head")
      }
      poll<RawBlock>(question, (vote, votes) => {
        const last = "parts" in vote ? vote.parts[0] : undefined
        if (agreed !== null) return alarm(vote.endpoint, last)
        const answers = votes.flatMap((v) => ("parts" in v ? v.parts : []))
        if (last !== undefined && answers.filter((b) => keyOf(b) === keyOf(last)).length >= majority) {
          agreed = last
          for (const v of votes) if ("parts" in v) alarm(v.endpoint, v.parts[0])
          resolve(advance(refOf(last)))
        } else if (answers.length >= majority) {
          const numbers = answers.map(({ number }) => BigInt(number)).sort((a, b) => (a < b ? 1 : -1))
          const reached = numbers[majority - 1] ?? 0n
          resolve(best !== null && reached <= best.number ? best : reached)
        } else if (votes.length === endpoints) reject(unavailable("finalised head", votes))
      })
    })

  async function readHead(): Promise<BlockRef> {
    const found = await finalised()
    return typeof found === "bigint" ? advance(await block(found)) : found
  }

  return () => {
    reading ??= readHead().finally(() => {
      reading = null
    })
    return reading
  }
}
