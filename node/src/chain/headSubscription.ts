/**
 * New blocks as an endpoint pushes them over WebSocket. Its messages are not even read: that one came is the hint. While
 * no subscription stands, another source hints.
 */
import type { Cancel, Scheduler } from "../clock.ts"
import { openBoundedSocket } from "./boundedSocket.ts"
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
    let close: () => void = () => {}
    let failures = 0

    function lost(): void {
      drop()
      stopOther ??= otherwise(changed)
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS)
      failures += 1
      stopTimer = scheduler.after(pause, connect)
    }

    function drop(): void {
      stopTimer()
      close()
    }

    function heard(text: string): void {
      stopTimer()
      stopTimer = scheduler.after(SILENT_MS, lost)
      // The first message answers the subscription, with its number or with an error.
      if (stopOther !== null) {
        if (text.includes('"error"')) return lost()
        stopOther()
        stopOther = null
        failures = 0
      }
      changed()
    }

    function connect(): void {
      stopTimer = scheduler.after(SILENT_MS, lost)
      const socket = { url, maxBytes: MAX_MESSAGE, greeting: SUBSCRIBE, onText: heard, onEnd: lost }
      close = openBoundedSocket(socket)
    }

    connect()
    return () => {
      drop()
      stopOther?.()
      stopOther = null
    }
  }
}
