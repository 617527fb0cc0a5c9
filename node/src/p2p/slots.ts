/**
 * A bounded number of places in groups. Who comes always gets one; when a group or the whole is full, the oldest gives
 * way: of its own group, or of the group that has the most. So nobody can hold places by being there first.
 */

export type SlotLimits = { readonly total: number; readonly perGroup: number }

export type Slots<T> = {
  /** @returns who has to go: never the newcomer, unless a limit is below one. */
  add(item: T, group: string): readonly T[]
  /** @returns false if it had no place. */
  remove(item: T): boolean
  readonly size: number
}

export function createSlots<T>({ total, perGroup }: SlotLimits): Slots<T> {
  /** Oldest first. */
  const places = new Map<T, string>()

  const oldestOf = (group: string): T | undefined => [...places].find(([, of]) => of === group)?.[0]

  const sizes = (): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const group of places.values()) counts.set(group, (counts.get(group) ?? 0) + 1)
    return counts
  }

  /** The group with the most places; of equal ones that whose oldest came first. */
  const largest = (): string | undefined => [...sizes()].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0])[0]

  return {
    add(item, group) {
      places.set(item, group)
      const leaving: T[] = []
      const evict = (from: string | undefined): void => {
        const oldest = from === undefined ? undefined : oldestOf(from)
        if (oldest === undefined) return
        places.delete(oldest)
        leaving.push(oldest)
      }
      if ((sizes().get(group) ?? 0) > perGroup) evict(group)
      if (places.size > total) evict(largest())
      return leaving
    },
    remove: (item) => places.delete(item),
    get size() {
      return places.size
    },
  }
}
