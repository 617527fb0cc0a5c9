/**
 * Blame by replay (protocol §4): everything that a party sends while a key is made follows from its root and from what it
 * received. With all roots the whole ceremony is made again, and compared with the headers that the parties signed, round
 * by round, up to the first difference. Until there all parties received what is made again here, so a party whose message
 * differs did not follow the protocol, and an honest one's cannot differ.
 *
 * All public: these roots are of a key that can never become active.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { type Committee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { bytesDigest } from "../digest.ts"
import type { CeremonyParty, ReplayEngine } from "../engine.ts"
import { type Header, sealedHashOf } from "../header.ts"
import { publicKeyMessage, serverKeyDigestOf } from "../keyRounds.ts"
import type { Evidence } from "./blameFile.ts"
import { replayChunks } from "./chunkReplay.ts"
import { DIGESTS_ROUND } from "./failedAttempt.ts"

export type Lie =
  /** The revealed root makes another first message than the party sent: that message commits to it. */
  | { readonly kind: "root" }
  | { readonly kind: "broadcast"; readonly round: string }
  | { readonly kind: "sealed"; readonly round: string; readonly to: PartyIndex }
  | { readonly kind: "contribution"; readonly chunk: number; readonly part: string }
  | { readonly kind: "sum"; readonly chunk: number; readonly part: string }

export type Liar = { readonly party: PartyIndex; readonly lie: Lie }

export type Blame = {
  /** Parties that provably left the protocol, each with the first message that shows it. */
  readonly liars: readonly Liar[]
  /** Parties without a reveal: nothing that depends on theirs could be made again. */
  readonly withheld: readonly PartyIndex[]
  /**
   * Parties whose sum is wrong and who have not said in the next round that they received what was listed: they or whoever
   * sent to them lied.
   */
  readonly disputed: readonly Liar[]
  /** Rounds whose messages all are as they must be. */
  readonly honest: readonly string[]
  /** Code of a check that failed although all messages are right: bad luck, or none where null. */
  readonly check: string | null
}

type Finding = { readonly liars: readonly Liar[]; readonly disputed: readonly Liar[] }

/** What ends a replay before the last round. */
type End = Finding & { readonly check: string | null }
const END: End = { liars: [], disputed: [], check: null }

/** @throws what the engine throws where it cannot work at all */
export async function replay(evidence: Evidence, engine: ReplayEngine, bits?: number): Promise<Blame> {
  const { committee, attempt } = evidence.attempt
  const { n, t, keyId } = committee
  const honest: string[] = []
  const parties = new Map(
    partyIndexes(committee).flatMap((index) => {
      const root = evidence.roots.get(index)
      const config = { ceremonyId: fromHex(keyId), attempt, n, t, index, ...(bits && { bits }) }
      return root === undefined ? [] : [[index, engine.replayParty(config, root)] as const]
    }),
  )
  try {
    const end = await compare({ evidence, engine, parties, honest })
    return { ...end, honest, withheld: missing(committee, evidence.roots) }
  } finally {
    for (const party of parties.values()) party.destroy()
  }
}

type Scene = {
  readonly evidence: Evidence
  readonly engine: ReplayEngine
  readonly parties: ReadonlyMap<PartyIndex, CeremonyParty>
  readonly honest: string[]
}

async function compare(scene: Scene): Promise<End> {
  const { evidence, parties, honest } = scene
  const [first] = [...parties.values()]
  if (first === undefined) return END
  const rounds = first.rounds()
  const names = [...rounds, ...first.rowRounds()]
  let sums: readonly Uint8Array[] = []
  for (const [round, { name }] of evidence.plan.entries()) {
    const headers = evidence.headers(round)
    if (headers.size === 0) return END
    const engineRound = names.indexOf(name)
    if (engineRound >= 0) {
      if (engineRound === names.length - 1) await absorb(scene, sums)
      const end = await replayRound(scene, { name, engineRound, headers })
      if (end !== null) return end
    } else if (name === DIGESTS_ROUND) {
      const found = await replayChunks(evidence, { round, parties, engine: scene.engine })
      if (found.liars.length + found.disputed.length > 0) return { ...END, ...found }
      sums = found.sums
    } else if (name === "public-key") {
      const liars = publicKeyLiars(scene, sums, headers)
      if (liars.length === 0) honest.push(name)
      return { ...END, liars }
    } else continue
    if (headers.size < parties.size) return END
    honest.push(name)
  }
  return END
}

