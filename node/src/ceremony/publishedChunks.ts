/**
 * Chunks of the key as everybody can fetch them: public bytes under the digest that their summing party has signed. They
 * come from a store that nobody trusts, or else from the summing party itself over its attested channel, in turns until
 * time is up. So what a store does is held against nobody, and a party is named for its own silence or its own bytes.
 */
import { signerOf } from "@twinlock/sdk/protocol/committee"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { BlobSource } from "../blobs/blobSource.ts"
import { type Attempt, refuse } from "./attempt.ts"
import { summingParty } from "./contributions.ts"
import { bytesDigest } from "./digest.ts"
import type { ChunkLayout } from "./engine.ts"
import { encodeSumRequest, type KeptSums, SUM_PROTOCOL } from "./keptSums.ts"
import { type DeliveryOptions, pause, RETRY_MS, unlessAborted } from "./outbox.ts"

export type PublishedChunkErrorCode =
  /** no store hands out the chunk, nor does its summing party, which was asked itself. */
  | "CHUNK_UNAVAILABLE"
  /** the summing party itself has sent other bytes than it signed. */
  | "CHUNK_DIFFERS"

export type PublishedChunk = { readonly layout: ChunkLayout; readonly digest: Digest }

export type ChunkSource = {
  /** @throws CHUNK_UNAVAILABLE, CHUNK_DIFFERS naming the summing party, CEREMONY_STOPPED */
  fetch(chunk: PublishedChunk): Promise<Uint8Array>
}

export type ChunkSourceDeps = DeliveryOptions & {
  readonly source: BlobSource
  readonly sums: Pick<KeptSums, "get">
  /** For one chunk, from whomever. */
  readonly timeoutMs: number
}

/** Longest wait for one answer. */
export const ANSWER_MS = 30_000

type Ask = (signal: AbortSignal) => Promise<Uint8Array>

export function createChunkSource(attempt: Attempt, deps: ChunkSourceDeps): ChunkSource {
  const { committee, self } = attempt
  const { network, scheduler, signal, source, sums, timeoutMs } = deps
  /** A store that keeps everybody waiting is asked last. */
  let storeIsSlow = false

  /** Null where nothing came; "late" where it took too long. */
  async function answerTo(ask: Ask, over: AbortSignal): Promise<Uint8Array | "late" | null> {
    const ended = new AbortController()
    const end = (): void => ended.abort()
    const cancel = scheduler.after(ANSWER_MS, end)
    over.addEventListener("abort", end)
    if (over.aborted) end()
    try {
      return await unlessAborted(ask(ended.signal), ended.signal)
    } catch (error) {
      if (ended.signal.aborted) return "late"
      if (!isProtocolError(error)) throw error
      return null
    } finally {
      cancel()
      over.removeEventListener("abort", end)
    }
  }

  async function fetchFromOthers(
    { layout, digest }: PublishedChunk,
    summer: PartyIndex | null,
    over: AbortSignal,
  ): Promise<Uint8Array | null> {
    const matches = (bytes: Uint8Array): boolean =>
      bytes.length === layout.byteLength && bytesDigest(bytes) === digest

    async function fromStore(): Promise<Uint8Array | null> {
      const answer = await answerTo((given) => source.get(digest, layout.byteLength, given), over)
      storeIsSlow = answer === "late"
      return answer !== null && answer !== "late" && matches(answer) ? answer : null
    }

    async function fromSummer(): Promise<Uint8Array | null> {
      if (summer === null) return null
      const request = encodeSumRequest(attempt, digest)
      const to = signerOf(committee, summer)
      const answer = await answerTo((given) => network.request(to, SUM_PROTOCOL.id, request, given), over)
      if (answer === null || answer === "late") return null
      if (matches(answer)) return answer
      throw chunkError("CHUNK_DIFFERS", `party ${summer} sends other bytes than ${digest}`, [summer])
    }

    const turns = storeIsSlow ? [fromSummer, fromStore] : [fromStore, fromSummer]
    while (!over.aborted) {
      for (const turn of turns) {
        const bytes = await turn()
        if (bytes !== null) return bytes
      }
      await pause(RETRY_MS, { scheduler, signal: over })
    }
    return null
  }

  return {
    async fetch(chunk) {
      const { layout, digest } = chunk
      const party = summingParty(layout.index, committee.n)
      const summer = party === self ? null : party
      const own = summer === null ? await sums.get(digest) : null
      if (own !== null) return own
      const timeIsUp = new AbortController()
      const cancel = scheduler.after(timeoutMs, () => timeIsUp.abort())
      try {
        const over = AbortSignal.any([signal, timeIsUp.signal])
        const bytes = await fetchFromOthers(chunk, summer, over)
        if (bytes !== null) return bytes
      } finally {
        cancel()
      }
      if (signal.aborted) throw refuse("CEREMONY_STOPPED", "the attempt has ended")
      throw chunkError(
        "CHUNK_UNAVAILABLE",
        `no store has chunk ${layout.index} as ${digest}, and party ${party} does not send it`,
        summer === null ? [] : [summer],
      )
    },
  }
}

const chunkError = (
  code: PublishedChunkErrorCode,
  message: string,
  culprits: readonly PartyIndex[],
): ProtocolError => new ProtocolError({ code, message, culprits })
