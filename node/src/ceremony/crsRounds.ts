/**
 * The CRS of the input proofs by sequential updates (docs/crs.md): in round i party i multiplies by a factor of its own and
 * erases it. Sound if one party is honest.
 *
 * Everybody checks each update's proof of knowledge at once. The points of a list are checked by who is about to apply a
 * factor to them, and those of the last list by everybody: a malformed list in between is in no CRS, and costs no honest
 * party its factor. Who finds one says so in place of its update; then everybody checks all lists and names whose is the
 * first malformed one, or else the one that refused a good list.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { Attempt } from "./attempt.ts"
import type { CrsHistory } from "./crsHistory.ts"
import { bytesDigest } from "./digest.ts"
import type { CrsContext, KeygenEngine } from "./engine.ts"
import { judged } from "./judgements.ts"
import type { KeptSums } from "./keptSums.ts"
import { broadcastOf, eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"

export type CrsRoundErrorCode =
  /** a party refused to update a list that is well formed. */
  "CRS_REFUSAL"

/** A message is 3,555,560 bytes at 2048 bits (docs/crs.md). */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** In place of an update: the list before it is malformed. */
const REFUSAL = new Uint8Array()

export type Crs = {
  readonly file: Uint8Array
  readonly digest: Digest
  /** What the transcript keeps, so that others can check how it came about. */
  readonly history: CrsHistory
}

export type CrsRoundDeps = {
  readonly engine: Pick<KeygenEngine, "crsUpdate" | "crsFollow" | "crsCheck" | "crsLink" | "crsAssemble">
  readonly sink: BlobSink
  /** Outside of memory: a list is 3.6 MB. */
  readonly kept: Pick<KeptSums, "put" | "get">
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly crs: Slot<Crs>
}

export function crsRounds(attempt: Attempt, deps: CrsRoundDeps): readonly Round[] {
  const { committee } = attempt
  const { engine } = deps
  /** The latest party's list. */
  let latest: Uint8Array | null = null
  /** Of party i's list at i − 1. All are kept, as files: they show whose update broke a rule. */
  const lists: Digest[] = []
  const links: Uint8Array[] = []

  /** What is wrong with the list of the party, naming it; null where it is well formed. @throws what judges no list */
  async function failureOf(i: number, state: Uint8Array): Promise<ProtocolError | null> {
    try {
      await engine.crsCheck(state)
      return null
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      const failure = judged(error, parsePartyIndex(i, committee.n))
      if (failure.detail.culprits?.length === 1) return failure
      throw error
    }
  }

  async function firstFailure(): Promise<ProtocolError | null> {
    for (const [at, digest] of lists.entries()) {
      deps.signal.throwIfAborted()
      const state = await deps.kept.get(digest)
      if (state === null || bytesDigest(state) !== digest)
        throw new Error(`list ${digest} of a CRS was not kept`)
      const failure = await failureOf(at + 1, state)
      if (failure !== null) return failure
    }
    return null
  }

  async function update(context: CrsContext): Promise<Uint8Array> {
    const malformed = latest && (await failureOf(lists.length, latest))
    return malformed === null ? engine.crsUpdate(latest, context, deps.signal) : REFUSAL
  }

  async function publish(final: Uint8Array, salt: Digest): Promise<void> {
    const file = await engine.crsAssemble(final, fromHex(salt)).catch(async (error: unknown) => {
      throw (await firstFailure()) ?? error
    })
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
      produce: async () => publicMessage(await update(context)),
      async consume(incoming) {
        if (broadcastOf(incoming, speaker).length === 0)
          throw (await firstFailure()) ?? refusedForNothing(speaker)
        await eachParty(incoming, async (_, message) => {
          const state = await engine.crsFollow(latest, message, context)
          const digest = bytesDigest(state)
          await deps.kept.put(digest, state)
          latest = state
          lists.push(digest)
          links.push(engine.crsLink(message))
        })
        if (speaker === committee.n && latest !== null) await publish(latest, incoming.digest)
      },
    } satisfies Round
  })
}

const refusedForNothing = (speaker: PartyIndex): ProtocolError =>
  new ProtocolError({
    code: "CRS_REFUSAL" satisfies CrsRoundErrorCode,
    message: `party ${speaker} refuses a list that is well formed`,
    culprits: [speaker],
  })
