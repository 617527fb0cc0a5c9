/**
 * How much work a peer may cause (protocol §6): tokens that come back with time. What costs more than is known beforehand is
 * paid afterwards, as a debt that has to be worked off first.
 */
export type WorkBudget = {
  /** Takes one token. @param now milliseconds. @returns false where none is left */
  spend(peer: string, now: number): boolean
  /** Takes what the work turned out to cost beyond that, if need be as a debt. */
  charge(peer: string, amount: number): void
}

export type WorkLimits = { readonly perSecond: number; readonly atOnce: number }

type Purse = { left: number; at: number }

export function createWorkBudget({ perSecond, atOnce }: WorkLimits): WorkBudget {
  const purses = new Map<string, Purse>()
  return {
    spend(peer, now) {
      const { left, at } = purses.get(peer) ?? { left: atOnce, at: now }
      const earned = (Math.max(0, now - at) / 1000) * perSecond
      const had = Math.min(atOnce, left + earned)
      const isLeft = had >= 1
      purses.set(peer, { left: isLeft ? had - 1 : had, at: now })
      return isLeft
    },
    charge(peer, amount) {
      const purse = purses.get(peer)
      if (purse !== undefined) purse.left -= amount
    },
  }
}
