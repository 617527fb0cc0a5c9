import { tagHash } from "../../sdk/src/protocol/codec.ts"
import { agreement, partyIndexes } from "../../sdk/src/protocol/committee.ts"
import type { PartyIndex } from "../../sdk/src/protocol/ids.ts"
import type { FrostKeyShare, PublicKeyPackage } from "../../sdk/src/threshold/frost.ts"
import {
  agreeOnDealers,
  type DkgSession,
  echoDigest,
  finishDkg,
  makeShares,
  startDkg,
} from "../../sdk/src/threshold/frostDkg.ts"
import { seededRng } from "./seededRng.ts"

export type FrostGroup = {
  readonly publicKey: PublicKeyPackage
  readonly keyShares: ReadonlyMap<PartyIndex, FrostKeyShare>
}

const made = new Map<string, FrostGroup>()

/** A whole distributed key generation among n honest parties in one process, once for each label. For tests only. */
export function generateFrostGroup(n: number, t: number, label: string): FrostGroup {
  const name = `${n}/${t}/${label}`
  const group = made.get(name) ?? generate(n, t, label)
  made.set(name, group)
  return group
}

function generate(n: number, t: number, label: string): FrostGroup {
  const session: DkgSession = { session: tagHash(label), n, quorum: 2 * t + 1 }
  const parties = partyIndexes({ n })
  const dealings = parties.map((party) => startDkg(session, party, seededRng(`${label}/${party}`)))
  const broadcasts = dealings.map(({ broadcast }) => broadcast)
  const echo = echoDigest(session, broadcasts)
  const echoes = new Map(parties.slice(0, agreement({ n, t })).map((party) => [party, echo]))
  const agreed = agreeOnDealers(session, broadcasts, echoes)
  const shares = dealings.map((dealing) => [dealing.broadcast.party, makeShares(agreed, dealing)] as const)
  const finished = parties.map((party) => {
    const received = new Map(shares.map(([dealer, made]) => [dealer, made.get(party) ?? new Uint8Array()]))
    return [party, finishDkg(agreed, party, received)] as const
  })
  const publicKey = finished[0]?.[1].publicKey
  if (publicKey === undefined) throw new Error("a group has at least one party")
  return { publicKey, keyShares: new Map(finished.map(([party, { keyShare }]) => [party, keyShare])) }
}
