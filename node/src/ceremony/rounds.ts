/**
 * What a round does, beside its place in the order (`state.ts`): making the own message and checking what arrived.
 * Both run outside the state machine and may be slow. They throw ProtocolErrors whose culprits become the abort's.
 */
import { type ErrorDetail, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Incoming, RoundSpec } from "./state.ts"

export type Outgoing = {
  readonly broadcast: Uint8Array
  /** By party index − 1; empty where the round has no private part. */
  readonly sealed: readonly (Uint8Array | null)[]
}

export type Round = {
  readonly spec: RoundSpec
  /** Called once, only where this node speaks. @param previous agreed digest of the round before */
  produce(previous: Digest): Promise<Outgoing>
  /** Called once, after all n echoes agreed. */
  consume(incoming: Incoming): Promise<void>
}

export const publicMessage = (broadcast: Uint8Array): Outgoing => ({ broadcast, sealed: [] })

/** The broadcast of `party`. The state machine has made sure that every speaker's is there. */
export function broadcastOf({ broadcasts }: Incoming, party: PartyIndex): Uint8Array {
  const bytes = broadcasts.get(party)
  if (bytes === undefined) throw new Error(`no broadcast of party ${party}`)
  return bytes
}

export type SlotErrorCode = "CEREMONY_ORDER"

/** A fact that one round finds and later rounds use; written once. */
export type Slot<T> = {
  /** @throws CEREMONY_ORDER before {@link Slot.set} */
  get(): T
  /** @throws CEREMONY_ORDER the second time */
  set(value: T): void
  peek(): T | null
}

export function slot<T extends object | string>(name: string): Slot<T> {
  let held: T | null = null
  const refuse = (message: string): ProtocolError =>
    new ProtocolError({ code: "CEREMONY_ORDER" satisfies SlotErrorCode, message })
  return {
    get: () => {
      if (held === null) throw refuse(`${name} is not known yet`)
      return held
    },
    set: (value) => {
      if (held !== null) throw refuse(`${name} is known already`)
      held = value
    },
    peek: () => held,
  }
}

/**
 * Runs `check` on each party's bytes; its failure names that party.
 * @param judges whether a failure says anything about the bytes; one that does not names nobody
 */
export async function eachParty(
  incoming: Incoming,
  check: (party: PartyIndex, broadcast: Uint8Array) => Promise<void> | void,
  judges: (failure: ErrorDetail) => boolean = () => true,
): Promise<void> {
  for (const [party, broadcast] of incoming.broadcasts) {
    try {
      await check(party, broadcast)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      const culprits = judges(error.detail) ? [party] : []
      throw new ProtocolError({ ...error.detail, culprits }, { cause: error })
    }
  }
}
