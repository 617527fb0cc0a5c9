/**
 * New blocks as an endpoint pushes them over WebSocket. Its messages are not even read: that one came is the hint. While
 * no subscription stands, another source hints.
 */
import { type RawData, WebSocket } from "ws"
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
/** The runtime's own client takes messages of up to 128 MiB, compressed ones too: whoever sends them chooses the memory. */
const OPTIONS = { maxPayload: MAX_MESSAGE, perMessageDeflate: false } as const
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export function subscribedHint({ url, otherwise, scheduler }: SubscribedHintDeps): HintSource {
  return (changed) => {
    let stopOther: Cancel | null = otherwise(changed)
    let stopTimer: Cancel = () => {}
    let socket: WebSocket | null = null
    let failures = 0

    function lost(from: WebSocket): void {
      if (from !== socket) return
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
      dropped?.terminate()
    }

    function heard(from: WebSocket, data: RawData, isBinary: boolean): void {
      if (from !== socket) return
      if (isBinary) return lost(from)
      stopTimer()
      stopTimer = scheduler.after(SILENT_MS, () => lost(from))
      // The first message answers the subscription, with its number or with an error.
      if (stopOther !== null) {
        if (String(data).includes('"error"')) return lost(from)
        stopOther()
        stopOther = null
        failures = 0
      }
      changed()
    }

    function connect(): void {
      const made = new WebSocket(url, OPTIONS)
      socket = made
      stopTimer = scheduler.after(SILENT_MS, () => lost(made))
      made.on("open", () => made.send(SUBSCRIBE))
      made.on("message", (data, isBinary) => heard(made, data, isBinary))
      // Whoever pings and does not read its pongs would have them pile up here.
      made.on("ping", () => {
        if (made.bufferedAmount > MAX_MESSAGE) lost(made)
      })
      made.on("close", () => lost(made))
      made.on("error", () => lost(made))
    }

    connect()
    return () => {
      drop()
      stopOther?.()
      stopOther = null
    }
  }
}
