/** The addon's rounds among four parties of known roots, without a network: what they sign is what a replay reads. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { summingParty } from "../contributions.ts"
import { bytesDigest } from "../digest.ts"
import type { CeremonyParty } from "../engine.ts"
import { type Header, sealedHashOf } from "../header.ts"
import { encodeDigestList } from "../keyRounds.ts"
import { attemptOfParty, COMMITTEE } from "../party.fixture.ts"
import type { Outgoing } from "../rounds.ts"
import type { Evidence } from "./blameFile.ts"
import { DIGESTS_ROUND } from "./failedAttempt.ts"

export const LIAR = 3

export type Change = (round: string, honest: Outgoing) => Outgoing

export type Lies = {
  /** What the liar sends in place of its message. */
  readonly message?: Change
  /** What the liar reveals. */
  readonly root?: Uint8Array
}

export type NativeRun = {
  readonly evidence: Evidence
  /** Round and code of the check that ended it; null where all passed. */
  readonly failed: { readonly round: string; readonly code: string } | null
}

const everyone = partyIndexes(COMMITTEE)
const rootOf = (party: number): Uint8Array => new Uint8Array(32).fill(party)

/** @param bits a toy number makes no key: then there are no chunks */
export async function runNative(lies: Lies, bits?: number): Promise<NativeRun> {
  const { n, t, keyId } = COMMITTEE
  const parties = everyone.map((index) => {
    const config = { ceremonyId: fromHex(keyId), attempt: 1, n, t, index, ...(bits && { bits }) }
    return nativeEngine.replayParty(config, rootOf(index))
  })
  const [first] = parties
  if (first === undefined) throw new Error("no parties")
  const chunked = bits === undefined ? [DIGESTS_ROUND] : []
  const names = [...first.rounds(), ...chunked, ...first.rowRounds()]
  const engineRounds = [...first.rounds(), ...first.rowRounds()]
  const signed: ReadonlyMap<PartyIndex, Header>[] = []
  let digestLists: ReadonlyMap<PartyIndex, Uint8Array> = new Map()
  let failed: NativeRun["failed"] = null
  try {
    for (const name of names) {
      if (name === DIGESTS_ROUND) {
        digestLists = await contribute(parties)
        signed.push(headersOf([...digestLists.values()].map((broadcast) => ({ broadcast, sealed: [] }))))
        continue
      }
      const change = (honest: Outgoing): Outgoing => lies.message?.(name, honest) ?? honest
      const { sent, code } = await exchange(parties, engineRounds.indexOf(name), change)
      signed.push(headersOf(sent))
      if (code === null) continue
      failed = { round: name, code }
      break
    }
  } finally {
    for (const party of parties) party.destroy()
  }
  const plan = names.map((name) => ({ name, speakers: everyone, kept: true }))
  const roots = new Map(everyone.map((party) => [party, rootOf(party)]))
  if (lies.root !== undefined) roots.set(LIAR as PartyIndex, lies.root)
  const headers = (round: number): ReadonlyMap<PartyIndex, Header> => signed[round] ?? new Map()
  return { evidence: { attempt: attemptOfParty(1), plan, headers, digestLists, roots }, failed }
}

/** The liar believes that it sent what it should have. @returns also the code of a check that failed at an honest party */
async function exchange(
  parties: readonly CeremonyParty[],
  round: number,
  change: (honest: Outgoing) => Outgoing,
): Promise<{ readonly sent: readonly Outgoing[]; readonly code: string | null }> {
  const made: Outgoing[] = []
  for (const party of parties) made.push(await party.produce(round))
  const sent = made.map((honest, at) => (at === LIAR - 1 ? change(honest) : honest))
  let code: string | null = null
  for (const [to, party] of parties.entries()) {
    const shown = to === LIAR - 1 ? made : sent
    const broadcasts = shown.map(({ broadcast }) => broadcast)
    const sealed = sent.map((message, from) => (from === to ? null : (message.sealed[to] ?? null)))
    try {
      await party.consume(round, broadcasts, sealed)
    } catch (error) {
      if (!isProtocolError(error)) throw error
      if (to !== LIAR - 1) code ??= error.detail.code
    }
  }
  return { sent, code }
}

/** What the parties list once all chunks are contributed to and summed. */
async function contribute(parties: readonly CeremonyParty[]): Promise<ReadonlyMap<PartyIndex, Uint8Array>> {
  const { chunks } = nativeEngine.keyLayout()
  const contributed = parties.map((): Digest[] => [])
  const sums = parties.map((): Digest[] => [])
  for (const { index, byteLength, wordBytes } of chunks) {
    const sum = new Uint8Array(byteLength)
    for (const [at, party] of parties.entries()) {
      const own = await party.contribution(index)
      contributed[at]?.push(bytesDigest(own))
      nativeEngine.addInto(sum, own, wordBytes)
    }
    const by = summingParty(index, parties.length)
    sums[by - 1]?.push(bytesDigest(sum))
  }
  return new Map(
    everyone.map((party) => [
      party,
      encodeDigestList({ sums: sums[party - 1] ?? [], contributed: contributed[party - 1] ?? [] }),
    ]),
  )
}

const headersOf = (sent: readonly Outgoing[]): ReadonlyMap<PartyIndex, Header> =>
  new Map(
    everyone.map((party): readonly [PartyIndex, Header] => {
      const { broadcast, sealed } = sent[party - 1] ?? { broadcast: new Uint8Array(), sealed: [] }
      return [
        party,
        {
          keyId: COMMITTEE.keyId,
          ...{ attempt: 1, round: 0, party, previous: bytesDigest(new Uint8Array()) },
          broadcastBytes: broadcast.length,
          broadcastHash: bytesDigest(broadcast),
          sealedHashes: everyone.map((to) => sealedHashOf(sealed[to - 1] ?? null)),
        },
      ]
    }),
  )
