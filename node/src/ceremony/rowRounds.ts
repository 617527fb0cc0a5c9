/**
 * The row check (protocol §4): the second coin opens once all parties have echoed the digests of all chunks; then every
 * party takes in all chunks as they were published and opens its points of the sums. What is signed later are the same
 * digests.
 */
import type { Attempt } from "./attempt.ts"
import type { CeremonyParty, KeygenEngine } from "./engine.ts"
import type { KeyMaterial } from "./keyRounds.ts"
import { engineRound } from "./nativeRounds.ts"
import type { ChunkSource, PublishedChunk } from "./publishedChunks.ts"
import type { Round } from "./rounds.ts"

export type RowRoundDeps = {
  readonly engine: Pick<KeygenEngine, "keyLayout">
  readonly party: CeremonyParty
  readonly chunks: ChunkSource
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** To fetch and sum all chunks. */
  readonly chunksTimeoutMs: number
  readonly material: { get(): Pick<KeyMaterial, "chunkDigests"> }
  /** A chunk of so many bytes has been taken in. */
  readonly onAbsorbed: (bytes: number) => void
}

export function rowRounds(attempt: Attempt, deps: RowRoundDeps): readonly Round[] {
  const { party, timeoutMs } = deps
  const { chunks } = deps.engine.keyLayout()

  function published(): readonly PublishedChunk[] {
    const { chunkDigests } = deps.material.get()
    return chunks.map((layout) => {
      const digest = chunkDigests[layout.index]
      if (digest === undefined) throw new Error(`chunk ${layout.index} has no agreed digest`)
      return { layout, digest }
    })
  }

  /** The next chunk comes while the engine sums the one before. */
  async function takeIn(): Promise<void> {
    let absorbing: Promise<void> = Promise.resolve()
    for (const chunk of published()) {
      const [body] = await Promise.all([deps.chunks.fetch(chunk), absorbing])
      deps.signal.throwIfAborted()
      absorbing = party.absorb(chunk.layout.index, body).then(() => deps.onAbsorbed(body.length))
    }
    await absorbing
  }

  const names = party.rowRounds()
  return names.map((name, at): Round => {
    const index = party.rounds().length + at
    const round = engineRound(attempt, { party, name, index, timeoutMs })
    if (at + 1 < names.length) return round
    return {
      ...round,
      // Megabytes of points would not tell a reader of the transcript what they are points of.
      spec: { ...round.spec, timeoutMs: deps.chunksTimeoutMs, kept: false },
      async produce(previous) {
        await takeIn()
        return round.produce(previous)
      },
    }
  })
}
