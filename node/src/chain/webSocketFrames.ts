/**
 * Frames of a WebSocket (RFC 6455 §5) as a client reads and writes them. Pure. No more is kept than the largest message that
 * is wanted: a longer one is refused when its length is read, before its bytes come.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type FrameErrorCode =
  /** bytes that no server may send, or a message longer than wanted. */
  "WEBSOCKET_FRAME"

/** What a server said; `ping` wants its bytes back in a pong. */
export type Received =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ping"; readonly bytes: Buffer }
  | { readonly kind: "close" }

const OPCODE = { continued: 0, text: 1, close: 8, ping: 9, pong: 10 } as const
const LONGEST_CONTROL = 125
const LONGEST_HEADER = 10

const frameError = (message: string): ProtocolError =>
  new ProtocolError({ code: "WEBSOCKET_FRAME" satisfies FrameErrorCode, message })

type Header = {
  readonly final: boolean
  readonly opcode: number
  readonly start: number
  readonly length: number
}

/** Null until all of it has come. */
function headerOf(bytes: Buffer): Header | null {
  if (bytes.length < 2) return null
  const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)]
  // Extensions are not negotiated, and servers do not mask.
  if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw frameError("a frame that no server sends")
  const [final, opcode, short] = [(first & 0x80) !== 0, first & 0x0f, second & 0x7f]
  if (short < 126) return { final, opcode, start: 2, length: short }
  const start = short === 126 ? 4 : LONGEST_HEADER
  if (bytes.length < start) return null
  const length = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return { final, opcode, start, length }
}

/** @returns what takes a server's bytes as they come; it throws WEBSOCKET_FRAME. @param maxBytes of one message */
export function createFrameReader(maxBytes: number): (chunk: Buffer) => readonly Received[] {
  let pending: Buffer = Buffer.alloc(0)
  /** Parts of a text of several frames. */
  let parts: Buffer | null = null

  function take({ final, opcode }: Header, payload: Buffer): Received | null {
    if (opcode >= OPCODE.close) {
      if (!final || payload.length > LONGEST_CONTROL) throw frameError("a control frame in parts")
      if (opcode === OPCODE.close) return { kind: "close" }
      if (opcode === OPCODE.ping) return { kind: "ping", bytes: payload }
      if (opcode === OPCODE.pong) return null
    }
    if (opcode !== (parts === null ? OPCODE.text : OPCODE.continued))
      throw frameError(`a frame of kind ${opcode} where none belongs`)
    const text: Buffer = parts === null ? payload : Buffer.concat([parts, payload])
    parts = final ? null : text
    return final ? { kind: "text", text: text.toString("utf8") } : null
  }

  return (chunk) => {
    pending = Buffer.concat([pending, chunk])
    const received: Received[] = []
    for (let header = headerOf(pending); header !== null; header = headerOf(pending)) {
      const { start, length } = header
      if ((parts?.length ?? 0) + length > maxBytes) throw frameError(`a message above ${maxBytes} bytes`)
      if (pending.length < start + length) break
      const found = take(header, Buffer.from(pending.subarray(start, start + length)))
      if (found !== null) received.push(found)
      pending = pending.subarray(start + length)
    }
    return received
  }
}

/** A frame of a client: masked, in one piece. @param mask four random bytes; payloads are short */
function frameOf(opcode: number, payload: Buffer, mask: Uint8Array): Buffer {
  if (payload.length > LONGEST_CONTROL) throw new Error("a frame of more than 125 bytes")
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length), mask, masked])
}

export const textFrame = (text: string, mask: Uint8Array): Buffer =>
  frameOf(OPCODE.text, Buffer.from(text), mask)
export const pongFrame = (payload: Buffer, mask: Uint8Array): Buffer => frameOf(OPCODE.pong, payload, mask)
