/**
 * The invariants of a run, fed with what leaves the nodes and with what the chain is given. Each knows the truth: the
 * plaintexts, the sessions, who approved before. See failure.ts for the list.
 */
import { quorum } from "@twinlock/sdk/protocol/committee"
import type { Address, Digest, Handle, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import type { Ciphertext } from "./ciphertexts.ts"
import type { NonceUse } from "./crypto/ledger.ts"
import { factsOf } from "./facts.ts"
import { SimulationFailure } from "./failure.ts"
import { shortHash } from "./trace.ts"

export type Checks = {
  /** A payload leaves the party that gossips it. */
  gossip(from: PartyIndex, payload: Uint8Array): void
  nonceUse(use: NonceUse): void
  /** Shares leave towards one user. @param sent bytes of each session */
  answer(party: PartyIndex, subject: Digest, user: Address, sent: ReadonlyMap<SessionId, Uint8Array>): void
}

export type ChecksDeps = {
  readonly t: number
  /** Parties whose holder lies. */
  readonly liars: ReadonlySet<PartyIndex>
  readonly ciphertexts: ReadonlyMap<SessionId, Ciphertext>
  /** Blocks that a party's disk says were booked, as after a crash now; of its life. */
  readonly booked: (party: PartyIndex) => number
  readonly budgetLeft: number | null
}

const short = (hex: string): string => hex.slice(0, 10)

export function createChecks({ t, liars, ciphertexts, booked, budgetLeft }: ChecksDeps): Checks {
  /** By subject and party, all that the party ever approved of it. */
  const approvals = new Map<Digest, Map<PartyIndex, Set<SessionId>>>()
  const shares = new Map<string, string>()
  const sessionsOf = new Map<string, SessionId>()
  const blocks = new Map<PartyIndex, Map<SessionId, number>>()
  const nonces = new Map<string, string>()

  function approved(subject: Digest, session: SessionId): number {
    const words = [...(approvals.get(subject)?.values() ?? [])]
    return words.filter((sessions) => sessions.has(session)).length
  }

  function leaves(
    party: PartyIndex,
    subject: Digest,
    recipient: Address | "public",
    session: SessionId,
    bytes: Uint8Array,
  ): void {
    const ciphertext = ciphertexts.get(session)
    if (ciphertext === undefined)
      throw new SimulationFailure("release", `party ${party} releases unknown session ${short(session)}`)
    if (approved(subject, session) < quorum({ t }))
      throw new SimulationFailure(
        "approvals",
        `a share of ${short(session)} leaves party ${party} after ${approved(subject, session)} approvals`,
      )
    const name = `${party} ${session}`
    const content = `${bytes.length} ${shortHash(bytes)}`
    const before = shares.get(name)
    if (before !== undefined && before !== content)
      throw new SimulationFailure("same-bytes", `party ${party} shares ${short(session)} in two ways`)
    shares.set(name, content)
    once(party, ciphertext.handle, recipient, session)
    const own = blocks.get(party) ?? new Map<SessionId, number>()
    blocks.set(party, own.set(session, ciphertext.blockCount))
    const sum = total(own)
    if (booked(party) < sum || (budgetLeft !== null && sum > budgetLeft))
      throw new SimulationFailure(
        "budget",
        `party ${party} released ${sum} blocks, booked ${booked(party)} of ${budgetLeft ?? "many"}`,
      )
  }

  /** One handle goes to one recipient under one session. */
  function once(party: PartyIndex, handle: Handle, recipient: string, session: SessionId): void {
    const name = `${party} ${handle} ${recipient}`
    const known = sessionsOf.get(name)
    if (known !== undefined && known !== session)
      throw new SimulationFailure("release", `party ${party} releases ${short(handle)} under two sessions`)
    sessionsOf.set(name, session)
  }

  const total = (sessions: ReadonlyMap<SessionId, number>): number =>
    [...sessions.values()].reduce((sum, count) => sum + count, 0)

  return {
    gossip(from, payload) {
      for (const fact of factsOf(payload)) {
        if (fact.party !== from)
          throw new SimulationFailure("approvals", `party ${from} gossips in the name of ${fact.party}`)
        if (fact.kind === "approval") {
          const words = approvals.get(fact.subject) ?? new Map<PartyIndex, Set<SessionId>>()
          const known = words.get(from) ?? new Set()
          for (const session of fact.sessions) known.add(session)
          approvals.set(fact.subject, words.set(from, known))
        } else if (!liars.has(from)) leaves(from, fact.subject, "public", fact.session, fact.bytes)
      }
    },
    nonceUse({ party, commitment, list, message }) {
      const name = `${party} ${commitment}`
      const use = `${list} ${message}`
      const before = nonces.get(name)
      if (before !== undefined && before !== use)
        throw new SimulationFailure("nonces", `party ${party} uses the nonces of ${short(commitment)} twice`)
      nonces.set(name, use)
    },
    answer(party, subject, user, sent) {
      if (liars.has(party)) return
      for (const [session, bytes] of sent) leaves(party, subject, user, session, bytes)
    },
  }
}