const missing = (committee: Committee, roots: ReadonlyMap<PartyIndex, unknown>): readonly PartyIndex[] =>
  partyIndexes(committee).filter((party) => !roots.has(party))

type Sent = Awaited<ReturnType<CeremonyParty["produce"]>>
type EngineRound = {
  readonly name: string
  readonly engineRound: number
  readonly headers: ReadonlyMap<PartyIndex, Header>
}

/** @returns what ends the replay, or null */
async function replayRound(scene: Scene, { name, engineRound, headers }: EngineRound): Promise<End | null> {
  const { parties, evidence } = scene
  const sent = new Map<PartyIndex, Sent>()
  for (const [index, party] of parties) sent.set(index, await party.produce(engineRound))
  const liars = [...sent].flatMap(([party, message]): readonly Liar[] => {
    const header = headers.get(party)
    const lie = header === undefined ? null : lieIn(name, message, header)
    return lie === null ? [] : [{ party, lie: engineRound === 0 ? { kind: "root" } : lie }]
  })
  if (liars.length > 0 || sent.size < evidence.attempt.committee.n) return { ...END, liars }
  if (headers.size < sent.size) return null
  const broadcasts = [...sent.values()].map(({ broadcast }) => broadcast)
  try {
    for (const [to, party] of parties) {
      const sealed = [...sent].map(([from, message]) =>
        from === to ? null : (message.sealed[to - 1] ?? null),
      )
      await party.consume(engineRound, broadcasts, sealed)
    }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { ...END, check: error.detail.code }
  }
  return null
}

function lieIn(round: string, { broadcast, sealed }: Sent, header: Header): Lie | null {
  if (broadcast.length !== header.broadcastBytes || bytesDigest(broadcast) !== header.broadcastHash)
    return { kind: "broadcast", round }
  const at = header.sealedHashes.findIndex((hash, to) => hash !== sealedHashOf(sealed[to] ?? null))
  return at < 0 ? null : { kind: "sealed", round, to: (at + 1) as PartyIndex }
}

/** Before the last round of the row check, every party takes in all sums. */
async function absorb({ parties }: Scene, sums: readonly Uint8Array[]): Promise<void> {
  for (const party of parties.values())
    for (const [chunk, sum] of sums.entries()) await party.absorb(chunk, sum)
}

function publicKeyLiars(
  { evidence, engine, parties }: Scene,
  sums: readonly Uint8Array[],
  headers: ReadonlyMap<PartyIndex, Header>,
): readonly Liar[] {
  const [party] = [...parties.values()]
  const chunk = engine.keyLayout().chunks.find(({ part }) => part === engine.publicKeyPart)
  const body = chunk && sums[chunk.index]
  if (party === undefined || body === undefined) return []
  const publicSeed = party.publicSeed()
  const digests: readonly Digest[] = sums.map(bytesDigest)
  const publicKey = engine.assemblePublicKey(publicSeed, body)
  const { keyId } = evidence.attempt.committee
  const serverKeyDigest = serverKeyDigestOf(keyId, publicSeed, digests)
  const expected = bytesDigest(publicKeyMessage(serverKeyDigest, bytesDigest(publicKey)))
  return [...headers].flatMap(([index, { broadcastHash }]) =>
    broadcastHash === expected
      ? []
      : [{ party: index, lie: { kind: "broadcast", round: "public-key" } } as const],
  )
}
