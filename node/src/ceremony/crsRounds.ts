/**
 * The CRS of the input proofs by sequential updates (docs/crs.md): in round i party i multiplies by a factor of its own and
 * erases it; everybody verifies the update before the next one starts. Sound if one party is honest.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { Attempt } from "./attempt.ts"
import type { CrsHistory } from "./crsHistory.ts"
import { bytesDigest } from "./digest.ts"
import type { CrsContext, KeygenEngine } from "./engine.ts"
import { eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"

/** A message is 3,555,560 bytes at 2048 bits (docs/crs.md). */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

export type Crs = {
  readonly file: Uint8Array
  readonly digest: Digest
  /** What the transcript keeps, so that others can check how it came about. */
  readonly history: CrsHistory
}

export type CrsRoundDeps = {
  readonly engine: Pick<KeygenEngine, "crsUpdate" | "crsVerify" | "crsLink" | "crsAssemble">
  readonly sink: BlobSink
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly crs: Slot<Crs>
}

export function crsRounds(attempt: Attempt, deps: CrsRoundDeps): readonly Round[] {
  const { committee } = attempt
  const { engine } = deps
  let state: Uint8Array | null = null
  const links: Uint8Array[] = []

  async function publish(final: Uint8Array, salt: Digest): Promise<void> {
    const file = await engine.crsAssemble(final, fromHex(salt))
    const digest = bytesDigest(file)
    deps.crs.set({ file, digest, history: { links, state: final } })
    await deps.sink.put(digest, file, deps.signal)
  }

  return partyIndexes(committee).map((speaker) => {
    const context: CrsContext = { ceremonyId: fromHex(committee.keyId), round: speaker, party: speaker }
    return {
      spec: {
        name: `crs-${speaker}`,
        speakers: [speaker],
        maxBroadcast: MAX_MESSAGE_BYTES,
        maxSealed: 0,
        timeoutMs: deps.timeoutMs,
        binding: false,
        kept: false,
      },
      produce: async () => publicMessage(await engine.crsUpdate(state, context, deps.signal)),
      async consume(incoming) {
        await eachParty(incoming, async (_, message) => {
          state = await engine.crsVerify(state, message, context)
          links.push(engine.crsLink(message))
        })
        if (speaker === committee.n && state !== null) await publish(state, incoming.digest)
      },
    } satisfies Round
  })
}
