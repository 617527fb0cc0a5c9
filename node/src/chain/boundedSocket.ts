/**
 * A WebSocket of an endpoint that is trusted with nothing. The built-in one takes messages of up to 128 MiB, compressed
 * ones too; whoever sends them chooses the memory.
 */
import { createHash, randomBytes } from "node:crypto"
import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import type { Duplex } from "node:stream"
import { createFrameReader, pongFrame, type Received, textFrame } from "./webSocketFrames.ts"

export type BoundedSocketOptions = {
  /** ws or wss. */
  readonly url: string
  /** Longest message that is taken. */
  readonly maxBytes: number
  /** Said first; at most 125 bytes. */
  readonly greeting: string
  readonly onText: (text: string) => void
  /** Once, for whatever reason; never after `close`. */
  readonly onEnd: () => void
}

/** RFC 6455 §1.3 */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const MASK_BYTES = 4

/** @returns what closes it */
export function openBoundedSocket({
  url,
  maxBytes,
  greeting,
  onText,
  onEnd,
}: BoundedSocketOptions): () => void {
  const target = new URL(url)
  const secure = target.protocol === "wss:"
  target.protocol = secure ? "https:" : "http:"
  const key = randomBytes(16).toString("base64")
  const accept = createHash("sha1").update(`${key}${ACCEPT_GUID}`).digest("base64")
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": key,
  }
  let open: Duplex | null = null
  let ended = false

  const request = (secure ? httpsRequest : httpRequest)(target, { headers, agent: false })
  const close = (): void => {
    ended = true
    request.destroy()
    open?.destroy()
  }
  const end = (): void => {
    if (ended) return
    close()
    onEnd()
  }

  function talk(socket: Duplex, first: Buffer): void {
    const read = createFrameReader(maxBytes)
    const take = (received: Received): void => {
      if (received.kind === "text") onText(received.text)
      // Whoever pings and does not read its pongs would have them pile up here.
      else if (received.kind === "close" || socket.writableNeedDrain) end()
      else socket.write(pongFrame(received.bytes, randomBytes(MASK_BYTES)))
    }
    const hear = (chunk: Buffer): void => {
      let heard: readonly Received[]
      try {
        heard = read(chunk)
      } catch {
        return end()
      }
      for (const received of heard) if (!ended) take(received)
    }
    socket.on("data", hear).on("close", end).on("end", end)
    socket.write(textFrame(greeting, randomBytes(MASK_BYTES)))
    if (first.length > 0) hear(first)
  }

  request.on("upgrade", (response, socket, first) => {
    open = socket
    socket.on("error", end)
    if (ended) socket.destroy()
    else if (response.headers["sec-websocket-accept"] !== accept) end()
    else talk(socket, first)
  })
  request.on("response", end)
  request.on("error", end)
  request.end()
  return close
}
