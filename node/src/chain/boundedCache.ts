/** A map that forgets what was not used for longest. */
export type BoundedCache<K, V> = {
  get(key: K): V | undefined
  set(key: K, value: V): void
  has(key: K): boolean
  delete(key: K): void
  clear(): void
  readonly size: number
}

/** @param capacity in entries, or in what they weigh */
export function createBoundedCache<K, V>(
  capacity: number,
  weigh: (value: V) => number = () => 1,
): BoundedCache<K, V> {
  const entries = new Map<K, V>()
  let weight = 0
  const remove = (key: K) => {
    const value = entries.get(key)
    if (value !== undefined) weight -= weigh(value)
    entries.delete(key)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      remove(key)
      entries.set(key, value)
      weight += weigh(value)
      for (const oldest of entries.keys()) {
        if (weight <= capacity) break
        remove(oldest)
      }
    },
    has: (key) => entries.has(key),
    delete: remove,
    clear() {
      entries.clear()
      weight = 0
    },
    get size() {
      return entries.size
    },
  }
}
