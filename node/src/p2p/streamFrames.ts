/**
 * Exact reads, backpressured writes and length-prefixed frames on a libp2p stream.
 *
 * A reader that nobody reads from pauses the stream, so an unread peer can fill no more than the muxer's window.
 */
import type { Stream, StreamMessageEvent } from "@libp2p/interface"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export type FrameErrorCode =
  /** the stream ended or was reset before the announced bytes came. */
  | "FRAME_SHORT"
  /** the announced length is above the maximum; nothing was read. */
  | "FRAME_TOO_LARGE"

/** Frames in both directions: what a handshake needs from its transport. */
export type FrameChannel = {
  send(frame: Uint8Array): Promise<void>
  /** @throws FRAME_SHORT, FRAME_TOO_LARGE */
  receive(maxBytes: number): Promise<Uint8Array>
}

export type StreamReader = {
  /** Exactly `length` bytes. @throws FRAME_SHORT */
  read(length: number): Promise<Uint8Array>
  /** Big-endian u32 length, then that many bytes. @throws FRAME_SHORT, FRAME_TOO_LARGE */
  readFrame(maxBytes: number): Promise<Uint8Array>
}

const WRITE_CHUNK = 256 * 1024
const UNREAD_LIMIT = 64 * 1024

export const frameError = (code: FrameErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

export const encodeLength = (length: number): Uint8Array => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, length)
  return out
}

type Wanted = {
  readonly into: Uint8Array
  filled: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** One reader per stream; one read at a time. */
export function createStreamReader(stream: Stream): StreamReader {
  const unread: Uint8Array[] = []
  let unreadBytes = 0
  let wanted: Wanted | null = null
  let failure: ProtocolError | null = null

  const pauseOrResume = (): void => {
    if (stream.readStatus === "closed" || stream.readStatus === "closing") return
    if (unreadBytes > UNREAD_LIMIT) stream.pause()
    else stream.resume()
  }

  const fill = (): void => {
    while (wanted !== null) {
      const { into } = wanted
      const chunk = wanted.filled < into.length ? unread.shift() : undefined
      if (chunk !== undefined) {
        const used = chunk.subarray(0, into.length - wanted.filled)
        into.set(used, wanted.filled)
        wanted.filled += used.length
        unreadBytes -= used.length
        if (used.length < chunk.length) unread.unshift(chunk.subarray(used.length))
        continue
      }
      if (wanted.filled < into.length && failure === null) break
      const { resolve, reject, filled } = wanted
      wanted = null
      if (filled === into.length) resolve(into)
      else reject(failure)
    }
    pauseOrResume()
  }

  const end = (cause?: unknown): void => {
    failure ??= frameError("FRAME_SHORT", "the stream ended early", cause)
    fill()
  }
  stream.addEventListener("message", (event: StreamMessageEvent) => {
    const bytes = event.data.subarray()
    unread.push(bytes)
    unreadBytes += bytes.length
    fill()
  })
  stream.addEventListener("end", () => end())
  stream.addEventListener("close", (event) => end(event.error))
  if (stream.readableEnded) end()

  const read = (length: number): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      wanted = { into: new Uint8Array(length), filled: 0, resolve, reject }
      fill()
    })
  return {
    read,
    async readFrame(maxBytes) {
      const header = await read(4)
      const length = new DataView(header.buffer, header.byteOffset).getUint32(0)
      if (length > maxBytes)
        throw frameError("FRAME_TOO_LARGE", `frame of ${length} bytes, maximum ${maxBytes}`)
      return read(length)
    },
  }
}

/** Writes in chunks and waits whenever the muxer is full. @throws what the stream throws once it is closed */
export async function writeAll(stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += WRITE_CHUNK) {
    if (!stream.send(bytes.subarray(offset, offset + WRITE_CHUNK))) await stream.onDrain()
  }
}

export async function writeFrame(stream: Stream, frame: Uint8Array): Promise<void> {
  stream.send(encodeLength(frame.length))
  await writeAll(stream, frame)
}

export function frameChannel(stream: Stream): FrameChannel {
  const reader = createStreamReader(stream)
  return { send: (frame) => writeFrame(stream, frame), receive: (maxBytes) => reader.readFrame(maxBytes) }
}
