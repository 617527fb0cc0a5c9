/** What must hold whatever t traitors do: integrity, secrecy before approval, liveness, and blame that is never wrong. */

import { toHex } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum } from "@twinlock/sdk/protocol/committee"
import { hashDecryptionResult, hashResultBatch, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { certificateFromBody, resultFromBody } from "@twinlock/sdk/protocol/http"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { countOf } from "../../support/decryptionNetwork.ts"
import { SIGNING } from "../../support/scriptedChain.ts"
import type { Arena, Strategy } from "./arena.ts"

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
    ...blame(arena, strategy, named),
  ]
  return { broken, named }
}

/** Every certificate that left is valid, of a quorum, and says the truth; and there is one. */
function integrity({ committee, ciphertexts, size }: Arena): readonly string[] {
  if (committee.delivered.length === 0) return ["no certificate came in time"]
  const truth = ciphertexts.map(({ value }) => value.toString(16).padStart(64, "0")).join("")
  const key = groupKey(committee.groupKey)
  return committee.delivered.flatMap((delivered) => {
    const result = resultFromBody(delivered.result)
    const { keyId, epoch, signers, leaves, index, path, r, s } = certificateFromBody(delivered.certificate)
    const root = rootOfPath({ leaf: leafHash(hashDecryptionResult(result)), index, leaves, path })
    if (root === null) return ["a certificate's path leads nowhere"]
    const digest = typedDigest(SIGNING, hashResultBatch({ keyId, epoch, signers, root, leaves }))
    return [
      ...(toHex(result.plaintexts).slice(2) === truth ? [] : ["a wrong plaintext was certified"]),
      ...(verifyGroupSignature(key, digest, { r, s }) ? [] : ["a certificate does not verify"]),
      ...(partiesOfBitmap(signers, size.n).length >= quorum(size) ? [] : ["fewer signers than a quorum"]),
    ]
  })
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
