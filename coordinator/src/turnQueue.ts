/** A queue of many lines that take turns: whoever brings much waits behind itself, not before others. */
export type TurnQueue<T> = {
  size(): number
  lengthOf(line: string): number
  /** The line in which most wait. */
  longest(): string | undefined
  push(line: string, item: T): void
  /** The first of the line whose turn it is; undefined where nobody waits. */
  shift(): T | undefined
  /** The last of a line. */
  pop(line: string): T | undefined
}

export function createTurnQueue<T>(): TurnQueue<T> {
  const lines = new Map<string, T[]>()
  let size = 0
  return {
    size: () => size,
    lengthOf: (line) => lines.get(line)?.length ?? 0,
    longest() {
      let found: string | undefined
      let most = 0
      for (const [line, { length }] of lines)
        if (length > most) {
          most = length
          found = line
        }
      return found
    },
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
    pop(line) {
      const waiting = lines.get(line)
      const item = waiting?.pop()
      if (waiting?.length === 0) lines.delete(line)
      if (item !== undefined) size -= 1
      return item
    },
  }
}
