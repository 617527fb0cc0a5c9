/** What one turn of an engine made possible, told to the owners of subjects together. */
import type { Authorised } from "./authorisePublic.ts"
import type { Opened, SubjectOwner } from "./engine.ts"
import type { Followed } from "./followedSubjects.ts"

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
