/**
 * Judges what a party of a CRS ceremony is said to have done, by the committee's keys and the updates' bytes alone. Silence is no
 * fault: it proves nothing. Public data.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { bytesDigest } from "../ceremony/digest.ts"
import type { StatementCheck } from "./certificate.ts"
import { type CrsCommittee, partyOfTurn, updatesDigest } from "./crsCommittee.ts"
import type { CrsFault } from "./turnsState.ts"
import { type CrsChecks, updateRefusal } from "./updateCheck.ts"

export type CrsFaultErrorCode =
  /** the evidence does not prove that its party did what no honest party does. */
  "CRS_FAULT_UNPROVEN"

/** @param bytesOf message of an update, by its SHA-256 @returns the culprit @throws CRS_FAULT_UNPROVEN */
export async function judgeCrsFault(
  committee: CrsCommittee,
  fault: CrsFault,
  check: StatementCheck,
  bytesOf: (message: Digest) => Uint8Array | undefined,
  engine: CrsChecks,
): Promise<PartyIndex> {
  switch (fault.kind) {
    case "contradiction": {
      const { first, second } = fault
      if (first.act !== second.act || first.turn !== second.turn || first.party !== second.party)
        throw unproven("two statements of one party about one turn are needed")
      if (first.digest === second.digest) throw unproven("the statements agree")
      if (!check(first) || !check(second)) throw unproven("a signature does not hold")
      return first.party
    }
    case "refused-update": {
      const { updates, signature } = fault
      const [previous, last] = [updates.at(-2), updates.at(-1)]
      if (last === undefined) throw unproven("no update is named")
      const { turn } = last
      const party = partyOfTurn(turn, committee.parties.length)
      const digest = updatesDigest(committee.ceremony, updates)
      if (!check({ act: "propose", turn, digest, party, signature }))
        throw unproven("its party did not sign the update")
      const held = (message: Digest): Uint8Array => {
        const bytes = bytesOf(message)
        if (bytes === undefined || bytesDigest(bytes) !== message)
          throw unproven(`bytes of ${message} are missing`)
        return bytes
      }
      const before = previous === undefined ? null : held(previous.message)
      const refusal = await updateRefusal(committee, updates, held(last.message), before, engine)
      if (refusal === null) throw unproven("the update holds")
      return party
    }
  }
}

const unproven = (message: string): ProtocolError =>
  new ProtocolError({ code: "CRS_FAULT_UNPROVEN", message })
