/** A value on chain over the blocks: what a view reads at an agreed block never changes. */
export type History<T> = {
  /** From this block on. Blocks never go back. */
  set(block: number, value: T): void
  at(block: number): T
}

export function createHistory<T>(first: T): History<T> {
  const values: { readonly block: number; readonly value: T }[] = [{ block: -1, value: first }]
  return {
    set: (block, value) => void values.push({ block, value }),
    at: (block) => values.findLast((entry) => entry.block <= block)?.value ?? first,
  }
}
