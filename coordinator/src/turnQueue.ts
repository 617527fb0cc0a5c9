/** A queue of many lines that take turns: whoever brings much waits behind itself, not before others. */
export type TurnQueue<T> = {
  size(): number
  push(line: string, item: T): void
  /** The first of the line whose turn it is; undefined where nobody waits. */
  shift(): T | undefined
}

export function createTurnQueue<T>(): TurnQueue<T> {
  const lines = new Map<string, T[]>()
  let size = 0
  return {
    size: () => size,
    push(line, item) {
      size += 1
      const waiting = lines.get(line)
      if (waiting === undefined) lines.set(line, [item])
      else waiting.push(item)
    },
    shift() {
      for (const [line, waiting] of lines) {
        const item = waiting.shift()
        lines.delete(line)
        if (waiting.length > 0) lines.set(line, waiting)
        size -= 1
        return item
      }
      return undefined
    },
  }
}
