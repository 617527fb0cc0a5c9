/**
 * What a transcript that passes every step leaves open. Whoever has one machine of the right kind can write a transcript of
 * parties and images of his own under any key id, chain and contract: a reader must bring what only the true one has.
 */
import { BINDING_MEMBERS, type CeremonyPolicy } from "./policy.ts"
import type { StepResult } from "./step.ts"

export type OpenQuestion =
  /** whether it is the key that the reader means: nothing that he brought names its parties or digests. */
  | "key"
  /** what ran in the enclaves: any image was accepted. */
  | "code"

/** What the reader brought. */
export type Expectations = {
  readonly policy: CeremonyPolicy | null
  /** Whether the policy of quotes names images, compose files and key providers, as a registry's allow-list does. */
  readonly namesCode: boolean
}

/** The word of a chain whose contract the reader named answers both: a registry admits by its allow-list. */
export function openQuestions(
  { policy, namesCode }: Expectations,
  steps: readonly StepResult[],
): readonly OpenQuestion[] {
  if (steps.some(({ id, status }) => id === "chain" && status === "passed")) return []
  const namesKey = BINDING_MEMBERS.some((name) => policy?.[name] !== undefined)
  return [...(namesKey ? [] : (["key"] as const)), ...(namesCode ? [] : (["code"] as const))]
}
