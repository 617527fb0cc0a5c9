/**
 * One direction of a link: bytes in order, each due at its time. A lane knows no sockets, so that its timing is tested with
 * a clock that stands still.
 */
import type { Clock, Scheduler } from "@twinlock/node/clock"

/** How bytes fare. */
export type Weather = {
  readonly delayMs: number
  /** Null: as many as come. */
  readonly bytesPerSecond: number | null
  /** Nothing arrives, not even the end of a connection; it is kept until this ends. */
  readonly held: boolean
}

export const CALM: Weather = { delayMs: 0, bytesPerSecond: null, held: false }

/** How a direction ends: by its sender's word, or by a broken connection. */
export type Ending = "end" | "break"

export type LaneEnds = {
  write(bytes: Uint8Array): void
  finish(ending: Ending): void
  /** Whether the sender is to wait: more than {@link KEPT_BYTES} are on their way. */
  hold(wait: boolean): void
}

export type Lane = {
  push(bytes: Uint8Array): void
  end(ending: Ending): void
  /** For what comes and for what is kept. */
  set(weather: Weather): void
  /** What is kept is lost. */
  stop(): void
}

/** Kept on a lane until its sender has to wait, as in a socket's buffer. */
export const KEPT_BYTES = 262_144
/** A throttled lane passes so much at once. */
const PIECE_BYTES = 4096

type Item = { readonly bytes: Uint8Array; readonly since: number } | { readonly ending: Ending }

export function createLane({ now, after }: Clock & Scheduler, weather: Weather, ends: LaneEnds): Lane {
  let current = weather
  let items: Item[] = []
  let kept = 0
  let isHeld = false
  /** When a throttled lane has passed what it passed. */
  let freeAt = 0
  let cancel = () => {}

  function dueAt(item: Item): number {
    return "ending" in item ? freeAt : Math.max(item.since + current.delayMs, freeAt)
  }

  function run(): void {
    cancel()
    cancel = () => {}
    while (!current.held) {
      const [item] = items
      if (item === undefined) return
      const wait = dueAt(item) - now()
      if (wait > 0) {
        cancel = after(wait, run)
        return
      }
      pass(item)
    }
  }

  function pass(item: Item): void {
    if ("ending" in item) {
      items = []
      return ends.finish(item.ending)
    }
    const { bytesPerSecond } = current
    const piece = bytesPerSecond === null ? item.bytes : item.bytes.subarray(0, PIECE_BYTES)
    if (piece.length < item.bytes.length) items[0] = { ...item, bytes: item.bytes.subarray(piece.length) }
    else items.shift()
    if (bytesPerSecond !== null) freeAt = Math.max(now(), freeAt) + (1000 * piece.length) / bytesPerSecond
    kept -= piece.length
    ends.write(piece)
    settle()
  }

  function settle(): void {
    const wait = kept > KEPT_BYTES
    if (wait === isHeld) return
    isHeld = wait
    ends.hold(wait)
  }

  return {
    push(bytes) {
      items.push({ bytes, since: now() })
      kept += bytes.length
      settle()
      run()
    },
    end(ending) {
      items.push({ ending })
      run()
    },
    set(next) {
      current = next
      if (next.bytesPerSecond === null) freeAt = 0
      run()
    },
    stop() {
      cancel()
      items = []
    },
  }
}
