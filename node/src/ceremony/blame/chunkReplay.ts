/**
 * Contributions and sums of a replay (`contributions.ts`): every party listed the digests of what it contributed to each
 * chunk and of the chunks that it summed. A contribution depends on its party alone, a sum on what its party received.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { summingParty } from "../contributions.ts"
import { bytesDigest } from "../digest.ts"
import type { CeremonyParty, ChunkLayout, ReplayEngine } from "../engine.ts"
import { decodeDigestList } from "../keyRounds.ts"
import type { Evidence } from "./blameFile.ts"
import { DIGESTS_ROUND } from "./failedAttempt.ts"
import type { Liar } from "./replay.ts"

type DigestList = ReturnType<typeof decodeDigestList>

export type ChunkFindings = {
  readonly liars: readonly Liar[]
  readonly disputed: readonly Liar[]
  /** By chunk index; empty where nobody went on after this round. */
  readonly sums: readonly Uint8Array[]
}

export type ChunkScene = {
  readonly round: number
  readonly parties: ReadonlyMap<PartyIndex, CeremonyParty>
  readonly engine: ReplayEngine
}

export async function replayChunks(
  { attempt: { committee }, digestLists, headers }: Evidence,
  { round, parties, engine }: ChunkScene,
): Promise<ChunkFindings> {
  const { chunks } = engine.keyLayout()
  const everyone = partyIndexes(committee)
  const summedBy = (party: PartyIndex): readonly ChunkLayout[] =>
    chunks.filter(({ index }) => summingParty(index, committee.n) === party)
  const liars = new Map<PartyIndex, Liar>()
  const wrongSums = new Map<PartyIndex, Liar>()
  const accuse = (list: Map<PartyIndex, Liar>, liar: Liar): void => {
    if (!list.has(liar.party)) list.set(liar.party, liar)
  }

  const lists = new Map<PartyIndex, DigestList>()
  for (const [party, bytes] of digestLists) {
    const list = decoded(bytes, summedBy(party).length, chunks.length)
    if (list === null) accuse(liars, { party, lie: { kind: "broadcast", round: DIGESTS_ROUND } })
    else lists.set(party, list)
  }

  const goesOn = headers(round + 1).size > 0
  const sums: Uint8Array[] = []
  for (const layout of chunks) {
    const { index, part } = layout
    const sum = new Uint8Array(layout.byteLength)
    for (const party of everyone) {
      const contribution = (await parties.get(party)?.contribution(index)) ?? new Uint8Array()
      const list = lists.get(party)
      if (list !== undefined && list.contributed[index] !== bytesDigest(contribution))
        accuse(liars, { party, lie: { kind: "contribution", chunk: index, part } })
      engine.addInto(sum, contribution, layout.wordBytes)
    }
    const party = summingParty(index, committee.n)
    const place = Math.floor(index / committee.n)
    const list = lists.get(party)
    if (list !== undefined && list.sums[place] !== bytesDigest(sum))
      accuse(wrongSums, { party, lie: { kind: "sum", chunk: index, part } })
    if (goesOn) sums.push(sum)
  }
  // A wrong contribution spoils the sums of honest parties.
  if (liars.size > 0) return { liars: [...liars.values()], disputed: [], sums: [] }
  // Whoever speaks in the next round has found that it received what was listed.
  const certified = headers(round + 1)
  const wrong = [...wrongSums.values()]
  return {
    liars: wrong.filter(({ party }) => certified.has(party)),
    disputed: wrong.filter(({ party }) => !certified.has(party)),
    sums,
  }
}

function decoded(bytes: Uint8Array, own: number, total: number): DigestList | null {
  try {
    return decodeDigestList(bytes, own, total)
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return null
  }
}
