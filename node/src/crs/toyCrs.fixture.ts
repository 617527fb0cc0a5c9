/** A committee of a CRS ceremony with toy signatures and toy updates, for tests of its rules alone. */
import { taggedHash, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import {
  type Digest,
  type PartyIndex,
  parseAddress,
  parseDigest,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"
import type { ToyEngine } from "../ceremony/toyEngine.fixture.ts"
import type { SignedStatement, Statement, StatementCheck } from "./certificate.ts"
import { type CrsCommittee, type Entry, partyOfTurn, type Updates, updatesDigest } from "./crsCommittee.ts"
import type { TurnsTimes } from "./turnsState.ts"
import type { CrsChecks } from "./updateCheck.ts"

/** An engine of toy updates, as the parties of a CRS made on its own use it. */
export const toyChecks = (engine: ToyEngine): ToyEngine & CrsChecks => ({
  ...engine,
  async crsVerify(previous, message, context) {
    const state = await engine.crsFollow(previous, message, context)
    await engine.crsCheck(state)
    return state
  },
  crsState: (message) => message.slice(0, 16),
})

export type ToyCommittee = CrsCommittee & { readonly n: number }

export const toyCommittee = (n: number, t: number): ToyCommittee => ({
  ceremony: taggedHash("test/crs", n, t),
  ...{ n, t },
  parties: Array.from({ length: n }, (_, at) => parseAddress(`0x${(at + 1).toString(16).padStart(40, "0")}`)),
})

export const party = (index: number): PartyIndex => parsePartyIndex(index, 15)

const toySignature = ({ act, turn, digest }: Statement, by: PartyIndex): Uint8Array =>
  utf8ToBytes(`${by} ${act} ${turn} ${digest}`)

/** Nobody but the test's own drivers calls it, each for its own parties. */
export const toySign = (statement: Statement, by: PartyIndex): SignedStatement => ({
  ...statement,
  party: by,
  signature: toySignature(statement, by),
})

export const toyCheck: StatementCheck = (statement) =>
  Buffer.compare(statement.signature, toySignature(statement, statement.party)) === 0

/** Delivery 10, an update 5, a check 1. */
export const UPDATE_MS = 5
export const CHECK_MS = 1
export const TIMES: TurnsTimes = { deliveryMs: 10, turnMs: 9 * 10 + UPDATE_MS + CHECK_MS }

/** Updates that somebody made: what each stands on, and whether it holds there. */
export type ToyUpdates = {
  make(updates: Updates, turn: number, variant: string, holds: boolean): Entry
  /** Null where the last update holds; undefined where nobody made it. */
  refusalOf(updates: Updates): string | null | undefined
}

export function toyUpdates(committee: ToyCommittee): ToyUpdates {
  const made = new Map<Digest, { readonly base: Digest; readonly by: PartyIndex; readonly holds: boolean }>()
  return {
    make(updates, turn, variant, holds) {
      const base = updatesDigest(committee.ceremony, updates)
      const message = taggedHash("test/update", base, turn, toHex(utf8ToBytes(variant)), holds)
      made.set(message, { base, by: partyOfTurn(turn, committee.n), holds })
      return { turn, message: parseDigest(message), link: utf8ToBytes(variant) }
    },
    refusalOf(updates) {
      const last = updates.at(-1)
      const update = last && made.get(last.message)
      if (last === undefined || update === undefined) return undefined
      if (update.by !== partyOfTurn(last.turn, committee.n)) return "CRS_CONTEXT"
      if (update.base !== updatesDigest(committee.ceremony, updates.slice(0, -1))) return "CRS_PREVIOUS"
      return update.holds ? null : "CRS_POWERS"
    },
  }
}
