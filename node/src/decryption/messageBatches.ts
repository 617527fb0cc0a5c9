/** What is said together, cut into messages of the allowed size (protocol §6). Pure. */
import {
  MAX_APPROVED_SESSIONS,
  MAX_ITEMS,
  MAX_SHARE_BYTES,
  type SessionShare,
} from "@twinlock/sdk/protocol/messages"
import type { Authorised } from "./authorisePublic.ts"

/** Consecutive items in as few groups as their order allows, each of at most MAX_ITEMS items and `maxWeight`. */
function cut<T>(
  items: readonly T[],
  maxWeight: number,
  weigh: (item: T) => number,
  belong: (first: T, item: T) => boolean = () => true,
): readonly (readonly T[])[] {
  const groups: T[][] = []
  let weight = 0
  for (const item of items) {
    const last = groups.at(-1)
    const [first] = last ?? []
    const fits =
      last !== undefined &&
      first !== undefined &&
      last.length < MAX_ITEMS &&
      weight + weigh(item) <= maxWeight &&
      belong(first, item)
    if (fits) last.push(item)
    else groups.push([item])
    weight = fits ? weight + weigh(item) : weigh(item)
  }
  return groups
}

/** The same shares in the same order, none twice. */
export function shareMessages(shares: readonly SessionShare[]): readonly (readonly SessionShare[])[] {
  const once = new Map(shares.map((item) => [item.subject + item.sessionId, item]))
  return cut([...once.values()], MAX_SHARE_BYTES, ({ share }) => share.length)
}

/** The same subjects in the same order; those of one message were judged at one block. */
export const approvalMessages = (authorised: readonly Authorised[]): readonly (readonly Authorised[])[] =>
  cut(
    authorised,
    MAX_APPROVED_SESSIONS,
    ({ ciphertexts }) => ciphertexts.length,
    (first, { at }) => first.at.hash === at.hash,
  )
