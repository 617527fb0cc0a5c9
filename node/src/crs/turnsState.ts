/** States, events and effects of a CRS ceremony on its own; the rules are in `turns.ts`. */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Certificate, SignedStatement, Statement, StatementCheck } from "./certificate.ts"
import type { CrsCommittee, Updates } from "./crsCommittee.ts"

export type TurnsRules = {
  readonly committee: CrsCommittee
  readonly self: PartyIndex
  readonly times: TurnsTimes
  /** Pure, but for what it remembers. */
  readonly check: StatementCheck
}

export type TurnsTimes = {
  /** Any message between honest parties, an update's bytes included, takes no longer; nor does one start later than another. */
  readonly deliveryMs: number
  /** See {@link turnMs}. */
  readonly turnMs: number
}

/**
 * How long a turn must be, so that an honest party's update is always in: nine deliveries (to enter the turn, two to hear of what is
 * certified, two to fetch it, to propose, two to be asked for the update and the one before, to acknowledge), an update, a check.
 */
export const turnMs = (deliveryMs: number, updateMs: number, checkMs: number): number =>
  9 * deliveryMs + updateMs + checkMs

/** A signed step of the ceremony: its speaker's turn, and the list that it wants. */
export type Proposal = {
  readonly turn: number
  readonly updates: Updates
  /** Of the updates that it stands on: those before the new one; in a closing turn, all. Null stands for no updates. */
  readonly parent: Certificate | null
}

export type TurnsMessage =
  | { readonly kind: "proposal"; readonly proposal: Proposal; readonly signature: Uint8Array }
  | { readonly kind: "statement"; readonly statement: SignedStatement }
  | { readonly kind: "certificate"; readonly certificate: Certificate }
  | { readonly kind: "conclusion"; readonly conclusion: Certificate }

/** What a party is proven to have done; a third party that knows the committee's keys judges it (`crsFault.ts`). */
export type CrsFault =
  /** One act, one turn, two lists. */
  | { readonly kind: "contradiction"; readonly first: SignedStatement; readonly second: SignedStatement }
  /** The last of these updates does not hold. */
  | {
      readonly kind: "refused-update"
      readonly updates: Updates
      readonly signature: Uint8Array
      /** The check that it does not pass. */
      readonly refusal: string
    }

export type TurnsErrorCode =
  /** t parties or fewer contributed to what was agreed: none of them need be honest. */
  | "CRS_TOO_FEW"
  /** What was agreed does not hold: more than t parties are not honest. */
  | "CRS_UNSOUND"

export type KnownProposal = Proposal & { readonly digest: Digest; readonly signature: Uint8Array }
export type Known = Certificate & { readonly digest: Digest }

export type TurnsState = {
  readonly status: "running" | "concluded" | "finished" | "failed"
  readonly rules: TurnsRules
  readonly turn: number
  /** The turn of {@link highest} when this turn began; nothing older is acknowledged in it. −1 for none. */
  readonly floor: number
  /** Certified updates of the latest turn. */
  readonly highest: Known | null
  /** What this party does in its own turn. */
  readonly speech: "none" | "gathering" | "making" | "proposed"
  /** What it makes its update on. */
  readonly parent: Known | null
  /** Whether this turn's proposal was looked at. */
  readonly considered: boolean
  /** What was acknowledged in this turn. */
  readonly acknowledged: Digest | null
  readonly hasConcluded: boolean
  /** First proposal of a turn. */
  readonly proposals: ReadonlyMap<number, KnownProposal>
  /** First statement of each party and act, by turn. */
  readonly said: ReadonlyMap<number, ReadonlyMap<string, SignedStatement>>
  /** Lists that this party has checked from end to end. */
  readonly sound: ReadonlySet<Digest>
  readonly conclusion: Known | null
  /** Why it failed. */
  readonly code: TurnsErrorCode | null
  /** The first one of each party. */
  readonly faults: ReadonlyMap<PartyIndex, CrsFault>
}

export type TurnsEvent =
  | { readonly kind: "message"; readonly message: TurnsMessage }
  | { readonly kind: "timeout"; readonly timer: "gather" | "turn"; readonly turn: number }
  /** The effect "make" is done. */
  | { readonly kind: "made"; readonly message: Digest; readonly link: Uint8Array }
  /** The effect "check" is done; `refusal` names the rule that is broken. */
  | {
      readonly kind: "checked"
      readonly turn: number
      readonly digest: Digest
      readonly refusal: string | null
    }

export type TurnsEffect =
  /** Sign it, send it to all and to this party itself. */
  | { readonly kind: "propose"; readonly statement: Statement; readonly proposal: Proposal }
  | { readonly kind: "state"; readonly statement: Statement }
  | { readonly kind: "send"; readonly message: TurnsMessage }
  | {
      readonly kind: "set-timer"
      readonly timer: "gather" | "turn"
      readonly turn: number
      readonly milliseconds: number
    }
  /** Fetch from `sources` the last update's message where it is not here, and make the next update on it. */
  | {
      readonly kind: "make"
      readonly turn: number
      readonly updates: Updates
      readonly sources: readonly PartyIndex[]
    }
  /** Fetch what is not here, and check the last update; in a closing turn, all of them as an auditor does. */
  | {
      readonly kind: "check"
      readonly turn: number
      readonly updates: Updates
      readonly digest: Digest
      readonly sources: readonly PartyIndex[]
    }
  | { readonly kind: "end" }

export type TurnsStep = { readonly state: TurnsState; readonly effects: readonly TurnsEffect[] }
