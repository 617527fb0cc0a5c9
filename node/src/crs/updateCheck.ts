/** Checks of a CRS made on its own, as its parties, auditors and judges make them. Public data. */
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type PartyIndex, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { CrsAuditor, CrsContext, KeygenEngine } from "../ceremony/engine.ts"
import { type CrsCommittee, contributors, partyOfTurn, type Updates, updatesDigest } from "./crsCommittee.ts"

export type CrsChecks = Pick<KeygenEngine, "crsLink"> &
  CrsAuditor & {
    /** The next state, everything checked. @throws CRS_* naming nobody */
    crsVerify(previous: Uint8Array | null, message: Uint8Array, context: CrsContext): Promise<Uint8Array>
    /** The list in an update's message. */
    crsState(message: Uint8Array): Uint8Array
  }

export type UpdateErrorCode =
  /** the link beside an update is not the one in its message. */
  "CRS_LINK"

/** Where the update of `turn` belongs that follows `before`. */
export const contextOf = (
  { ceremony, parties }: CrsCommittee,
  turn: number,
  before: Updates,
): CrsContext => ({
  ceremonyId: fromHex(ceremony),
  round: before.length + 1,
  party: partyOfTurn(turn, parties.length),
})

/**
 * The rule that the last of these updates breaks, null where it holds.
 * @param message its message @param previous the message of the one before, null where it is the first
 */
export async function updateRefusal(
  committee: CrsCommittee,
  updates: Updates,
  message: Uint8Array,
  previous: Uint8Array | null,
  engine: CrsChecks,
): Promise<string | null> {
  const last = updates.at(-1)
  if (last === undefined) throw new Error("no update to check")
  try {
    const state = previous && engine.crsState(previous)
    await engine.crsVerify(state, message, contextOf(committee, last.turn, updates.slice(0, -1)))
  } catch (error) {
    return ruleOf(error)
  }
  return Buffer.compare(engine.crsLink(message), last.link) === 0 ? null : "CRS_LINK"
}

/**
 * SHA-256 of the CRS file of these updates. @param state the list in the message of the last one
 * @throws CRS_*, the first rule that is broken
 */
export async function auditUpdates(
  { ceremony, parties }: CrsCommittee,
  updates: Updates,
  state: Uint8Array,
  engine: CrsAuditor,
): Promise<Digest> {
  const who: readonly PartyIndex[] = contributors(updates, parties.length)
  const links = updates.map(({ link }) => link)
  const salt = fromHex(updatesDigest(ceremony, updates))
  return parseDigest(toHex(await engine.crsAudit(fromHex(ceremony), who, links, state, salt)))
}

/** The code of a check that failed. @throws what is no such thing */
export function ruleOf(error: unknown): string {
  if (isProtocolError(error) && error.detail.code.startsWith("CRS_")) return error.detail.code
  throw error
}
