/** What one turn of an engine made possible, told to the owners of subjects together. */
import type { Authorised } from "./authorisePublic.ts"
import type { Followed } from "./followedSubjects.ts"
import type { Commitments } from "./ownWord.ts"

export type Opened = { readonly authorised: Authorised; readonly plaintexts: readonly bigint[] }

/** What the owner of subjects is asked and told. */
export type SubjectOwner = {
  readonly commitments: Commitments
  /** Quorums approved: the shares of these subjects may leave now. */
  onRelease(released: readonly Authorised[]): void
  /** All plaintexts are known (public decryption only: shares of a user's subject are never gossiped). */
  onOpened(opened: readonly Opened[]): void
}

export type Turn = {
  /** Quorums approved: who of them stands has to be looked up. */
  readonly quorums: Followed<SubjectOwner>[]
  readonly released: Map<SubjectOwner, Authorised[]>
  readonly opened: Map<SubjectOwner, Opened[]>
}

export const newTurn = (): Turn => ({ quorums: [], released: new Map(), opened: new Map() })

/** What is told to an owner, so far. */
export const listOf = <T>(map: Map<SubjectOwner, T[]>, owner: SubjectOwner): T[] => {
  const list = map.get(owner) ?? []
  map.set(owner, list)
  return list
}

/** @param onError an owner failed: the others are told nevertheless */
export function tellOwners({ released, opened }: Turn, onError: (error: unknown) => void): void {
  const tell = (task: () => void) => {
    try {
      task()
    } catch (error) {
      onError(error)
    }
  }
  for (const [owner, list] of released) tell(() => owner.onRelease(list))
  for (const [owner, list] of opened) tell(() => owner.onOpened(list))
}
