/** Shares of released subjects: many computed together, each by itself where a batch fails. */
import type { SessionShare } from "@twinlock/sdk/protocol/messages"
import type { Authorised } from "./authorisePublic.ts"
import { type BatchQueue, createBatchQueue } from "./batchQueue.ts"
import { type ReleaseDeps, sharesOf, wordBytesOf } from "./release.ts"

export type ShareComputationsDeps = {
  readonly release: ReleaseDeps
  readonly publish: (shares: readonly SessionShare[]) => void
  readonly onError: (authorised: Authorised, error: unknown) => void
}

/** Subjects whose shares are computed together, and bytes of their canonical words. */
const TOGETHER = 64
const BYTES_TOGETHER = 16 * 1024 * 1024

export function createShareComputations(deps: ShareComputationsDeps): BatchQueue<Authorised> {
  const { release, publish, onError } = deps

  async function compute(authorised: Authorised): Promise<void> {
    try {
      publish(await sharesOf([authorised], release))
    } catch (error) {
      onError(authorised, error)
    }
  }

  return createBatchQueue<Authorised>(
    async (batch) => {
      try {
        publish(await sharesOf(batch, release))
      } catch (error) {
        if (batch.length === 1) throw error
        for (const single of batch) await compute(single)
      }
    },
    {
      maxItems: TOGETHER,
      weigh: wordBytesOf,
      maxWeight: BYTES_TOGETHER,
      onError: (error, batch) => {
        for (const single of batch) onError(single, error)
      },
    },
  )
}
