/** What must hold whatever t traitors do: integrity, secrecy before approval, liveness, and blame that is never wrong. */

import { DEFAULT_OPTIONS } from "@twinlock/node/decryption/service"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { quorum } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import {
  type Fault,
  type FaultContext,
  type FaultEvidence,
  provenFault,
} from "@twinlock/sdk/threshold/faultEvidence"
import { countOf } from "../../support/decryptionNetwork.ts"
import { SIGNING } from "../../support/scriptedChain.ts"
import { objections } from "./acceptance.ts"
import { type Arena, deliveredIn, STEP_MS, type Strategy } from "./arena.ts"

export type Verdict = {
  /** Sentences about what was broken; empty where everything held. */
  readonly broken: readonly string[]
  /** Traitors named by each honest node. */
  readonly named: ReadonlyMap<PartyIndex, readonly PartyIndex[]>
}

/** Judges an arena after its fight. */
export async function judge(arena: Arena, strategy: Strategy): Promise<Verdict> {
  const named = await namedBy(arena)
  const broken = [
    ...integrity(arena),
    ...approvedBeforeShared(arena),
    ...noncesUsedOnce(arena),
    ...listsBounded(arena),
    ...blame(arena, strategy, named),
    ...bite(arena, strategy),
    ...proofs(arena, strategy),
  ]
  return { broken, named }
}

/** Every certificate that left is valid, of a quorum, and says the truth; and there is one for each request. */
function integrity(arena: Arena): readonly string[] {
  const delivered = deliveredIn(arena)
  if (!delivered.some(({ result }) => result.requestId === arena.requestId))
    return ["no certificate came in time"]
  return [...new Set(delivered.flatMap((certified) => objections(arena, certified)))]
}

/** A list is answered only so often per aggregator and result: each answer costs a nonce. */
function listsBounded({ spoken, lists, traitors, honest }: Arena): readonly string[] {
  const { maxServed, servePeriodMs } = DEFAULT_OPTIONS
  const answered = new Map<string, number>()
  for (const { from, message, step } of spoken) {
    const list = message.kind === "signature-share" ? lists.get(message.request) : undefined
    if (list === undefined || !traitors.includes(list.party) || !honest.includes(from)) continue
    const period = Math.floor((step * STEP_MS) / servePeriodMs)
    const name = `party ${from} answered more than ${maxServed} lists of party ${list.party} for ${list.subjects} in period ${period}`
    answered.set(name, (answered.get(name) ?? 0) + 1)
  }
  return [...answered].flatMap(([name, count]) => (count > maxServed ? [name] : []))
}

/** What a third party finds in the evidence of honest nodes. */
export function provenIn(
  arena: Arena,
): readonly { readonly party: PartyIndex; readonly fault: Fault | null }[] {
  const publicly = publicDataOf(arena)
  return evidenceIn(arena).map((evidence) => ({
    party: evidence.party,
    fault: provenFault(evidence, publicly),
  }))
}

/** What the chain and the ceremony's transcript tell everybody. */
export function publicDataOf(arena: Arena): FaultContext {
  const { committee, groupKey: publicKey } = arena.committee
  const results = new Map(deliveredIn(arena).map(({ result }) => [result.requestId, result]))
  return { committee, signing: SIGNING, publicKey, resultOf: (request) => results.get(request) }
}

export const evidenceIn = ({ committee, honest }: Arena): readonly FaultEvidence[] =>
  committee.nodes.filter(({ party }) => honest.includes(party)).flatMap(({ service }) => service.evidence())

function proofs(arena: Arena, { proves }: Strategy): readonly string[] {
  const found = provenIn(arena)
  const wrong = found.filter(({ party, fault }) => fault !== null && !arena.traitors.includes(party))
  const isMissing =
    proves !== undefined && arena.placement === "worst" && !found.some(({ fault }) => fault === proves)
  return [
    ...wrong.map(({ party }) => `evidence proves a fault of the honest party ${party}`),
    ...(isMissing ? [`no evidence proves the fault "${proves}"`] : []),
  ]
}

/** Traitors that had the places that they want did something, and what the strategy tries came about. */
function bite(arena: Arena, { says, acts, bites }: Strategy): readonly string[] {
  if (arena.placement !== "worst") return []
  const idle = (says !== undefined || acts !== undefined) && arena.deeds === 0
  return [
    ...(idle ? ["the traitors did nothing"] : []),
    ...(bites?.(arena) === false ? ["the strategy came to nothing"] : []),
  ]
}

/** No honest share leaves before q − t honest parties approved. */
function approvedBeforeShared({ spoken, size }: Arena): readonly string[] {
  const approved = new Set<PartyIndex>()
  for (const { from, message } of spoken) {
    if (message.kind === "approval") approved.add(from)
    if (message.kind === "decryption-shares" && approved.size < quorum(size) - size.t)
      return [`party ${from} shared after ${approved.size} honest approvals`]
  }
  return []
}

/** An honest party answers at most one list with one commitment. */
function noncesUsedOnce({ spoken, lists }: Arena): readonly string[] {
  const used = new Map<string, string>()
  return spoken.flatMap(({ from, message }) => {
    if (message.kind !== "signature-share") return []
    const own = lists.get(message.request)?.signers.find(({ party }) => party === from)?.commitment
    if (own === undefined) return []
    const name = toHex(own)
    const before = used.get(name)
    used.set(name, message.request)
    return before === undefined || before === message.request ? [] : [`party ${from} used a nonce twice`]
  })
}

function blame(
  { honest, traitors }: Arena,
  { blamed }: Strategy,
  named: ReadonlyMap<PartyIndex, readonly PartyIndex[]>,
): readonly string[] {
  const wrong = honest.flatMap((node) =>
    (named.get(node) ?? [])
      .filter((party) => !traitors.includes(party))
      .map((party) => `party ${node} blames the honest party ${party}`),
  )
  const misses = traitors.filter((traitor) => {
    const accusers = honest.filter((node) => named.get(node)?.includes(traitor)).length
    return (blamed === "everywhere" && accusers < honest.length) || (blamed === "nowhere" && accusers > 0)
  })
  return [...wrong, ...misses.map((traitor) => `traitor ${traitor} should be named ${blamed}`)]
}

async function namedBy({
  committee,
  honest,
  size,
}: Arena): Promise<ReadonlyMap<PartyIndex, readonly PartyIndex[]>> {
  const entries = honest.map(async (party) => {
    const node = committee.nodes.find((candidate) => candidate.party === party)
    if (node === undefined) throw new Error(`no node of party ${party}`)
    const all = Array.from({ length: size.n }, (_, i) => (i + 1) as PartyIndex)
    const counts = await Promise.all(
      all.map((other) => countOf(node, "culprits_total", `{party="${other}"}`)),
    )
    return [party, all.filter((_, i) => (counts[i] ?? 0) > 0)] as const
  })
  return new Map(await Promise.all(entries))
}
