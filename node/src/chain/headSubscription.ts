/**
 * New blocks as an endpoint pushes them over WebSocket. Its messages are not even read: that one came is the hint. While
 * no subscription stands, another source hints.
 */
import type { Cancel, Scheduler } from "../clock.ts"
import type { HintSource } from "./headHint.ts"

export type SubscribedHintDeps = {
  /** ws or wss. */
  readonly url: string
  /** Hints until the subscription stands and whenever it does not. */
  readonly otherwise: HintSource
  readonly scheduler: Scheduler
}

const SUBSCRIBE = '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'
/** A header is half a kilobyte; what sends more than this is no such endpoint. */
const MAX_MESSAGE = 64 * 1024
/** An endpoint that says nothing for so long is asked anew: its connection may be gone without a word. */
const SILENT_MS = 60_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export function subscribedHint({ url, otherwise, scheduler }: SubscribedHintDeps): HintSource {
  return (changed) => {
    let stopOther: Cancel | null = otherwise(changed)
    let stopTimer: Cancel = () => {}
    let socket: WebSocket | null = null
    let failures = 0
    let cancelled = false

    function lost(from: WebSocket): void {
      if (cancelled || from !== socket) return
      drop()
      stopOther ??= otherwise(changed)
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS)
      failures += 1
      stopTimer = scheduler.after(pause, connect)
    }

    function drop(): void {
      stopTimer()
      const dropped = socket
      socket = null
      dropped?.close()
    }

    function heard(from: WebSocket, data: unknown): void {
      if (cancelled || from !== socket) return
      if (typeof data !== "string" || data.length > MAX_MESSAGE) return lost(from)
      stopTimer()
      stopTimer = scheduler.after(SILENT_MS, () => lost(from))
      // The first message answers the subscription, with its number or with an error.
      if (stopOther !== null) {
        if (data.includes('"error"')) return lost(from)
        stopOther()
        stopOther = null
        failures = 0
      }
      changed()
    }

    function connect(): void {
      const made = new WebSocket(url)
      socket = made
      stopTimer = scheduler.after(SILENT_MS, () => lost(made))
      made.addEventListener("open", () => made.send(SUBSCRIBE))
      made.addEventListener("message", ({ data }) => heard(made, data))
      made.addEventListener("close", () => lost(made))
      made.addEventListener("error", () => lost(made))
    }

    connect()
    return () => {
      cancelled = true
      drop()
      stopOther?.()
      stopOther = null
    }
  }
}
